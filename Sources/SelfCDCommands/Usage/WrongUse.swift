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
  /// What the arguments name: a command, or a group of commands.
  private let named: CommandSyntax
  private let depth: Int

  /// - Parameter isParsed: whether the command line itself was understood, and the error comes from what was asked for.
  init(_ error: any Error, arguments: [String], isParsed: Bool) {
    self.error = error
    self.arguments = arguments
    self.isParsed = isParsed
    (named, depth) = CommandSyntax.named(by: arguments)
  }

  /// The command that was meant: that of a group where none of its commands is named.
  private var command: CommandSyntax { named.defaultSubcommand ?? named }

  /// The message, and the usage of the command that was meant.
  var message: String {
    if !isParsed, let unknownCommand { return unknownCommand + "\n" + named.usage }
    if !isParsed, let unknownOption { return unknownOption.text + "\n" + command.usage }
    if !isParsed, let negativeNumber { return negativeNumber + "\n" + command.usage }
    // The parser takes an error that a running command throws for one of the program as a whole.
    if isParsed { return SelfCDCommand.message(for: error) + "\n" + command.usage }
    let text = SelfCDCommand.fullMessage(for: error)
    return text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text
  }

  /// The message where help was called for by a slip only: the parser reads `-alpha` as `-a -l -p -h -a`. Nil where
  /// somebody wants help.
  var messageInsteadOfHelp: String? {
    let calls = ["h", "help", "help-hidden"].flatMap { ["-" + $0, "--" + $0] }
    guard arguments.first != "help", !arguments.contains(where: calls.contains),
      let unknownOption, !unknownOption.name.hasPrefix("--"), unknownOption.name.count > 2,
      unknownOption.name.contains("h")
    else { return nil }
    return unknownOption.text + "\n" + command.usage
  }

  private var unknownCommand: String? {
    let known = named.shownSubcommands.compactMap(\.path.last)
    guard !known.isEmpty, let word = arguments.dropFirst(depth).first, !word.hasPrefix("-"), word != "help"
    else { return nil }
    let nearest = NearestName.of(word, among: known)
    // Behind a group that has a command of its own, the word may be an argument of that: a file, a model.
    if named.defaultSubcommand != nil, nearest == nil || word.contains(where: { "./:".contains($0) }) {
      return nil
    }
    return "There is no command '\(word)'. "
      + (nearest.map { "Did you mean '\($0)'?" } ?? "There are \(known.joined(separator: ", ")).")
  }

  private var unknownOption: (name: String, text: String)? {
    let known = command.options
    for argument in arguments.dropFirst(depth) {
      if argument == "--" { return nil }
      guard let name = Self.optionName(argument), !known.contains(name),
        let remedy = advice(for: name, known: known)
      else { continue }
      return (name: name, text: "Unknown option '\(name)'. \(remedy)")
    }
    return nil
  }

  /// What is said of a negative number behind an option that takes none, which the parser takes for an option itself and
  /// then misses a value.
  private var negativeNumber: String? {
    let text = SelfCDCommand.message(for: error)
    guard text.hasPrefix("Missing value for '"),
      let option = text.split(whereSeparator: { "' ".contains($0) })
        .first(where: { $0.hasPrefix("-") }).map(String.init),
      let place = arguments.indices.dropLast().first(where: { index in
        arguments[index] == option && arguments[index + 1].hasPrefix("-")
          && Double(arguments[index + 1]) != nil
      })
    else { return nil }
    let least = isRefused("0", at: place + 1) ? 1 : 0
    return "\(option) is \(arguments[place + 1]), but it must be \(least) or more."
  }

  /// Whether a value in another's place is refused as too small.
  private func isRefused(_ value: String, at place: Int) -> Bool {
    var changed = arguments
    changed[place] = value
    do {
      _ = try SelfCDCommand.parseAsRoot(changed)
      return false
    } catch {
      let text = SelfCDCommand.message(for: error)
      return text.contains("1 or more") || text.contains("from 1 to") || text.contains("above 0")
    }
  }

  /// `--data` of `--data=x`; nil for what is no option: text, numbers, standard input.
  private static func optionName(_ argument: String) -> String? {
    guard argument.hasPrefix("-"), let name = argument.split(separator: "=").first.map(String.init) else {
      return nil
    }
    if name.hasPrefix("--") { return name }
    guard let letter = name.dropFirst().first, letter.isLetter,
      name.allSatisfy({ $0.isLetter || $0.isNumber || "-_.".contains($0) })
    else { return nil }
    return name
  }

  /// What to type instead; nil for a word with one hyphen that may be several short options or a value.
  private func advice(for name: String, known: Set<String>) -> String? {
    let isWord = !name.hasPrefix("--") && name.count > 2
    if isWord, let value = Self.joinedNumber(in: name), known.contains(String(name.prefix(2))) {
      return "Did you mean '\(name.prefix(2)) \(value)'?"
    }
    let meant = nearest(to: name, among: known)
    let option = isWord ? "-" + name : name
    let owners = CommandSyntax.root.leaves.filter { $0.options.contains(option) }
      .map { $0.path.dropFirst().joined(separator: " ") }.joined(separator: ", ")
    if let meant {
      return "Did you mean '\(meant)'?"
        + (owners.isEmpty || meant == option ? "" : " '\(option)' is an option of \(owners).")
    }
    if owners.isEmpty { return isWord ? nil : "'\(command.title) --help' lists those there are." }
    let subject = isWord ? "'\(option)'" : "It"
    return named.path.count == 1
      ? "\(subject) is an option of \(owners), and stands behind the command's name."
      : "\(subject) is an option of \(owners), not of \(command.path.dropFirst().joined(separator: " "))."
  }

  /// The option that was meant by `name`, which is none.
  private func nearest(to name: String, among known: Set<String>) -> String? {
    let word = String(name.drop { $0 == "-" })
    if !name.hasPrefix("--"), name.count == 2 {
      return ["-" + word.lowercased(), "-" + word.uppercased()].first(where: known.contains)
    }
    guard name.hasPrefix("--") || word.count > 2 else { return nil }
    let long = known.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) }.sorted()
    return NearestName.of(word, among: long, synonyms: OptionSynonyms.all).map { "--" + $0 }
  }

  /// `5` of `-n5`, which the parser does not take apart.
  private static func joinedNumber(in name: String) -> Substring? {
    let rest = name.dropFirst(2)
    return Double(rest) != nil && !rest.contains(where: \.isLetter) ? rest : nil
  }
}
