import ArgumentParser
import Foundation
import SelfCDLlama

/// Runs the command line and turns whatever goes wrong into one clear message and an exit code.
public enum CommandRunner {
  /// Parses the command line and runs its command. A failure is told in one message and ends the process: with exit
  /// code 1, 3 for figures that pass a limit of `--fail-if`, 64 for wrong use, 130 after an interrupt.
  ///
  /// - Parameter arguments: the words behind the program's name; `nil` takes the process's own.
  public static func run(_ arguments: [String]? = nil) async {
    LlamaFatalErrors.exit(withStatus: ExitStatus.failure)
    let arguments = arguments ?? Array(CommandLine.arguments.dropFirst())
    var isParsed = false
    do {
      var command = try SelfCDCommand.parseAsRoot(arguments)
      isParsed = true
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as CommandError {
      // Ends quietly: whoever pressed Ctrl-C knows why.
      if case .interrupted = error { end(ExitStatus.interrupted) }
      if case .rulesBroken = error { fail(error.description, ExitStatus.rulesBroken) }
      fail(error.description, ExitStatus.failure)
    } catch let error where SelfCDCommand.exitCode(for: error) == .failure {
      fail("\(error)", ExitStatus.failure)
    } catch let error where SelfCDCommand.exitCode(for: error) == .validationFailure {
      fail(
        WrongUse(error, arguments: arguments, isParsed: isParsed).message,
        SelfCDCommand.exitCode(for: error).rawValue)
    } catch {
      if let message = WrongUse(error, arguments: arguments, isParsed: isParsed).messageInsteadOfHelp {
        fail(message, ExitCode.validationFailure.rawValue)
      }
      SelfCDCommand.exit(withError: error)
    }
  }

  /// Several lines stay several lines; what could repaint a terminal does not reach it.
  private static func fail(_ message: String, _ status: Int32) -> Never {
    Console.standard.report(TerminalText.sanitized(message))
    end(status)
  }

  /// Not `exit`: an engine may still be computing, and destructors would pull its memory away.
  private static func end(_ status: Int32) -> Never {
    fflush(nil)
    _exit(status)
  }
}

/// Exit codes besides 0 and the 64 that ArgumentParser uses for wrong usage.
enum ExitStatus {
  static let failure: Int32 = 1
  /// The figures are there, and break a rule of `--fail-if`.
  static let rulesBroken: Int32 = 3
  /// 128 + SIGINT, as shells have it.
  static let interrupted: Int32 = 130
}
