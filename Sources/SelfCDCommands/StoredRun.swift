import Foundation
import SelfCDReport
import SelfCDStore
import SelfCDSupport

/// Reads a stored run into what a report shows of it.
enum StoredRun {
  /// The run that was meant: a whole identifier, the beginning of only one, or `latest`.
  static func identifier(_ name: String, in store: RunStore) throws -> String {
    try identifiers([name], in: store)[0]
  }

  /// The runs that were meant: a whole identifier, the beginning of only one, or `latest`.
  static func identifiers(_ names: [String], in store: RunStore) throws -> [String] {
    let known = try store.runs().map(\.id)
    guard let latest = known.first else {
      throw CommandError.invalid("\(store.path) holds no run. Make one with selfcd eval.")
    }
    var result: [String] = []
    for name in names {
      let matches =
        name == "latest" ? [latest] : known.contains(name) ? [name] : known.filter { $0.hasPrefix(name) }
      guard let match = matches.first, !name.isEmpty else {
        throw CommandError.invalid(
          "There is no run '\(name)' in \(store.path). The latest are: \(known.prefix(5).joined(separator: ", "))."
        )
      }
      guard matches.count == 1 else {
        throw CommandError.invalid(
          "'\(name)' may be any of \(matches.prefix(5).joined(separator: ", ")). Give more of it.")
      }
      if !result.contains(match) { result.append(match) }
    }
    return result
  }

  /// One run as it is shown.
  /// - Throws: `StoreError`, ``ReportError``.
  static func report(_ store: RunStore, id: String, options: ReportOptions) throws -> ReportRun {
    let run = try store.run(id: id)
    // What the evaluation counted by, so that its figures and the report's are the same.
    let settings = try? JSONDecoder().decode(Settings.self, from: Data(run.parameters.utf8))
    var options = options
    if options.judge == nil {
      let judges = try store.judges(runID: id).map(\.name)
      options.judge = settings?.judges?.first { judges.contains($0) }
    }
    if options.baseline == nil { options.baseline = settings?.reference }
    let conditions = try store.conditions(runID: id).map {
      ReportCondition(id: $0.id, strategy: $0.strategy, alpha: $0.alpha)
    }
    return try ReportBuilder(
      record: record(run), datasets: try store.datasets(runID: id), conditions: conditions,
      replies: try store.replies(runID: id), options: options, speeds: try store.speeds(runID: id)
    ).build()
  }

  private struct Settings: Decodable {
    let judges: [String]?
    let reference: String?
  }

  private static func record(_ run: RunRecord) -> ReportRecord {
    var facts: [ReportRecord.Fact] = [
      .init("Program", run.codeVersion),
      .init("Seeds", run.seeds.isEmpty ? "none" : run.seeds.map(String.init).joined(separator: ", ")),
      .init(
        "Machine",
        "\(run.machine.processor), \(run.machine.cores) cores, \(NumberFormat.bytes(run.machine.memory)), "
          + run.machine.system),
    ]
    facts += run.model.metadata.sorted { $0.key < $1.key }.map { .init("Model, \($0.key)", $0.value) }
    facts.append(.init("Parameters", run.publishedParameters))
    return ReportRecord(
      id: run.id, model: run.model.name, modelSHA256: run.model.sha256, startedAt: run.startedAt,
      finishedAt: run.finishedAt, planned: run.planned, facts: facts)
  }
}
