import ArgumentParser
import Foundation
import SelfCDCommands
import SelfCDTesting
import Testing

/// What `--help` prints, for every subcommand there is: the file beside the tests is what a person has read.
@Suite struct HelpSnapshotTests {
  /// The names as they are typed, below the program's own.
  private static let commands: [[String]] = [[]] + names(of: SelfCDCommand.self, below: [])

  private static func names(of command: any ParsableCommand.Type, below path: [String]) -> [[String]] {
    command.configuration.subcommands.flatMap { subcommand in
      let name = path + [subcommand._commandName]
      return [name] + names(of: subcommand, below: name)
    }
  }

  @Test(arguments: commands)
  func helpIsAsRead(command: [String]) throws {
    let outcome = try CommandLineTests.run(command + ["--help"], environment: ["COLUMNS": "100"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    let name = (["selfcd"] + command).joined(separator: "-")
    let difference = try Snapshot().difference(of: outcome.output, named: "help/\(name).txt")
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test(arguments: commands.filter { !$0.isEmpty })
  func helpHasExamples(command: [String]) throws {
    let outcome = try CommandLineTests.run(command + ["--help"])
    let examples = try #require(outcome.output.range(of: "EXAMPLES\n"), "\(command)")
    let call = "selfcd " + command.joined(separator: " ")
    #expect(outcome.output[examples.upperBound...].contains(call), "\(call)")
  }

  /// A line that the help breaks is no command any more: none is broken where a terminal has 80 columns, and one that goes
  /// on ends with a backslash.
  @Test(arguments: commands)
  func examplesAreNotWrapped(command: [String]) throws {
    func examples(_ columns: String) throws -> [String] {
      let help = try CommandLineTests.run(command + ["--help"], environment: ["COLUMNS": columns]).output
      let start = try #require(help.range(of: "EXAMPLES\n"), "\(command)")
      let end = try #require(help.range(of: "\n\nUSAGE:"), "\(command)")
      return help[start.upperBound..<end.lowerBound].split(separator: "\n").map(String.init)
    }
    let lines = try examples("80")
    let wide = try examples("400")
    #expect(!lines.isEmpty && lines == wide, "\(command)")
    for (line, previous) in zip(lines, [""] + lines) {
      #expect(line.count <= 76 && line.hasPrefix("  "), "\(line)")
      #expect(line.hasPrefix("    ") == previous.hasSuffix(" \\"), "\(line)")
    }
  }

  /// A number of three parts and a commit: the one that the build was told, where `make` builds and tests.
  @Test func theVersionNamesTheCommit() throws {
    let version = try CommandLineTests.run(["--version"]).output
    let match = try #require(
      version.wholeMatch(of: #/\d+\.\d+\.\d+ \((commit unknown|[0-9A-Za-z\-]+)\)\n/#), "\(version)")
    let told = ProcessInfo.processInfo.environment["SELFCD_COMMIT"] ?? ""
    if !told.isEmpty { #expect(match.1 == told) }
  }
}
