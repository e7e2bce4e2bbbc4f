import Foundation

/// The command that goes on with a run, to be copied from the terminal: with everything that a run does not store.
enum ResumeCommand {
  static func text(
    _ command: String, run: String, store: StoreOptions, judges: JudgeOptions, model: ModelOptions
  ) -> String {
    (["selfcd", command, "--resume", run] + store.arguments + judges.argumentsOfModels
      + model.argumentsOfTemplate).map(quoted).joined(separator: " ")
  }

  /// As a POSIX shell reads it back.
  static func quoted(_ word: String) -> String {
    let plain = CharacterSet(
      charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@,+=%")
    if !word.isEmpty, word.unicodeScalars.allSatisfy(plain.contains) { return word }
    return "'" + word.replacing("'", with: #"'\''"#) + "'"
  }
}
