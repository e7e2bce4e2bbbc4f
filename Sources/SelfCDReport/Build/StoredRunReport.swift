import SelfCD
import SelfCDEval
import SelfCDRuns
import SelfCDStore
import SelfCDSupport

extension ReportRun {
  /// What a report shows of a stored run.
  /// - Parameters:
  ///   - id: The run's identifier.
  ///   - store: Where it is kept.
  ///   - options: How the report is made; what they leave open is as the evaluation had it, so that its figures and the
  ///     report's are the same.
  /// - Throws: `StoreError`, ``ReportError``, `StatisticsError`.
  public init(id: String, in store: RunStore, options: ReportOptions = ReportOptions()) throws {
    let run = try store.run(id: id)
    // A run of another program may have settings of its own.
    let settings = try? RunSettings(of: run)
    var options = options
    if options.judge == nil {
      let judges = try store.judges(runID: id).map(\.name)
      options.judge = settings?.judges.first { judges.contains($0) }
    }
    options.baseline = options.baseline ?? settings?.reference
    options.group = options.group ?? settings?.groupColumn
    if let settings, settings.imported == nil {
      options.maximumTokens = options.maximumTokens ?? settings.options.maximumTokens
    }
    var report = try ReportBuilder(
      record: ReportRecord(run), datasets: try store.datasets(runID: id),
      conditions: try store.conditions(runID: id).map {
        ReportCondition(id: $0.id, strategy: $0.strategy, alpha: $0.alpha)
      },
      replies: try store.replies(runID: id), options: options, speeds: try store.speeds(runID: id)
    ).build()
    if let imported = settings?.imported { report.remarks.insert(imported.remark, at: 0) }
    self = report
  }
}

extension ReportRecord {
  /// What a store knows of a run.
  init(_ run: RunRecord) {
    var facts: [Fact] = [
      .init("Program", run.codeVersion),
      .init("Seeds", run.seeds.isEmpty ? "none" : run.seeds.map(String.init).joined(separator: ", ")),
      .init("Machine", run.machine.summary),
    ]
    facts += (run.model.adapters ?? []).map { .init("Adapter", $0.summary) }
    facts += run.model.metadata.sorted { $0.key < $1.key }.map { .init("Model, \($0.key)", $0.value) }
    facts.append(.init("Parameters", run.publishedParameters))
    self.init(
      id: run.id, model: run.model.name, modelSHA256: run.model.sha256, startedAt: run.startedAt,
      finishedAt: run.finishedAt, planned: run.planned, facts: facts)
  }
}
