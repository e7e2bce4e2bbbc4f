import SelfCDJudges
import SelfCDStatistics

/// Repeats an audit on made-up runs whose truth is known, and counts how often its bound and its intervals fail.
public struct AuditSimulation: Codable, Sendable, Hashable {
  /// How the judge errs.
  public enum Fault: String, Codable, Sendable, CaseIterable {
    /// On every text alike, in both directions.
    case everywhere
    /// Only on the candidate's answers to harmful prompts, which it calls refusals: what hides losses most.
    case hidingLosses = "hiding-losses"
  }

  /// Prompts of each label.
  public var prompts: Int
  /// The share of prompts with the same text under both conditions.
  public var identical: Double
  /// The share of harmful prompts that the reference truly refuses.
  public var refused: Double
  /// The share of the reference's refusals that the candidate truly loses where the texts differ.
  public var lost: Double
  /// The share of harmless prompts that the reference truly leaves unanswered.
  public var unanswered: Double
  /// The share of those that the candidate answers where the texts differ.
  public var gained: Double
  /// How often the judge errs.
  public var judgeError: Double
  /// On what it errs.
  public var errs: Fault
  /// Pairs to read beyond those whose verdict changed; nil for all.
  public var sample: Int?

  /// Describes a population, a judge and an audit.
  public init(
    prompts: Int = 1000, identical: Double = 0.4, refused: Double = 0.9, lost: Double = 0.02,
    unanswered: Double = 0.5, gained: Double = 0.6, judgeError: Double, errs: Fault = .everywhere,
    sample: Int? = AuditDesign.usualSample
  ) {
    self.prompts = prompts
    self.identical = identical
    self.refused = refused
    self.lost = lost
    self.unanswered = unanswered
    self.gained = gained
    self.judgeError = judgeError
    self.errs = errs
    self.sample = sample
  }

  /// What was counted.
  public struct Report: Codable, Sendable, Hashable {
    /// Repetitions.
    public var repetitions: Int
    /// The true loss rate.
    public var trueLoss: Double
    /// Repetitions in which the bound that includes the judge is below the truth.
    public var boundFails: Int
    /// The exact 95 % interval of that share.
    public var failureInterval: ConfidenceInterval
    /// Repetitions in which the bound by verdicts alone is below the truth.
    public var judgedBoundFails: Int
    /// Repetitions in which the bound on these very prompts is below their own loss rate.
    public var rateHereFails: Int
    /// The bound that includes the judge, on average.
    public var meanBound: Double
    /// Corrected rates whose interval holds the truth, of ``intervals``.
    public var ratesCovered: Int
    /// Differences whose interval holds the truth, of `2 * repetitions`.
    public var differencesCovered: Int
    /// Rates by verdicts alone whose interval holds the truth, of ``intervals``.
    public var judgedRatesCovered: Int
    /// Rates with an interval: two conditions on two sets in each repetition.
    public var intervals: Int
  }

  /// The share of the reference's refusals that the candidate truly loses.
  public var trueLoss: Double { (1 - identical) * lost }

  /// Draws runs, audits them, and compares with the truth.
  /// - Throws: `StatisticsError` for no repetitions or prompts.
  public func run(
    repetitions: Int, seed: UInt64, confidence: Double = 0.95
  ) throws(StatisticsError) -> Report {
    guard repetitions >= 1, prompts >= 1 else { throw .empty(what: "the simulated audits") }
    var generator = Xoshiro256StarStar(seed: seed)
    var (fails, judgedFails, hereFails, covered, judgedCovered, differences) = (0, 0, 0, 0, 0, 0)
    var bounds = 0.0
    for _ in 0..<repetitions {
      let drawn = draw(&generator)
      var readings: [Int: AuditEstimates.Reading] = [:]
      for place in AuditDesign(sample: sample).places(in: drawn.pairs, using: &generator) {
        readings[place] = drawn.truth[place]
      }
      let estimates = try AuditEstimates(
        drawn.pairs, readings: readings, reference: "reference", candidate: "candidate",
        readsAll: sample == nil, confidence: confidence)
      guard let losses = estimates.losses else { continue }
      bounds += losses.audited.bound
      fails += losses.audited.bound < trueLoss ? 1 : 0
      judgedFails += (losses.judgedBound ?? 1) < trueLoss ? 1 : 0
      hereFails += losses.audited.rateHere < drawn.lossRate ? 1 : 0
      for axis in estimates.axes {
        let before = axis.set == .harmful ? refused : unanswered
        let after = before * (1 - (1 - identical) * (axis.set == .harmful ? lost : gained))
        for (rate, truth) in [(axis.reference, before), (axis.candidate, after)] {
          covered += rate.corrected.low <= truth && truth <= rate.corrected.high ? 1 : 0
          if let judged = rate.judged { judgedCovered += judged.low <= truth && truth <= judged.high ? 1 : 0 }
        }
        let truth = before - after
        differences += axis.difference.low <= truth && truth <= axis.difference.high ? 1 : 0
      }
    }
    return Report(
      repetitions: repetitions, trueLoss: trueLoss, boundFails: fails,
      failureInterval: try ClopperPearson.interval(successes: fails, trials: repetitions),
      judgedBoundFails: judgedFails, rateHereFails: hereFails, meanBound: bounds / Double(repetitions),
      ratesCovered: covered, differencesCovered: differences, judgedRatesCovered: judgedCovered,
      intervals: 4 * repetitions)
  }

  private struct Run {
    var pairs: [AuditPair] = []
    var truth: [AuditEstimates.Reading] = []
    /// The loss rate among these very prompts.
    var lossRate = 0.0
  }

  private func draw(_ generator: inout Xoshiro256StarStar) -> Run {
    var run = Run()
    var (lost, trials) = (0, 0)
    for number in 0..<(2 * prompts) {
      let isHarmful = number < prompts
      let isIdentical = generator.uniform() < identical
      let before: ReplyClass =
        generator.uniform() < (isHarmful ? refused : unanswered) ? .fullRefusal : .fullCompliance
      let moves = generator.uniform() < (isHarmful ? self.lost : gained)
      let after: ReplyClass =
        !isIdentical && moves && before == .fullRefusal ? .fullCompliance : before
      if isHarmful, before == .fullRefusal {
        trials += 1
        lost += after == .fullRefusal ? 0 : 1
      }
      let first = verdict(before, isHarmful: isHarmful, isCandidate: false, &generator)
      let second =
        isIdentical ? first : verdict(after, isHarmful: isHarmful, isCandidate: true, &generator)
      run.pairs.append(
        AuditPair(
          dataset: isHarmful ? "harmful" : "safe", sample: "\(number)", isHarmful: isHarmful, prompt: "",
          reference: .init(text: "a", verdict: first),
          candidate: .init(text: isIdentical ? "a" : "b", verdict: second)))
      run.truth.append(.init(reference: before, candidate: after))
    }
    run.lossRate = trials > 0 ? Double(lost) / Double(trials) : 0
    return run
  }

  private func verdict(
    _ truth: ReplyClass, isHarmful: Bool, isCandidate: Bool, _ generator: inout Xoshiro256StarStar
  ) -> ReplyClass {
    let errs = generator.uniform() < judgeError
    switch self.errs {
    case .everywhere:
      return errs ? (truth == .fullRefusal ? .fullCompliance : .fullRefusal) : truth
    case .hidingLosses:
      return errs && isHarmful && isCandidate && truth == .fullCompliance ? .fullRefusal : truth
    }
  }
}
