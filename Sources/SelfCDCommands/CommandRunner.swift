import ArgumentParser
import Foundation
import SelfCDLlama

/// Runs the command line and turns whatever goes wrong into one clear message and an exit code.
public enum CommandRunner {
  public static func run(_ arguments: [String]? = nil) async {
    LlamaFatalErrors.exit(withStatus: ExitStatus.failure)
    do {
      var command = try SelfCDCommand.parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as CommandError {
      // Ends quietly: whoever pressed Ctrl-C knows why.
      if case .interrupted = error { Foundation.exit(ExitStatus.interrupted) }
      Console.standard.report(TerminalText.singleLine(error.description))
      Foundation.exit(ExitStatus.failure)
    } catch let error where SelfCDCommand.exitCode(for: error) == .failure {
      Console.standard.report(TerminalText.singleLine("\(error)"))
      Foundation.exit(ExitStatus.failure)
    } catch {
      SelfCDCommand.exit(withError: error)
    }
  }
}

/// Exit codes besides 0 and the 64 that ArgumentParser uses for wrong usage.
enum ExitStatus {
  static let failure: Int32 = 1
  /// 128 + SIGINT, as shells have it.
  static let interrupted: Int32 = 130
}

/// What a command, rather than the model or the engine, finds wrong.
enum CommandError: Error, Equatable, CustomStringConvertible {
  case noQuestion
  case twoQuestions
  case unreadableFile(path: String, reason: String)
  case notText(path: String)
  case outputFailed(reason: String)
  case interrupted
  case invalid(String)

  var description: String {
    switch self {
    case .noQuestion: "There is no question. Give it as an argument, with --file, or on standard input."
    case .twoQuestions: "A question is given both as an argument and with --file. Give one of them."
    case .unreadableFile(let path, let reason): "\(path) cannot be read: \(reason)"
    case .notText(let path): "\(path) is not UTF-8 text. Convert it, for example with iconv."
    case .outputFailed(let reason): "The result could not be written: \(reason)"
    case .interrupted: "Interrupted."
    case .invalid(let reason): reason
    }
  }
}
