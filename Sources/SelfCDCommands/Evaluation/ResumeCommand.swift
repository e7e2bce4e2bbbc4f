/// The command that goes on with a run, to be copied from the terminal: with everything that a run does not store.
enum ResumeCommand {
  static func text(
    _ command: String, run: String, store: StoreOptions, judges: JudgeOptions, model: ModelOptions
  ) -> String {
    (["selfcd", command, "--resume", run] + store.arguments + judges.argumentsOfModels
      + model.argumentsOfTemplate).map(ShellWord.quoted).joined(separator: " ")
  }
}
