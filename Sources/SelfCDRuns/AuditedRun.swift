import SelfCD
import SelfCDEval
import SelfCDJudges
import SelfCDStore

/// A stored run as an audit sees it: the replies of two of its conditions, with one judge's verdicts.
public struct AuditedRun: Sendable {
  /// The run.
  public let id: String
  /// The condition that is compared with.
  public let reference: String
  /// The condition that is compared.
  public let candidate: String
  /// The judge that is audited.
  public let judge: AuditKey.Judge
  /// The prompts with both replies.
  public let pairs: [AuditPair]
  /// Prompts that lack one of the two replies.
  public let incomplete: Int
  /// What the run counts as a loss, where it is a calibration; the usual rule elsewhere.
  public let lossRule: LossRule

  /// Reads a run to write a sheet of it.
  /// - Parameters:
  ///   - id: The run's whole identifier.
  ///   - reference: The condition that is compared with; nil takes the run's own, else `guarded`, else the first.
  ///   - candidate: The condition that is compared; nil takes the other one where there are two.
  ///   - judge: Whose verdicts are audited; nil for the judge whose verdicts the run counts.
  ///   - store: Where the run is kept.
  /// - Throws: ``AuditError`` for conditions and judges that the run does not have; `StoreError`.
  public init(
    id: String, reference: String? = nil, candidate: String? = nil, judge: String? = nil, in store: RunStore
  ) throws {
    let run = try store.run(id: id)
    // A run of another program may have settings of its own.
    let settings = try? RunSettings(of: run)
    let known = try store.conditions(runID: id).map(\.id)
    let before =
      reference ?? settings?.reference ?? (known.contains(Guarded.name) ? Guarded.name : known.first ?? "")
    let others = known.filter { $0 != before }
    guard let after = candidate ?? (others.count == 1 ? others.first : nil) else {
      throw AuditError.noCandidate(run: id, known: others)
    }
    let judges = try store.judges(runID: id)
    let name = judge ?? (try? store.countedJudge(of: run)) ?? judges.first?.name ?? ""
    let own = judges.filter { $0.name == name }
    guard
      let version = JudgeVersions.counted(
        Dictionary(own.map { ($0.version, $0.verdicts) }, uniquingKeysWith: { $1 }))
    else {
      let names = Set(judges.map(\.name)).sorted()
      throw AuditError.notJudged(run: id, judge: name, known: names)
    }
    try self.init(
      id: id, reference: before, candidate: after, judge: .init(name: name, version: version),
      rule: settings?.calibration?.settings.lossRule, in: store)
  }

  /// Reads a run to go on with the sheet that was made of it.
  /// - Parameters:
  ///   - id: The run's whole identifier.
  ///   - key: The sheet's key, which says conditions and judge.
  ///   - store: Where the run is kept.
  /// - Throws: ``AuditError`` for the key of another run, and conditions that the run does not have; `StoreError`.
  public init(id: String, key: AuditKey, in store: RunStore) throws {
    guard key.run == id else { throw AuditError.otherRun(asked: id, own: key.run) }
    let settings = try? RunSettings(of: try store.run(id: id))
    try self.init(
      id: id, reference: key.reference, candidate: key.candidate, judge: key.judge,
      rule: settings?.calibration?.settings.lossRule, in: store)
  }

  private init(
    id: String, reference: String, candidate: String, judge: AuditKey.Judge, rule: LossRule?,
    in store: RunStore
  ) throws {
    let known = try store.conditions(runID: id).map(\.id)
    for name in [reference, candidate] where !known.contains(name) {
      throw AuditError.unknownCondition(name, run: id, known: known)
    }
    guard reference != candidate else { throw AuditError.sameCondition(reference) }
    (self.id, self.reference, self.candidate, self.judge) = (id, reference, candidate, judge)
    lossRule = rule ?? LossRule()
    (pairs, incomplete) = AuditPair.pairs(
      of: try store.replies(runID: id, withSteps: false), reference: reference, candidate: candidate,
      judge: judge.name, version: judge.version)
  }

  /// The sheet for a reader, with its key.
  /// - Throws: `AuditError.noPairs` where no prompt has both replies, `EncodingError`.
  public func sheet(_ design: AuditDesign) throws -> AuditSheet {
    try AuditSheet(
      pairs, design: design, run: id, reference: reference, candidate: candidate, judge: judge)
  }
}
