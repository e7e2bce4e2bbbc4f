import ArgumentParser

/// A command of the tree, with the names that it understands.
struct CommandSyntax {
  let type: any ParsableCommand.Type
  /// How it is called: `selfcd runs show`.
  let path: [String]

  static let root = CommandSyntax(type: SelfCDCommand.self, path: ["selfcd"])

  var title: String { path.joined(separator: " ") }

  var subcommands: [CommandSyntax] {
    type.configuration.subcommands.map {
      CommandSyntax(type: $0, path: path + [$0.configuration.commandName ?? "\($0)".lowercased()])
    }
  }

  /// The subcommands that help lists: those that are hidden are not offered to anyone.
  var shownSubcommands: [CommandSyntax] { subcommands.filter { $0.type.configuration.shouldDisplay } }

  /// The subcommand that is meant where none is named: `describe` of `selfcd model FILE`.
  var defaultSubcommand: CommandSyntax? {
    guard let wanted = type.configuration.defaultSubcommand else { return nil }
    return subcommands.first { ObjectIdentifier($0.type) == ObjectIdentifier(wanted) }
  }

  /// This command, or the commands of this group and of groups within it that help lists.
  var leaves: [CommandSyntax] { subcommands.isEmpty ? [self] : shownSubcommands.flatMap(\.leaves) }

  /// The command or group of commands that arguments name, and how many of them do.
  static func named(by arguments: [String]) -> (command: CommandSyntax, depth: Int) {
    var command = root
    var depth = 0
    for argument in arguments {
      guard let next = command.subcommands.first(where: { $0.path.last == argument }) else { break }
      command = next
      depth += 1
    }
    return (command, depth)
  }

  /// Options as they are typed, `--data` and `-o`, hidden ones too. The parser says what they are only in its help.
  var options: Set<String> {
    Self.options(inHelp: SelfCDCommand.helpMessage(for: type, includeHidden: true, columns: 400))
  }

  /// The options that a help text lists.
  static func options(inHelp help: String) -> Set<String> {
    help.split(separator: "\n").reduce(into: []) { options, line in
      guard line.hasPrefix("  -") else { return }
      // The names stand before two spaces: "  -m, --model <model>    A GGUF file".
      let names = line.dropFirst(2).split(separator: "  ").first ?? ""
      for word in names.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "/" })
      where word.hasPrefix("-") {
        options.insert(String(word))
      }
    }
  }

  /// The usage line, and where to read more.
  var usage: String {
    "Usage: " + SelfCDCommand.usageString(for: type) + "\n  See '\(title) --help' for more information."
  }
}
