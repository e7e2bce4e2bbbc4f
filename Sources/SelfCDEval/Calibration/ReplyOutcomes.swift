import SelfCDData
import SelfCDJudges

/// What became of each prompt under each condition: the data that calibration tests.
///
/// Built once from stored replies, so that testing, confirming and simulating read the same numbers.
public struct ReplyOutcomes: Sendable, Hashable {
  /// What a reply does, as far as calibration cares.
  public enum Outcome: Sendable, Hashable {
    /// A full refusal.
    case refused
    /// A refusal that answers in part.
    case partial
    /// The request is answered.
    case answered
    /// No reply worth the name: neither a refusal nor an answer.
    case degenerate
    /// The judge said nothing about it.
    case unjudged

    /// What a judge's class comes to; nil is no verdict.
    public init(_ replyClass: ReplyClass?) {
      switch replyClass {
      case .fullRefusal: self = .refused
      case .partialRefusal: self = .partial
      case .fullCompliance: self = .answered
      case .degenerate: self = .degenerate
      case nil: self = .unjudged
      }
    }

    /// Whether the request, or part of it, is refused.
    public var isRefusal: Bool { self == .refused || self == .partial }
  }

  /// One prompt.
  public struct Prompt: Sendable, Hashable {
    /// Whether it should be refused.
    public var isHarmful: Bool
    /// One outcome per condition, in the order of ``ReplyOutcomes/conditions``.
    public var outcomes: [Outcome]
    /// The group that it stands and falls with; nil where prompts are taken as independent.
    public var group: String?

    /// Makes a prompt.
    public init(isHarmful: Bool, outcomes: [Outcome], group: String? = nil) {
      self.isHarmful = isHarmful
      self.outcomes = outcomes
      self.group = group
    }
  }

  /// The conditions' identifiers, the reference first.
  public var conditions: [String]
  /// The prompts that have a reply under every condition.
  public var prompts: [Prompt]
  /// Prompts left out because a reply is missing, for example where a prompt was too long for the model.
  public var incomplete: Int

  /// Makes a table from its parts.
  public init(conditions: [String], prompts: [Prompt], incomplete: Int = 0) {
    self.conditions = conditions
    self.prompts = prompts
    self.incomplete = incomplete
  }

  /// Reads a run's replies. Neutral prompts are left out: they belong to neither axis.
  /// - Parameters:
  ///   - replies: Replies of a run, any order; only first repetitions count, so that every prompt counts once.
  ///   - datasets: The prompts to read; replies to others are passed over.
  ///   - reference: The condition whose refusals must not be lost.
  ///   - candidates: The other conditions.
  ///   - judge: Whose verdicts count.
  ///   - version: In which version; nil takes the one that ``JudgeVersions`` says.
  ///   - group: The column that says which prompts belong together; nil for none.
  public init(
    _ replies: [EvaluatedReply], of datasets: [Dataset], reference: String, candidates: [String],
    judge: String, version: String? = nil, group: String? = nil
  ) {
    let version = version ?? replies.version(of: judge) ?? ""
    let conditions = [reference] + candidates
    let places = Dictionary(uniqueKeysWithValues: zip(conditions, conditions.indices))
    let wanted = Set(
      datasets.flatMap { set in set.samples.map { ReplyKey(dataset: set.name, sample: $0.id, condition: "") }
      })
    var order: [ReplyKey] = []
    var rows: [ReplyKey: (isHarmful: Bool, outcomes: [Outcome?], group: String?)] = [:]
    for reply in replies where wanted.contains(reply.key.withoutCondition) {
      guard let label = reply.sample.label, label != .neutral, let place = places[reply.key.condition]
      else { continue }
      let key = reply.key.withoutCondition
      if rows[key] == nil {
        order.append(key)
        rows[key] = (
          label == .harmful, Array(repeating: nil, count: conditions.count),
          // A prompt without a group is one of its own.
          group.map { reply.sample.value(ofColumn: $0) ?? "\(key.dataset)/\(key.sample)" }
        )
      }
      rows[key]?.outcomes[place] = Outcome(reply.replyClass(by: judge, version: version))
    }
    self.conditions = conditions
    prompts = order.compactMap { key in
      guard let row = rows[key] else { return nil }
      let outcomes = row.outcomes.compactMap(\.self)
      return outcomes.count == conditions.count
        ? Prompt(isHarmful: row.isHarmful, outcomes: outcomes, group: row.group) : nil
    }
    incomplete = order.count - prompts.count
  }

  /// The counts of every condition, in their order.
  /// - Parameter rule: What counts as a loss.
  public func counts(_ rule: LossRule) -> [CalibrationCounts] {
    conditions.indices.map { index in
      prompts.reduce(into: CalibrationCounts()) { $0.add($1, condition: index, rule: rule) }
    }
  }

  /// Replies without a verdict, by condition and class of prompt.
  public var missingVerdicts: [MissingVerdicts] {
    [true, false].flatMap { isHarmful in
      let prompts = prompts.filter { $0.isHarmful == isHarmful }
      return conditions.indices.map { index in
        MissingVerdicts(
          condition: conditions[index], isHarmful: isHarmful,
          missing: prompts.count { $0.outcomes[index] == .unjudged }, replies: prompts.count)
      }
    }
  }

  /// How many replies of one condition to one class of prompts have no verdict.
  public struct MissingVerdicts: Sendable, Hashable {
    /// The condition.
    public var condition: String
    /// Whether it is about the harmful prompts.
    public var isHarmful: Bool
    /// Replies without a verdict.
    public var missing: Int
    /// All replies.
    public var replies: Int

    /// Whether they are so many that figures would describe the judge: more than 3, and more than 1 in 100.
    public var areTooMany: Bool { missing > max(3, replies / 100) }
  }

  /// The prompts that are wanted by group, in the order in which the groups come first; nil without groups.
  func byGroup(_ isWanted: (Prompt) -> Bool) -> [[Prompt]]? {
    guard prompts.contains(where: { $0.group != nil }) else { return nil }
    var places: [String: Int] = [:]
    var groups: [[Prompt]] = []
    for prompt in prompts where isWanted(prompt) {
      guard let name = prompt.group else { continue }
      if let place = places[name] {
        groups[place].append(prompt)
      } else {
        places[name] = groups.count
        groups.append([prompt])
      }
    }
    return groups
  }
}
