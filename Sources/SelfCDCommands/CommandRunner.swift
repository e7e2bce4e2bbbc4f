import ArgumentParser
import Foundation
import SelfCDLlama

/// Runs the command line and turns whatever goes wrong into one clear message and an exit code.
public enum CommandRunner {
  public static func run(_ arguments: [String]? = nil) async {
    LlamaFatalErrors.exit(withStatus: ExitStatus.failure)
    /// The command that runs, for its usage line; the root until one is found.
    var running: any ParsableCommand.Type = SelfCDCommand.self
    do {
      var command = try SelfCDCommand.parseAsRoot(arguments)
      running = type(of: command)
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
      let status = SelfCDCommand.exitCode(for: error)
      guard !status.isSuccess else { SelfCDCommand.exit(withError: error) }
      FileHandle.standardError.write(Data(usageMessage(error, running).utf8))
      Foundation.exit(status.rawValue)
    }
  }

  /// Wrong usage as one message in the form of all others, with the usage of the command that it is about.
  static func usageMessage(_ error: any Error, _ command: any ParsableCommand.Type) -> String {
    let parsed = SelfCDCommand.fullMessage(for: error)
    // Found while parsing: the parser knows the command, and writes its own "Error:".
    guard command == SelfCDCommand.self else {
      // Found by the command itself, of which the parser only knows the root.
      let message = SelfCDCommand.message(for: error)
      let usage = SelfCDCommand.usageString(for: command)
      let words = usage.split(separator: " ").prefix { !"[<-".contains($0.first ?? "[") }
      return
        "error: \(message)\nUsage: \(usage)\n  See '\(words.joined(separator: " ")) --help' for more information.\n"
    }
    return (parsed.hasPrefix("Error:") ? "error:" + parsed.dropFirst("Error:".count) : parsed) + "\n"
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
