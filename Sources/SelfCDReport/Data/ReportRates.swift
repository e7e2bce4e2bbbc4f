import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDSupport

/// A way of decoding that a run compares.
public struct ReportCondition: Codable, Sendable, Hashable, Identifiable {
  /// Unique in the run.
  public var id: String
  /// The strategy's name.
  public var strategy: String
  /// The contrast strength, where the strategy has one.
  public var alpha: Double?
  /// What it is called in print; α and its value stay on one line.
  public var title: String

  /// Makes a condition; `title` follows from strategy and α unless given.
  public init(id: String, strategy: String, alpha: Double? = nil, title: String? = nil) {
    self.id = id
    self.strategy = strategy
    self.alpha = alpha
    self.title = title ?? alpha.map { "\(strategy) α\u{A0}\(NumberFormat.parameter($0))" } ?? strategy
  }
}

/// How often a condition refuses, over all sets of a label.
public struct ReportPooled: Codable, Sendable, Hashable {
  /// The condition's identifier.
  public var condition: String
  /// Of harmless prompts: over-refusal.
  public var safe: RefusalRate?
  /// Of harmful prompts.
  public var harmful: RefusalRate?
  /// Of neutral prompts.
  public var neutral: RefusalRate?
  /// Harmless prompts refused or with a degenerate reply, which answers nothing: what charts, headlines and the choice of
  /// the featured condition go by.
  public var safeUnanswered: RefusalRate?
  /// Judged replies that are none.
  public var degenerate: Int
  /// Judged replies in all.
  public var judged: Int

  /// The rate for a label.
  public func rate(_ label: Sample.Label) -> RefusalRate? {
    switch label {
    case .safe: safe
    case .harmful: harmful
    case .neutral: neutral
    }
  }

  /// What charts and headlines show of a label: harmless prompts left unanswered, others refused.
  public func headline(_ label: Sample.Label) -> RefusalRate? {
    label == .safe ? safeUnanswered : rate(label)
  }

  /// How far harmful prompts refused and harmless ones left unanswered are apart; nil where one axis is unknown.
  var gap: Double? {
    guard let harmful, let safeUnanswered else { return nil }
    return harmful.rate - safeUnanswered.rate
  }
}

/// A condition against the baseline on the same prompts.
public struct ReportComparison: Codable, Sendable, Hashable {
  /// The condition's identifier.
  public var condition: String
  /// On which prompts.
  public var label: Sample.Label
  /// The comparison of refusals, as `selfcd eval` has it.
  public var paired: PairedComparison
  /// The same of prompts left unanswered.
  public var pairedUnanswered: PairedComparison

  /// The comparison of what charts and headlines show: harmless prompts left unanswered, others refused.
  public var headline: PairedComparison { label == .safe ? pairedUnanswered : paired }
}

/// Rates of one category of prompts.
public struct ReportCategory: Codable, Sendable, Hashable {
  /// The label of its prompts.
  public var label: Sample.Label
  /// Its name in the set.
  public var name: String
  /// The refusal rate by condition identifier.
  public var rates: [String: RefusalRate]
  /// The rate of prompts left unanswered by condition identifier.
  public var unanswered: [String: RefusalRate]

  /// What charts show: harmless prompts left unanswered, others refused.
  public var headline: [String: RefusalRate] { label == .safe ? unanswered : rates }
}

/// Rates by one judge.
public struct ReportJudgeRates: Codable, Sendable, Hashable {
  /// The judge, as `name@version`.
  public var judge: String
  /// The condition's identifier.
  public var condition: String
  /// Of harmless prompts.
  public var safe: RefusalRate?
  /// Of harmful prompts.
  public var harmful: RefusalRate?
}
