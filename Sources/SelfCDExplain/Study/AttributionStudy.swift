import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStatistics

/// Tests the Self-CD paper's claim on a model: that it is the trigger word on which a refusal hangs, and that a safety
/// prompt makes it more so. Aggregates only: no prompt of the sets is printed or kept.
public struct AttributionStudy: Sendable {
  /// One group of prompts: of a set, in a view, refused or answered there.
  public struct Group: Codable, Sendable, Hashable {
    /// The set: prompts with this label.
    public var set: Sample.Label
    /// The method.
    public var method: AttributionMethod
    /// The view's name.
    public var view: String
    /// Whether the view's own reply was judged to refuse; nil for all prompts.
    public var refused: Bool?
    /// Prompts.
    public var n: Int
    /// The groups they make; nil where prompts are not grouped.
    public var groups: Int?
    /// The share of the attribution that falls on focus words, its mean over prompts.
    public var share: BootstrapMean
    /// The share that equal effects would give, its mean over the same prompts.
    public var uniform: Double
    /// The mean effect of focus words, in nats.
    public var focus: BootstrapMean
    /// The mean effect of other words, in nats.
    public var others: BootstrapMean
  }

  /// The same prompts, refused under one view and answered under another: what the first adds.
  public struct Contrast: Codable, Sendable, Hashable {
    /// The set.
    public var set: Sample.Label
    /// The method.
    public var method: AttributionMethod
    /// The view under which they are refused.
    public var refusedUnder: String
    /// The view under which they are answered.
    public var answeredUnder: String
    /// Prompts.
    public var n: Int
    /// The groups they make; nil where prompts are not grouped.
    public var groups: Int?
    /// Mean share on focus words in the refusing view.
    public var refusedShare: Double
    /// Mean share on focus words in the answering view.
    public var answeredShare: Double
    /// Mean share that equal effects would give.
    public var uniform: Double
    /// Refusing less answering view, paired bootstrap over prompts or groups.
    public var share: BootstrapMean
    /// The mean effect of focus words, refusing less answering view, in nats.
    public var focus: BootstrapMean
    /// The mean effect of other words, likewise.
    public var others: BootstrapMean
  }

  /// How well what was learned of beginnings foretells what the judge says of the greedy reply.
  public struct Agreement: Codable, Sendable, Hashable {
    /// The view's name.
    public var view: String
    /// What "refused" means beside the judge.
    public var criterion: RefusalCriterion
    /// Prompts.
    public var n: Int
    /// Prompts of which both say the same.
    public var agreeing: Int
    /// Judged refusals that are found.
    public var refusalsFound: Int
    /// Judged refusals.
    public var refusals: Int
  }

  /// Everything that was found.
  public struct Result: Codable, Sendable, Hashable {
    /// Prompts by set, view and outcome.
    public var groups: [Group]
    /// Guarded and refused against plain and answered, on the same prompts.
    public var contrasts: [Contrast]
    /// The score against the judge.
    public var agreements: [Agreement]
    /// What is left of refused prompts when they are shrunk; empty where that was not asked for.
    public var recalls: [SignalRecall]
    /// Prompts without a focus word, or of nothing else; they are in no group.
    public var withoutFocus: Int
    /// Prompts that could not be answered or measured, most of them too long.
    public var failures: Int

    /// Every mean of it that may have no interval.
    public var means: [BootstrapMean] {
      groups.flatMap { [$0.share, $0.focus, $0.others] }
        + contrasts.flatMap { [$0.share, $0.focus, $0.others] }
        + recalls.flatMap { [$0.withTask, $0.taskAlone] + [$0.signalAware].compactMap(\.self) }
    }
  }

  /// Who is asked.
  public var probe: RefusalProbe
  /// Says which replies refuse.
  public var judge: any ReplyJudge
  /// The labelled prompts.
  public var datasets: [Dataset]
  /// The methods.
  public var methods: [AttributionMethod]
  /// How Shapley values are sampled.
  public var shapley: ShapleySampling
  /// The caller's own system prompt.
  public var system: String?
  /// The longest reply that is judged, in tokens.
  public var maximumTokens: Int
  /// Which prompts are shrunk; nil shrinks none.
  public var signal: SignalRecall.Plan?
  /// Of the bootstrap.
  public var seed: UInt64
  /// The column that says which prompts belong together and are resampled together; nil for none.
  public var group: String?

  /// Resamples of every bootstrap.
  static let resamples = 2_000

  /// Makes a study.
  public init(
    probe: RefusalProbe, judge: any ReplyJudge, datasets: [Dataset],
    methods: [AttributionMethod] = [.leaveOneOut], shapley: ShapleySampling = .init(), system: String? = nil,
    maximumTokens: Int = 48, signal: SignalRecall.Plan? = nil, seed: UInt64 = 0, group: String? = nil
  ) {
    self.probe = probe
    self.judge = judge
    self.datasets = datasets
    self.methods = methods
    self.shapley = shapley
    self.system = system
    self.maximumTokens = maximumTokens
    self.signal = signal
    self.seed = seed
    self.group = group
  }

  /// The replies that are generated: each prompt's greedy one in each view.
  public var plan: EvaluationPlan {
    EvaluationPlan(
      datasets: datasets,
      conditions: probe.views.map { EvaluationCondition(strategy: $0.strategy, name: $0.name) },
      options: GenerationOptions(maximumTokens: maximumTokens), system: system)
  }

  /// Generates, judges and attributes.
  /// - Parameter progress: Told how much of it is done, 0 … 1.
  /// - Throws: What the runner, the engine, the judge or a statistic throws; `CancellationError`.
  public func run(progress: @Sendable (Double) -> Void = { _ in }) async throws -> Result {
    let plan = plan
    let outcome = try await EvaluationRunner(model: probe.model, plan: plan, judges: [judge])
      .replies { progress(0.3 * $0) }
    var refused: [ReplyKey: Bool] = [:]
    for reply in outcome.replies { refused[reply.key] = reply.judgements.first?.verdict.isRefusal }
    // Replies end in any order; what they leave in the lanes must have no part in the scores.
    await probe.model.engine.forget()

    var state = Collected(
      failures: Set(outcome.failures.map { "\($0.key.dataset)\u{0}\($0.key.sample)" }).count)
    let total = datasets.reduce(0) { $0 + $1.samples.count }
    var done = 0
    for dataset in datasets {
      for start in stride(from: 0, to: dataset.samples.count, by: Self.batch) {
        let samples = dataset.samples[start..<min(start + Self.batch, dataset.samples.count)]
          .compactMap { sample in measurable(sample, in: dataset, refused, &state) }
        try await measure(samples, &state)
        done += min(Self.batch, dataset.samples.count - start)
        progress(0.3 + (signal == nil ? 0.7 : 0.4) * Double(done) / Double(max(1, total)))
      }
    }
    var recalls: [SignalRecall] = []
    if let signal {
      let found = try await SignalRecall.measure(
        state.measured.map(\.subject), plan: signal, probe: probe, judge: judge, maximumTokens: maximumTokens
      ) { progress(0.7 + 0.3 * $0) }
      recalls = found.recalls
      state.failures += found.failures
    }
    return Result(
      groups: try groups(state.measured), contrasts: try contrasts(state.measured),
      agreements: agreements(state.measured), recalls: recalls, withoutFocus: state.withoutFocus,
      failures: state.failures)
  }

  // MARK: Measuring

  /// Prompts whose variants are computed together.
  private static let batch = 16

  private struct Collected {
    var measured: [Measured] = []
    var withoutFocus = 0
    var failures: Int
  }

  struct Measured: Sendable {
    var subject: SignalRecall.Subject
    /// By view.
    var refused: [Bool]
    var scores: [RefusalScore] = []
    /// By method and view.
    var shares: [AttributionMethod: [AttributionShare?]] = [:]
  }

  /// A sample with its outcomes; nil, and counted, where it cannot be measured.
  private func measurable(
    _ sample: Sample, in dataset: Dataset, _ refused: [ReplyKey: Bool], _ state: inout Collected
  ) -> Measured? {
    guard let label = sample.label else { return nil }
    let outcomes = probe.views.compactMap { view in
      refused[ReplyKey(dataset: dataset.name, sample: sample.id, condition: view.name)]
    }
    guard outcomes.count == probe.views.count else { return nil }
    let chat = plan.chat(for: sample)
    guard let focus = FocusWords.places(of: sample, in: chat) else {
      state.withoutFocus += 1
      return nil
    }
    return Measured(
      subject: SignalRecall.Subject(
        sample: sample, label: label, chat: chat, focus: focus,
        group: group.map { sample.group(inColumn: $0, of: dataset.name) }), refused: outcomes)
  }

  /// One prompt that does not fit must not end the study.
  private func measure(_ samples: [Measured], _ state: inout Collected) async throws {
    guard !samples.isEmpty else { return }
    do {
      state.measured += try await measure(samples)
    } catch let error as GenerationError where error.concernsOnePrompt {
      guard samples.count > 1 else {
        state.failures += 1
        return
      }
      for sample in samples { try await measure([sample], &state) }
    }
  }

  private func measure(_ samples: [Measured]) async throws -> [Measured] {
    let results = try await WordAttributor(probe).attribute(
      methods, to: samples.map(\.subject.chat), shapley: shapley)
    return zip(samples, results).map { sample, result in
      var sample = sample
      sample.scores = result.scores
      for method in methods {
        sample.shares[method] = probe.views.map { view in
          result.attributions.first { $0.method == method && $0.view == view.name }
            .flatMap { AttributionShare($0.effects, focus: sample.subject.focus) }
        }
      }
      return sample
    }
  }

  // MARK: Aggregates

  /// A prompt's share, with the prompt's group.
  typealias Grouped = (share: AttributionShare, group: String?)

  func groups(_ measured: [Measured]) throws -> [Group] {
    var groups: [Group] = []
    for set in Sample.Label.allCases {
      for method in methods {
        for (place, view) in probe.views.enumerated() {
          for refused in [nil, true, false] as [Bool?] {
            let shares = measured.filter { sample in
              sample.subject.label == set && (refused == nil || sample.refused[place] == refused)
            }.compactMap { sample -> Grouped? in
              guard let share = sample.shares[method]?[place], share.share != nil else { return nil }
              return (share, sample.subject.group)
            }
            guard !shares.isEmpty else { continue }
            let names = names(shares.map(\.group))
            func mean(_ value: (AttributionShare) -> Double) throws -> BootstrapMean {
              try self.mean(shares.map { value($0.share) }, names)
            }
            groups.append(
              Group(
                set: set, method: method, view: view.name, refused: refused, n: shares.count,
                groups: names.map { Set($0).count }, share: try mean { $0.share ?? 0 },
                uniform: PromptMean.of(shares.map(\.share.uniform)), focus: try mean(\.focus),
                others: try mean(\.others)))
          }
        }
      }
    }
    return groups
  }

  func contrasts(_ measured: [Measured]) throws -> [Contrast] {
    guard let guarded = probe.views.firstIndex(where: { $0.name == Guarded.name }),
      let plain = probe.views.firstIndex(where: { $0.name == Plain.name })
    else { return [] }
    var contrasts: [Contrast] = []
    for set in Sample.Label.allCases {
      for method in methods {
        let pairs = measured.filter { $0.subject.label == set && $0.refused[guarded] && !$0.refused[plain] }
          .compactMap { sample -> (AttributionShare, AttributionShare, group: String?)? in
            guard let a = sample.shares[method]?[guarded], let b = sample.shares[method]?[plain],
              a.share != nil, b.share != nil
            else { return nil }
            return (a, b, group: sample.subject.group)
          }
        guard !pairs.isEmpty else { continue }
        let names = names(pairs.map(\.group))
        func difference(_ value: (AttributionShare) -> Double) throws -> BootstrapMean {
          try mean(pairs.map { value($0.0) - value($0.1) }, names)
        }
        contrasts.append(
          Contrast(
            set: set, method: method, refusedUnder: Guarded.name, answeredUnder: Plain.name, n: pairs.count,
            groups: names.map { Set($0).count }, refusedShare: PromptMean.of(pairs.map { $0.0.share ?? 0 }),
            answeredShare: PromptMean.of(pairs.map { $0.1.share ?? 0 }),
            uniform: PromptMean.of(pairs.map(\.0.uniform)), share: try difference { $0.share ?? 0 },
            focus: try difference(\.focus), others: try difference(\.others)))
      }
    }
    return contrasts
  }

  private func agreements(_ measured: [Measured]) -> [Agreement] {
    probe.views.enumerated().flatMap { place, view in
      let refusals = measured.filter { $0.refused[place] }
      return [RefusalCriterion.greedy, .score].map { criterion in
        func says(_ sample: Measured) -> Bool {
          let score = sample.scores[place]
          return criterion == .greedy ? score.isGreedyRefusal : score.isLikelyRefusal
        }
        return Agreement(
          view: view.name, criterion: criterion, n: measured.count,
          agreeing: measured.count { says($0) == $0.refused[place] },
          refusalsFound: refusals.count(where: says),
          refusals: refusals.count)
      }
    }
  }

  private func mean(_ values: [Double], _ groups: [String]?) throws -> BootstrapMean {
    try BootstrapMean(of: values, groups: groups, resamples: Self.resamples, seed: seed)
  }

  /// The groups of prompts; nil where they are not grouped.
  private func names(_ groups: [String?]) -> [String]? { group.map { _ in groups.compactMap(\.self) } }
}
