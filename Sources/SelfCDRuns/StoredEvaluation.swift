import SelfCDData
import SelfCDEval
import SelfCDStore

/// A stored run with its figures.
public struct StoredEvaluation: Sendable {
  /// The run.
  public let run: RunRecord
  /// Its data sets.
  public let datasets: [Dataset]
  /// Its settings.
  public let settings: RunSettings
  /// Its figures.
  public let summary: EvaluationSummary
  /// Replies that are stored.
  public let replies: Int
  /// The identifiers of its conditions, in their order.
  public let conditions: [String]

  /// Reads a run and computes its figures.
  /// - Parameters:
  ///   - runID: The run.
  ///   - judge: Whose verdicts are counted; nil for the first of the run's judges that has any.
  ///   - version: Those of which of the judge's versions; nil for the one that `JudgeVersions` says.
  ///   - group: The column that says which prompts belong together; nil for the run's own.
  ///   - store: Where the run is kept.
  /// - Throws: ``RunError``, `MissingColumn`, `StoreError`, `StatisticsError`.
  public init(
    runID: String, judge: String? = nil, version: String? = nil, group: String? = nil, in store: RunStore
  ) throws {
    run = try store.run(id: runID)
    datasets = try store.datasets(runID: runID)
    try datasets.checkGroups(by: group)
    settings = try RunSettings(of: run)
    let replies = try store.replies(runID: runID)
    self.replies = replies.count
    let records = try store.conditions(runID: runID)
    conditions = records.map(\.id)
    summary = try EvaluationSummary(
      replies, conditions: records.map { ($0.id, $0.strategy, $0.alpha) },
      judge: try judge ?? store.countedJudge(of: run) ?? "", version: version, reference: settings.reference,
      speeds: try store.speeds(runID: runID), group: group ?? settings.groupColumn)
  }
}

extension RunStore {
  /// The judge whose verdicts are counted where none is named: the first of the run's judges that has any.
  /// - Throws: ``RunError``, `StoreError`.
  public func countedJudge(of run: RunRecord) throws -> String? {
    let own = try RunSettings(of: run).judges
    // One that is a model may have failed, or not been asked yet.
    let judged = try Set(judges(runID: run.id).map(\.name))
    return own.first(where: judged.contains) ?? own.first
  }
}
