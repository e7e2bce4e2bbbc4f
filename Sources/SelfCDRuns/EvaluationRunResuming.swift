import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStore
import SelfCDSupport

// How a stored run goes on where it stopped: with its own settings, on the same model and files, and only with the
// replies that are missing.
extension EvaluationRun {
  /// Takes up a stored run; its own settings hold.
  /// - Parameters:
  ///   - run: The run.
  ///   - judges: Judges of the run, those that are models with what they are reached by; nil for its rules alone.
  ///   - model: The model's file, which has to be the run's.
  ///   - files: What the caller named again, which has to be what the run began with.
  ///   - store: Where it is kept.
  /// - Throws: ``RunError`` where model, files or judges are others than the run's, `StoreError`.
  public init(
    resuming run: RunRecord, judges asked: [any ReplyJudge]? = nil, model: ModelFile,
    checking files: [Dataset]? = nil, in store: RunStore
  ) throws {
    let settings = try RunSettings.resumable(run)
    let identity = try model.identity()
    guard identity.sha256 == run.model.sha256 else {
      guard identity.file == run.model.fileSHA256 ?? run.model.sha256 else {
        throw RunError.otherModel(run: run.id, path: model.path)
      }
      throw RunError.otherAdapters(
        run: run.id, own: (run.model.adapters ?? []).map(\.label), given: identity.adapters.map(\.label))
    }
    let datasets = try store.datasets(runID: run.id)
    if let files {
      func fingerprint(_ datasets: [Dataset]) -> Set<String> {
        Set(datasets.map { "\($0.sha256) \($0.samples.map(\.id))" })
      }
      guard fingerprint(files) == fingerprint(datasets) else { throw RunError.otherFiles(run: run.id) }
    }
    let others = (asked ?? []).map(\.name).filter { !settings.judges.contains($0) }
    guard others.isEmpty else {
      throw RunError.otherJudges(run: run.id, own: settings.judges, asked: others)
    }
    let models = (asked ?? []).filter { !($0 is any LocalReplyJudge) }
    let known = JudgeCatalogue.local + models
    // In the run's order: the first one counts.
    judges = settings.judges.compactMap { name in known.first { $0.name == name } }
    missingJudges = settings.judges.filter { name in !known.contains { $0.name == name } }
    id = run.id
    self.store = store
    plan = EvaluationPlan(
      datasets: datasets, conditions: try store.conditions(runID: run.id).map { try $0.condition() },
      options: settings.options, system: settings.system, repetitions: settings.repetitions)
  }

  /// Replies of the plan that are stored already, and so are not generated again.
  /// - Throws: `StoreError`.
  func storedKeys() throws -> Set<ReplyKey> {
    let sets = Set(plan.datasets.map(\.name))
    let conditions = Set(plan.conditions.map(\.id))
    return Set(
      try store.keys(runID: id).filter { sets.contains($0.dataset) && conditions.contains($0.condition) })
  }
}
