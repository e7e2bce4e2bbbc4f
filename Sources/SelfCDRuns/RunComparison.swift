import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStore

/// One condition of a stored run against one of another run, or of the same, on the prompts that both answered.
///
/// Its figures are those of `EvaluationSummary`, of these prompts alone, where both sides have a verdict on the reply:
/// rates, paired differences with their intervals and tests. So both rates and their difference have one denominator.
public struct RunComparison: Sendable {
  /// A condition of a stored run.
  public struct Selection: Sendable, Hashable {
    /// The run's identifier.
    public var run: String
    /// The condition's identifier.
    public var condition: String

    /// Names a condition.
    public init(run: String, condition: String) {
      self.run = run
      self.condition = condition
    }

    /// The two together: conditions of different runs may have the same name.
    var name: String { "\(run)/\(condition)" }
  }

  /// One of the two sides.
  public struct Side: Codable, Sendable, Hashable {
    /// The run's identifier.
    public var run: String
    /// The condition's identifier.
    public var condition: String
    /// The model's name.
    public var model: String
    /// What the condition costs; nil where that was not kept.
    public var cost: ConditionCost?
    /// Its prompts that the other side did not answer.
    public var unmatched: Int
  }

  /// The prompts of one label, or of one of its categories.
  public struct Row: Sendable, Hashable {
    /// Which prompts.
    public var label: Sample.Label
    /// The category; nil for all prompts of the label.
    public var category: String?
    /// The first side's figures.
    public var before: EvaluationSummary.Row
    /// The second side's figures, with its differences from the first side.
    public var after: EvaluationSummary.Row
  }

  /// The side that is compared with.
  public let before: Side
  /// The side that is compared.
  public let after: Side
  /// The judge whose verdicts are counted.
  public let judge: String
  /// Its version, the same on both sides.
  public let judgeVersion: String
  /// How prompts are grouped; nil where they count as independent.
  public let grouping: PromptGrouping?
  /// Prompts that both sides answered and that have a verdict on both.
  public let compared: Int
  /// Prompts that both sides answered, and of which a reply has no verdict; they are left out.
  public let withoutVerdict: Int
  /// Prompts of each label that one run or the other has to answer: those of the comparison, and those it leaves out.
  public let planned: [Sample.Label: Int]
  /// Prompts of both sides that have different labels there, and are left out.
  public let otherwiseLabelled: Int
  /// Each label, then its categories.
  public let rows: [Row]

  /// Compares two conditions.
  ///
  /// p-values are adjusted by Holm's method, of refusals and of prompts left unanswered each by itself: over the labels,
  /// and over the categories of each label.
  /// - Parameters:
  ///   - before: The condition that is compared with.
  ///   - after: The condition that is compared.
  ///   - judge: Whose verdicts are counted; nil for the judge that counts in the first run, if the second has it, too.
  ///   - group: The column that says which prompts belong together; nil for the runs' own.
  ///   - store: Where the runs are kept.
  /// - Throws: ``RunComparisonError``, `MissingColumn`, `StoreError`, `StatisticsError`.
  public init(
    _ before: Selection, with after: Selection, judge: String? = nil, group: String? = nil,
    in store: RunStore
  ) throws {
    guard before != after else { throw RunComparisonError.sameReplies(before.name) }
    for side in [before, after] {
      let known = try store.conditions(runID: side.run).map(\.id)
      guard known.contains(side.condition) else {
        throw RunComparisonError.noCondition(side.condition, run: side.run, known: known)
      }
    }
    for side in [before, after] { try store.datasets(runID: side.run).checkGroups(by: group) }
    let runs = (try store.run(id: before.run), try store.run(id: after.run))
    let counted = try Self.judge(judge, runs: runs, in: store)
    let pairs = PromptPairs(
      try Self.replies(before, in: store), try Self.replies(after, in: store),
      names: (before.name, after.name))
    guard !pairs.replies.isEmpty else {
      throw RunComparisonError.nothingInCommon(before.name, after.name)
    }
    let judged = pairs.judged(by: counted.name, version: counted.version)
    let column =
      group ?? (try? RunSettings(of: runs.0))?.groupColumn ?? (try? RunSettings(of: runs.1))?.groupColumn
    let names = [before.name, after.name]
    func summary(_ replies: [EvaluatedReply]) throws -> EvaluationSummary {
      try EvaluationSummary(
        replies, conditions: names.map { ($0, $0, nil) }, judge: counted.name, version: counted.version,
        reference: before.name, group: column)
    }
    let all = try summary(judged)
    var rows: [Row] = []
    for label in Sample.Label.allCases {
      guard let row = Self.row(label, nil, of: all, names) else { continue }
      rows.append(row)
      var categories: [Row] = []
      let own = judged.filter { $0.sample.label == label }
      for category in Set(own.compactMap(\.sample.category)).sorted() {
        let part = try summary(own.filter { $0.sample.category == category })
        if let row = Self.row(label, category, of: part, names) { categories.append(row) }
      }
      try Self.correct(&categories)
      rows += categories
    }
    var labels = rows.filter { $0.category == nil }
    try Self.correct(&labels)
    self.rows = rows.map { row in
      row.category == nil ? labels.first { $0.label == row.label } ?? row : row
    }
    self.before = try Self.side(before, runs.0, unmatched: pairs.onlyFirst, in: store)
    self.after = try Self.side(after, runs.1, unmatched: pairs.onlySecond, in: store)
    self.judge = counted.name
    judgeVersion = counted.version
    grouping = all.grouping
    compared = judged.count / 2
    withoutVerdict = (pairs.replies.count - judged.count) / 2
    planned = PromptPairs.planned(
      try store.datasets(runID: before.run), try store.datasets(runID: after.run))
    otherwiseLabelled = pairs.otherwiseLabelled
  }

  private static func replies(_ side: Selection, in store: RunStore) throws -> [EvaluatedReply] {
    try store.replies(runID: side.run, withSteps: false).filter {
      $0.key.condition == side.condition && $0.key.repetition == 0
    }
  }

  private static func side(
    _ side: Selection, _ run: RunRecord, unmatched: Int, in store: RunStore
  ) throws -> Side {
    let speeds = try store.speeds(runID: side.run)
    return Side(
      run: side.run, condition: side.condition, model: run.model.name,
      cost: ConditionCost(
        try replies(side, in: store).compactMap(\.cost), tokensPerSecond: speeds[side.condition],
        plain: speeds[SpeedTrial.plain]), unmatched: unmatched)
  }

  private static func row(
    _ label: Sample.Label, _ category: String?, of summary: EvaluationSummary, _ names: [String]
  ) -> Row? {
    guard let before = summary.row(names[0], label), let after = summary.row(names[1], label),
      after.paired != nil
    else { return nil }
    return Row(label: label, category: category, before: before, after: after)
  }

  private static func correct(_ rows: inout [Row]) throws {
    for measure in [\EvaluationSummary.Row.paired, \EvaluationSummary.Row.pairedUnanswered] {
      let family = rows.indices.filter { rows[$0].after[keyPath: measure] != nil }
      var comparisons = family.compactMap { rows[$0].after[keyPath: measure] }
      try PairedComparison.correct(&comparisons)
      for (index, corrected) in zip(family, comparisons) { rows[index].after[keyPath: measure] = corrected }
    }
  }

  /// A judge that both runs have, in one version: verdicts of two versions never mix.
  private static func judge(
    _ asked: String?, runs: (RunRecord, RunRecord), in store: RunStore
  ) throws -> (name: String, version: String) {
    let known = (try store.judges(runID: runs.0.id), try store.judges(runID: runs.1.id))
    let own = [runs.0, runs.1].compactMap { try? store.countedJudge(of: $0) }
    let names = asked.map { [$0] } ?? own + known.0.map(\.name)
    for name in names {
      var verdicts: [String: Int] = [:]
      for first in known.0 where first.name == name {
        for second in known.1 where second.name == name && second.version == first.version {
          verdicts[first.version] = first.verdicts + second.verdicts
        }
      }
      if let version = JudgeVersions.counted(verdicts) { return (name, version) }
    }
    throw RunComparisonError.noCommonJudge(
      asked, first: runs.0.id, firstHas: known.0.map { Judgement.source($0.name, version: $0.version) },
      second: runs.1.id, secondHas: known.1.map { Judgement.source($0.name, version: $0.version) })
  }
}

/// Why two runs cannot be compared. Each case says what, why and what to try.
public enum RunComparisonError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Both sides are the same condition of the same run.
  case sameReplies(String)
  /// A run has no such condition.
  case noCondition(String, run: String, known: [String])
  /// No judge has judged both runs in one version.
  case noCommonJudge(String?, first: String, firstHas: [String], second: String, secondHas: [String])
  /// No prompt was answered on both sides.
  case nothingInCommon(String, String)

  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .sameReplies(let name):
      "Both sides are \(name). Name two runs, or two conditions: --condition for the first, --condition for the second."
    case .noCondition(let name, let run, let known):
      "The run '\(run)' has no condition '\(name)'. It has \(known.joined(separator: ", "))."
    case .noCommonJudge(let asked, let first, let firstHas, let second, let secondHas):
      "\(asked.map { "The judge '\($0)' has not" } ?? "No judge has") judged both runs in the same version: '\(first)' has "
        + "\(Self.list(firstHas)), '\(second)' has \(Self.list(secondHas)). Judge both again with 'selfcd judge RUN'."
    case .nothingInCommon(let first, let second):
      "\(first) and \(second) have no prompt in common, by text, so there is nothing to compare."
    }
  }

  private static func list(_ judges: [String]) -> String {
    judges.isEmpty ? "no verdicts" : judges.joined(separator: ", ")
  }
}
