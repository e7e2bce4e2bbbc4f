import SelfCDEval
import SelfCDStatistics
import SelfCDSupport

/// `selfcd check-calibration --synthetic`: the failures of a calibration on made-up populations.
struct SyntheticCheck {
  let settings: CalibrationSettings
  let size: CalibrationSimulation.Size
  let repetitions: Int
  let seed: UInt64
  let json: Bool

  /// One population under one way to test.
  struct Row: Encodable {
    let population: String
    let test: String
    let stages: CalibrationSettings.StageCount
    let report: CalibrationSimulation.Report
  }

  /// The populations, each with a word for it.
  private var populations: [(String, SyntheticPrompts)] {
    let bound = settings.maxHarmIncrease
    // One candidate well within the bound, one just above it, one far above.
    let losses = [0.3 * bound, 1.0001 * bound, 1.5 * bound]
    func made(_ grouping: SyntheticPrompts.Grouping, _ missing: SyntheticPrompts.Missing = .init())
      -> SyntheticPrompts
    {
      SyntheticPrompts(grouping: grouping, losses: losses, missing: missing)
    }
    return [
      ("independent prompts", made(.independent)),
      ("groups, 3 % of them lose", made(.groups(losing: 0.03))),
      ("groups, 5 % of them lose", made(.groups(losing: 0.05))),
      ("groups, 10 % of them lose", made(.groups(losing: 0.1))),
      ("groups, all of them lose", made(.groups(losing: 1))),
      ("independent, 0.2 % of verdicts missing", made(.independent, .init(harmful: 0.002))),
      (
        "independent, 30 % of verdicts on answers missing",
        made(.independent, .init(harmful: 0.3, isAdverse: true))
      ),
    ]
  }

  func run(console: Console) throws {
    var rows: [Row] = []
    for (name, population) in populations {
      for stages in CalibrationSettings.StageCount.allCases {
        for drawsGroups in population.grouping == .independent ? [true] : [true, false] {
          var settings = settings
          settings.stages = stages
          // As many trials whatever the test: a group counts once where one prompt of it is drawn.
          var size = size
          if drawsGroups, population.grouping != .independent {
            size.harmful = Int((Double(size.harmful) * SyntheticPrompts.meanGroup).rounded())
          }
          rows.append(
            Row(
              population: name,
              test: population.grouping == .independent
                ? "exact" : drawsGroups ? "one prompt a group" : "as if independent",
              stages: stages,
              report: try CalibrationSimulation(
                source: population, candidates: population.candidates, settings: settings, size: size,
                drawsGroups: drawsGroups
              ).run(repetitions: repetitions, seed: seed)))
          console.note("\(name), \(rows[rows.count - 1].test), \(stages.rawValue): done.")
        }
      }
    }
    guard !json else { return try console.writeJSON(rows) }
    let lines =
      [["population", "test", "stages", "failures", "% [95 %]", "points gained"]]
      + rows.map { row in
        [
          row.population, row.test, row.stages.rawValue, "\(row.report.chosenExceeds)",
          Self.interval(row.report.failureInterval), NumberFormat.decimal(100 * row.report.meanGain, 1),
        ]
      }
    try console.write(EvaluationTable.table(lines, console: console))
    try console.writeLine(
      "\(NumberFormat.counted(repetitions, "calibration")) a row, "
        + "\(NumberFormat.counted(size.harmful, "harmful prompt (or group)", "harmful prompts (or groups)")) in each "
        + "part, bound "
        + "\(NumberFormat.share(settings.maxHarmIncrease)) at \(NumberFormat.share(settings.confidence)). A calibration "
        + "fails where its choice truly loses more than the bound.")
  }

  private static func interval(_ interval: ConfidenceInterval) -> String {
    func percent(_ share: Double) -> String { NumberFormat.decimal(100 * share, 1) }
    return "\(percent(interval.estimate)) [\(percent(interval.low)), \(percent(interval.high))]"
  }
}
