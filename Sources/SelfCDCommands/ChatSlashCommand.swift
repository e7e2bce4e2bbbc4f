import Foundation
import SelfCD
import SelfCDSupport

/// A line of the chat that is meant for the program.
enum ChatSlashCommand: Equatable {
  case help
  case quit
  case reset
  case retry
  /// Switches to another strategy; without a name, shows the current one.
  case strategy(name: String?, alpha: Float?)
  /// Sets another strength; without a number, shows the current one.
  case alpha(Float?)
  case system(System)

  /// What `/system` asks for.
  enum System: Equatable {
    /// To see the system prompt in force.
    case show
    /// To have none of one's own.
    case delete
    /// To set another one.
    case text(String)
  }

  /// How each is typed, and what it does.
  private static let usages: [(usage: String, meaning: String)] = [
    (
      "/strategy [NAME [NUMBER]]",
      "switch to one of \(StrategyCatalogue.names.joined(separator: ", ")), or profile; "
        + "without a name, show the current one"
    ),
    ("/alpha [NUMBER]", "contrast with that strength; without a number, show it"),
    ("/system [TEXT]", "set your own system prompt, 'none' deletes it; without a text, show it"),
    ("/retry", "answer the last question again"),
    ("/reset", "forget the conversation"),
    ("/quit", "end the chat"),
  ]

  static let helpText =
    "commands:\n"
    + usages.map { "  \(TextLayout.pad($0.usage, to: 27))\($0.meaning)" }.joined(separator: "\n")

  /// Reads a line that begins with '/'.
  /// - Throws: ``ChatSlashError`` for what is no command, `StrategyError` for what is no strength.
  init(parsing line: String) throws {
    let parts = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
    let command = parts.first.map { $0.lowercased() } ?? line
    let argument = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
    let words = argument.split(whereSeparator: \.isWhitespace).map(String.init)
    func takes(atMost count: Int) throws(ChatSlashError) {
      guard words.count > count else { return }
      throw .tooMuch(words[count], usage: Self.usage(of: command))
    }
    switch command {
    case "/help", "/?": self = .help
    case "/quit", "/exit":
      try takes(atMost: 0)
      self = .quit
    case "/reset":
      try takes(atMost: 0)
      self = .reset
    case "/retry":
      try takes(atMost: 0)
      self = .retry
    case "/system":
      self = .system(
        argument.isEmpty ? .show : argument.lowercased() == "none" ? .delete : .text(argument))
    case "/alpha":
      try takes(atMost: 1)
      let alpha = try words.first.flatMap { try Self.strength($0) }
      self = .alpha(alpha)
    case "/strategy":
      try takes(atMost: 2)
      let alpha = try words.dropFirst().first.flatMap { try Self.strength($0) }
      self = .strategy(name: words.first, alpha: alpha)
    default:
      let known = Self.usages.map { Self.name(in: $0.usage) } + ["/help", "/exit"]
      throw ChatSlashError.unknown(command, nearest: NearestName.of(command, among: known))
    }
  }

  private static func strength(_ text: String) throws(StrategyError) -> Float? {
    guard case .number(let value) = try StrategyParameter.alpha.value(of: text) else { return nil }
    return value
  }

  private static func usage(of command: String) -> String {
    usages.first { name(in: $0.usage) == command }?.usage ?? command
  }

  private static func name(in usage: String) -> String { String(usage.prefix { $0 != " " }) }
}

/// Why a line of the chat that is meant for the program cannot be obeyed.
enum ChatSlashError: Error, Equatable, CustomStringConvertible {
  case unknown(String, nearest: String?)
  case tooMuch(String, usage: String)
  case noProfile
  /// A strength beside the profile, which has its own.
  case profileHasStrength(Float)
  /// The strategy has no α; `remedy` says what to type.
  case noStrength(strategy: String, remedy: String)

  var description: String {
    switch self {
    case .unknown(let command, let nearest):
      "unknown command '\(command)'; \(nearest.map { "did you mean '\($0)'? " } ?? "")/help lists them."
    case .tooMuch(let word, let usage):
      "'\(word)' is one word too many; the command is '\(usage)'."
    case .noProfile: "there is no profile; start with --profile."
    case .profileHasStrength(let alpha):
      "the profile sets its own strength. Type '/strategy profile', then '/alpha "
        + "\(NumberFormat.parameter(alpha))'."
    case .noStrength(let strategy, let remedy): "'\(strategy)' has no α; \(remedy)."
    }
  }
}
