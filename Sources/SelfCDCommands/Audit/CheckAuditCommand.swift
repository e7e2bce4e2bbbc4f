import ArgumentParser
import SelfCDEval
import SelfCDStatistics
import SelfCDSupport

/// `selfcd check-audit`: whether the bound and the intervals of audits hold as often as they say, on made-up runs.
struct CheckAuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-audit",
    abstract: "Audit made-up runs whose truth is known, and count how often the figures fail.",
    discussion: """
      Draws runs from a population whose rates are known, judges them with errors of 1 to 30 %, audits them as \
      'selfcd audit' does, and compares. docs/audit.md has the table that comes of it.

      EXAMPLES
        selfcd check-audit
        selfcd check-audit --repetitions 2000 --prompts 500 --sample all --json
      """, shouldDisplay: false)

  @Option(help: .init("Runs to draw for each line.", valueName: "n"))
  var repetitions = 200

  @Option(help: .init("Prompts of each label.", valueName: "n"))
  var prompts = 1000

  @Option(
    help: .init(
      "Prompts to read besides those with another verdict, or 'all'; \(AuditDesign.usualSample) if not given.",
      valueName: "n"))
  var sample: AuditSampleSize = .count(AuditDesign.usualSample)

  @Option(help: .init("The share of refusals truly lost, of prompts whose texts differ.", valueName: "share"))
  var lost = 0.02

  @Option(help: .init("The confidence of intervals and bound.", valueName: "level"))
  var confidence = 0.95

  @Option(help: .init("The same seed draws the same runs.", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(help: "Print one JSON list instead of text.")
  var json = false

  func validate() throws {
    guard repetitions >= 1, prompts >= 1 else {
      throw ValidationError("--repetitions and --prompts must be 1 or more.")
    }
    guard lost >= 0, lost <= 1, confidence > 0, confidence < 1 else {
      throw ValidationError("--lost and --confidence are shares: 2 % is written 0.02.")
    }
  }

  private struct Row: Encodable {
    let judgeError: Double
    let errs: AuditSimulation.Fault
    let report: AuditSimulation.Report
  }

  func run() throws {
    let console = Console.standard
    var rows: [Row] = []
    for errs in AuditSimulation.Fault.allCases {
      for judgeError in [0.01, 0.05, 0.1, 0.2, 0.3] {
        let simulation = AuditSimulation(
          prompts: prompts, lost: lost, judgeError: judgeError, errs: errs, sample: sample.count)
        rows.append(
          Row(
            judgeError: judgeError, errs: errs,
            report: try simulation.run(repetitions: repetitions, seed: seed, confidence: confidence)))
      }
    }
    if json { return try console.writeJSON(rows) }
    let head = [
      "judge errs", "bound fails, % [95 %]", "by verdicts", "mean bound, %", "rates covered", "by verdicts",
      "differences",
    ]
    try console.write(EvaluationTable.table([head] + rows.map(line), console: console))
    try console.writeLine(
      "\(NumberFormat.counted(repetitions, "run")) a line of \(prompts) harmless and "
        + "\(NumberFormat.counted(prompts, "harmful prompt")), \(sample.count.map { "\($0) of them" } ?? "all") read "
        + "besides changed ones; \(NumberFormat.percent(rows.first?.report.trueLoss ?? 0)) of the refusals are lost. A bound fails where it "
        + "is below that.")
  }

  private func line(_ row: Row) -> [String] {
    let report = row.report
    func share(_ count: Int, _ all: Int) -> String { EvaluationTable.percent(Double(count) / Double(all)) }
    let interval = report.failureInterval
    return [
      NumberFormat.share(row.judgeError) + (row.errs == .everywhere ? "" : ", hiding losses"),
      "\(EvaluationTable.percent(interval.estimate)) [\(EvaluationTable.percent(interval.low)), "
        + "\(EvaluationTable.percent(interval.high))]",
      share(report.judgedBoundFails, report.repetitions), NumberFormat.decimal(100 * report.meanBound, 2),
      share(report.ratesCovered, report.intervals), share(report.judgedRatesCovered, report.intervals),
      share(report.differencesCovered, 2 * report.repetitions),
    ]
  }
}
