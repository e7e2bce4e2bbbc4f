/// What a command, rather than the model or the engine, finds wrong.
enum CommandError: Error, Equatable, CustomStringConvertible {
  case noQuestion
  case twoQuestions
  case unreadableFile(path: String, reason: String)
  case notText(path: String)
  case outputFailed(reason: String)
  case interrupted
  /// Every prompt failed, so that there is nothing to count.
  case nothingAnswered(reason: String?)
  case invalid(String)
  /// Figures pass limits that `--fail-if` sets.
  case rulesBroken([String])

  var description: String {
    switch self {
    case .noQuestion: "There is no question. Give it as an argument, with --file, or on standard input."
    case .twoQuestions: "A question is given both as an argument and with --file. Give one of them."
    case .unreadableFile(let path, let reason): "\(path) cannot be read: \(reason)"
    case .notText(let path): "\(path) is no text in UTF-8 or UTF-16. Convert it, for example with iconv."
    case .outputFailed(let reason): "The result could not be written: \(reason)"
    case .interrupted: "Interrupted."
    case .nothingAnswered(let reason):
      "No prompt could be answered, so there is nothing to count."
        + (reason.map { " The first reason: \($0)" } ?? "")
    case .invalid(let reason): reason
    case .rulesBroken(let messages):
      "\(messages.count == 1 ? "A rule of --fail-if is" : "Rules of --fail-if are") broken:\n"
        + messages.map { "  \($0)" }.joined(separator: "\n")
    }
  }
}
