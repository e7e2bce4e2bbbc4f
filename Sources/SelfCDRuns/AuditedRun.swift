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
  /// The column of whose groups one prompt each is audited; nil where prompts are not grouped.
  public let group: String?
  /// The prompts with both replies.
  public let pairs: [AuditPair]
  /// Prompts that lack one of the two replies.
  public let incomplete: Int
  /// Prompts that are left out since another one of their group was drawn.
  public let notDrawn: Int
  /// What the run counts as a loss, where it is a calibration; the usual rule elsewhere.
  public let lossRule: LossRule

  /// Reads a run to write a sheet of it.
  /// - Parameters:
  ///   - id: The run's whole identifier.
  ///   - reference: The condition that is compared with, or its strategy where only one condition has that; nil takes the
  ///     run's own, else `guarded`, else the first.
  ///   - candidate: The condition that is compared, or its strategy where only one other condition has that; nil takes the
  ///     other one where there are two.
  ///   - judge: Whose verdicts are audited; nil for the judge whose verdicts the run counts.
  ///   - group: The column that says which prompts belong together, of which one each is audited; nil takes the run's own.
  ///   - seed: Of the draw of one prompt a group.
  ///   - store: Where the run is kept.
  /// - Throws: ``AuditError`` for conditions and judges that the run does not have; `StoreError`.
  public init(
    id: String, reference: String? = nil, candidate: String? = nil, judge: String? = nil,
    group: String? = nil, seed: UInt64 = 0, in store: RunStore
  ) throws {
    let run = try store.run(id: id)
    // A run of another program may have settings of its own.
    let settings = try? RunSettings(of: run)
    let conditions = try store.conditions(runID: id)
    let known = conditions.map(\.id)
    let before =
      try reference.map { try Self.condition($0, of: conditions, run: id) }
      ?? settings?.reference ?? (known.contains(Guarded.name) ? Guarded.name : known.first ?? "")
    let others = conditions.filter { $0.id != before }
    // The reference by its own name is a mistake that is told apart further down.
    let named = try candidate.map {
      try $0 == before ? $0 : Self.condition($0, of: others, run: id)
    }
    guard let after = named ?? (others.count == 1 ? others.first?.id : nil) else {
      throw AuditError.noCandidate(run: id, known: others.map(\.id))
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
      group: group ?? settings?.groupColumn, seed: seed, rule: settings?.calibration?.settings.lossRule,
      in: store)
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
      id: id, reference: key.reference, candidate: key.candidate, judge: key.judge, group: key.group,
      seed: key.design.seed, rule: settings?.calibration?.settings.lossRule, in: store)
  }

  /// The condition that is meant by its identifier, or by its strategy's name where only one has that strategy.
  /// - Throws: `AuditError.ambiguousCondition` where several have it. A name that is none is found out later.
  private static func condition(
    _ name: String, of conditions: [ConditionRecord], run: String
  ) throws(AuditError) -> String {
    guard !conditions.contains(where: { $0.id == name }) else { return name }
    let matches = conditions.filter { $0.strategy == name }.map(\.id)
    guard matches.count < 2 else { throw .ambiguousCondition(name, run: run, matches: matches) }
    return matches.first ?? name
  }

  private init(
    id: String, reference: String, candidate: String, judge: AuditKey.Judge, group: String?, seed: UInt64,
    rule: LossRule?, in store: RunStore
  ) throws {
    let known = try store.conditions(runID: id).map(\.id)
    for name in [reference, candidate] where !known.contains(name) {
      throw AuditError.unknownCondition(name, run: id, known: known)
    }
    guard reference != candidate else { throw AuditError.sameCondition(reference) }
    (self.id, self.reference, self.candidate, self.judge) = (id, reference, candidate, judge)
    self.group = group
    lossRule = rule ?? LossRule()
    let all = AuditPair.pairs(
      of: try store.replies(runID: id, withSteps: false), reference: reference, candidate: candidate,
      judge: judge.name, version: judge.version, group: group)
    pairs = group == nil ? all.pairs : AuditPair.onePerGroup(all.pairs, seed: seed)
    (incomplete, notDrawn) = (all.incomplete, all.pairs.count - pairs.count)
  }

  /// The sheet for a reader, with its key.
  /// - Throws: `AuditError.noPairs` where no prompt has both replies, `EncodingError`.
  public func sheet(_ design: AuditDesign) throws -> AuditSheet {
    try AuditSheet(
      pairs, design: design, run: id, reference: reference, candidate: candidate, judge: judge,
      group: group)
  }
}
