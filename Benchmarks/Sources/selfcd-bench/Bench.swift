import ArgumentParser

@main
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "selfcd-bench",
    abstract: "Times SelfCD. Each command compares its alternatives within one run and prints ratios.",
    subcommands: [
      CombineCommand.self, DecodeCommand.self, LanesCommand.self, PrefixCommand.self, FirstKCommand.self,
      FlowCommand.self, WordsCommand.self,
    ])
}
