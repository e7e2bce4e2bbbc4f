/// How a report is made of a run.
public struct ReportOptions: Codable, Sendable, Hashable {
  /// What a report holds of every prompt and reply, for a reader to look through.
  public enum Samples: String, Codable, Sendable, CaseIterable {
    /// Nothing: a page without a script, with a few examples.
    case none
    /// Verdicts without any text.
    case verdicts
    /// Verdicts and texts, as far as ``ReportOptions/showsHarmful`` allows these.
    case texts
  }

  /// Whether replies to harmful and unlabelled prompts may be shown.
  public var showsHarmful: Bool
  /// The judge to count by, as `name` or `name@version`; nil takes the one with most verdicts.
  public var judge: String?
  /// The condition that others are compared with; nil takes the guarded one, else the first.
  public var baseline: String?
  /// The column that says which prompts belong together, so that intervals resample whole groups; nil takes prompts as
  /// independent.
  public var group: String?
  /// Examples shown of each kind.
  public var examples: Int
  /// Characters of a prompt or reply that are shown.
  public var textLimit: Int
  /// What the report holds of every prompt and reply.
  public var samples: Samples
  /// The most tokens of a reply, for the remark on replies that were cut; nil where that is not known.
  public var maximumTokens: Int?

  /// Makes options.
  /// - Parameters:
  ///   - showsHarmful: Whether replies to harmful and unlabelled prompts may be shown.
  ///   - judge: The judge to count by.
  ///   - baseline: The condition that others are compared with.
  ///   - group: The column that says which prompts belong together.
  ///   - examples: Examples shown of each kind.
  ///   - textLimit: Characters of a prompt or reply that are shown.
  ///   - samples: What the report holds of every prompt and reply.
  ///   - maximumTokens: The most tokens of a reply, for the remark on replies that were cut.
  public init(
    showsHarmful: Bool = false, judge: String? = nil, baseline: String? = nil, group: String? = nil,
    examples: Int = 6, textLimit: Int = 900, samples: Samples = .none, maximumTokens: Int? = nil
  ) {
    self.showsHarmful = showsHarmful
    self.judge = judge
    self.baseline = baseline
    self.group = group
    self.examples = examples
    self.textLimit = textLimit
    self.samples = samples
    self.maximumTokens = maximumTokens
  }
}

/// Why a report cannot be made.
public enum ReportError: Error, Equatable, Codable, Sendable, CustomStringConvertible {
  /// The run has no reply that a judge has judged.
  case nothingJudged(run: String)
  /// No verdict is by the judge asked for.
  case unknownJudge(name: String, known: [String])

  /// What, why, what to try.
  public var description: String {
    switch self {
    case .nothingJudged(let run):
      "The run '\(run)' has no judged replies, so there is nothing to report. Let it finish, or judge its replies."
    case .unknownJudge(let name, let known):
      "No verdict of the run is by a judge '\(name)'. Judges there are: \(known.joined(separator: ", "))."
    }
  }
}
