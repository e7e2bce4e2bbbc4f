import ArgumentParser
import SelfCDSupport

/// What is said of a command line that cannot be understood.
///
/// The parser reports what it stumbles over first, which behind an unknown option is mostly the option's value; here
/// the option itself is named, and the nearest one that there is.
struct WrongUse {
  private let error: any Error
  private let arguments: [String]
  private let isParsed: Bool
  private let command: CommandSyntax
  private let depth: Int

  /// - Parameter isParsed: whether the command line itself was understood, and the error comes from what was asked for.
  init(_ error: any Error, arguments: [String], isParsed: Bool) {
    self.error = error
    self.arguments = arguments
    self.isParsed = isParsed
    (command, depth) = CommandSyntax.called(by: arguments)
  }

  /// The message, and the usage of the command that was meant.
  var message: String {
    if !isParsed, let unknown = unknownCommand ?? unknownOption {
      return unknown + "\n" + command.usage
    }
    // The parser takes an error that a running command throws for one of the program as a whole.
    if isParsed { return SelfCDCommand.message(for: error) + "\n" + command.usage }
    let text = SelfCDCommand.fullMessage(for: error)
    return text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text
  }

  private var unknownCommand: String? {
    let known = command.subcommands.compactMap(\.path.last)
    guard !known.isEmpty, command.type.configuration.defaultSubcommand == nil,
      let word = arguments.dropFirst(depth).first, !word.hasPrefix("-"), word != "help"
    else { return nil }
    return "There is no command '\(word)'. "
      + (NearestName.of(word, among: known).map { "Did you mean '\($0)'?" }
        ?? "There are \(known.joined(separator: ", ")).")
  }

  private var unknownOption: String? {
    let known = command.options
    for argument in arguments.dropFirst(depth) {
      if argument == "--" { return nil }
      guard let name = Self.optionName(argument), !known.contains(name) else { continue }
      return "Unknown option '\(name)'. \(advice(for: name, known: known))"
    }
    return nil
  }

  /// `--data` of `--data=x`; nil for what is no option: text, numbers, standard input.
  private static func optionName(_ argument: String) -> String? {
    if argument.hasPrefix("--") { return argument.split(separator: "=").first.map(String.init) }
    guard argument.hasPrefix("-"), let letter = argument.dropFirst().first, letter.isLetter else {
      return nil
    }
    return argument.count == 2 ? argument : nil
  }

  private func advice(for name: String, known: Set<String>) -> String {
    let long = known.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) }
    if name.hasPrefix("--"),
      let nearest = NearestName.of(
        String(name.dropFirst(2)), among: long.sorted(), synonyms: OptionSynonyms.all)
    {
      return "Did you mean '--\(nearest)'?"
    }
    let owners = CommandSyntax.root.leaves.filter { $0.options.contains(name) }
      .map { $0.path.dropFirst().joined(separator: " ") }
    return owners.isEmpty
      ? "'\(command.title) --help' lists those there are."
      : "It is an option of \(owners.joined(separator: ", ")), not of \(command.path.dropFirst().joined(separator: " "))."
  }
}
