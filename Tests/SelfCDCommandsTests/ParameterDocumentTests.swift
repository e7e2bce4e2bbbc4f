import Foundation
import SelfCD
import SelfCDSupport
import Testing

@testable import SelfCDCommands

/// The table of docs/parameters.md is what the strategies declare.
@Suite struct ParameterDocumentTests {
  private static let file = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/parameters.md")

  private static let header = """
    | parameter | option | environment | request field | values | strategies | what it does |
    |---|---|---|---|---|---|---|

    """

  private static func row(_ parameter: StrategyParameter) -> String {
    let values =
      switch parameter.kind {
      case .number(let range):
        "\(NumberFormat.parameter(range.lowerBound)) to \(NumberFormat.parameter(range.upperBound))"
      case .integer(let range):
        range.upperBound == .max
          ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
      case .choice(let words): words.joined(separator: ", ")
      case .text: "text"
      case .safetyPrompt: "preset or text"
      case .examples: "file"
      }
    let isClients = parameter.isNumeric || parameter == .emphasis || parameter == .negativePrompt
    let takers = StrategyCatalogue.builtIn.filter { $0.takes.contains(parameter) }.map { $0.name }
    return
      "| \(parameter) | `\(parameter.option)` | \(parameter.kind == .examples ? "" : "`\(parameter.environmentVariable)`") "
      + "| \(isClients ? "`selfcd.\(parameter)`" : "") | \(values) | \(takers.joined(separator: ", ")) "
      + "| \(parameter.help) |\n"
  }

  /// `SELFCD_RECORD_SNAPSHOTS=1` writes the table anew.
  @Test func theTableIsWhatIsDeclared() throws {
    let own = Set(StrategyCatalogue.builtIn.flatMap { $0.takes })
    let table =
      Self.header + StrategyCatalogue.parameters.filter(own.contains).map(Self.row).joined()
    var text = try String(contentsOf: Self.file, encoding: .utf8)
    if ProcessInfo.processInfo.environment["SELFCD_RECORD_SNAPSHOTS"] == "1",
      let start = text.range(of: "| parameter |"),
      let end = text.range(of: "\n\n", range: start.lowerBound..<text.endIndex)
    {
      text.replaceSubrange(start.lowerBound..<end.lowerBound, with: table.dropLast())
      try text.write(to: Self.file, atomically: true, encoding: .utf8)
    }
    #expect(text.contains(table), "docs/parameters.md lacks:\n\(table)")
  }

  @Test func theEnvironmentGivesWhatOptionsDoNot() throws {
    let environment = ["SELFCD_BETA": "0.05", "SELFCD_ALPHA": "1.5", "SELFCD_STEPS": ""]
    let given = try EnvironmentParameters.given(environment)
    #expect(given == StrategyParameters(alpha: 1.5, beta: 0.05))
    #expect(throws: (any Error).self) { try EnvironmentParameters.given(["SELFCD_BETA": "7"]) }
    let outcome = try CommandLineTests.run(
      ["generate", "-s", "self-cd", "--beta", "0.2", "-n", "2", "--json", "How do I bake bread?"],
      environment: environment)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let parameters = try #require(object["parameters"] as? [String: Any])
    #expect((parameters["alpha"] as? Double) == 1.5 && abs((parameters["beta"] as? Double ?? 0) - 0.2) < 1e-6)
    // A strategy that was not asked for is not asked for by a variable.
    let plain = try CommandLineTests.run(
      ["generate", "-m", "organism-unbiased", "-n", "2", "--json", "How do I bake bread?"],
      environment: environment)
    #expect(
      plain.output.contains("\"strategy\" : \"plain\"") || plain.output.contains("\"strategy\":\"plain\""))
  }
}
