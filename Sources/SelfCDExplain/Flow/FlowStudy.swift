import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStatistics

/// Tests the paper's claim by information flow: that what flows from the trigger word dominates where a prompt is
/// refused under a safety prompt, on prompts that have a focus word. Aggregates only.
public struct FlowStudy: Sendable {
  /// One prompt in one view.
  struct Measured: Sendable {
    var set: Sample.Label
    var view: String
    var sample: String
    /// Nil where prompts are not grouped.
    var group: String?
    var refused: Bool
    /// The focus words' part of what flows from the question's words.
    var share: Double
    /// Focus words over words.
    var uniform: Double
    /// The mean part of a word that is none.
    var other: Double
    /// Whether the word from which most flows is a focus word.
    var isFirst: Bool
    /// By layer.
    var layers: [Double]
    /// The question's part of what flows from the whole prompt.
    var question: Double
  }

  /// Prompts of a set in a view, refused or answered there.
  public struct Group: Codable, Sendable, Hashable {
    /// The label of the prompts.
    public var set: Sample.Label
    /// The view, by its name: `guarded` or `plain`.
    public var view: String
    /// `nil` for all prompts.
    public var refused: Bool?
    /// How many prompts.
    public var n: Int
    /// How many groups they make; nil where prompts are not grouped.
    public var groups: Int?
    /// The focus words' share of the flow from the question's words, its mean over prompts.
    public var share: BootstrapMean
    /// The share that equal flow from all words would give.
    public var uniform: Double
    /// The mean share of a word that is no focus word.
    public var other: Double
    /// The part of prompts in which most flows from a focus word.
    public var first: Double
    /// The mean share by layer, from layer 0 on.
    public var layers: [Double]
    /// The question's part of what flows from the whole prompt.
    public var question: Double
  }

  /// The same prompts, refused when guarded and answered when plain.
  public struct Contrast: Codable, Sendable, Hashable {
    /// The label of the prompts.
    public var set: Sample.Label
    /// How many prompts are refused when guarded and answered when plain.
    public var n: Int
    /// How many groups they make; nil where prompts are not grouped.
    public var groups: Int?
    /// The focus words' mean share of the flow when guarded, 0 … 1.
    public var guardedShare: Double
    /// Their mean share when plain, 0 … 1.
    public var plainShare: Double
    /// The share that equal flow from all words would give, 0 … 1.
    public var uniform: Double
    /// Guarded less plain, paired bootstrap over prompts or groups.
    public var difference: BootstrapMean
  }

  /// Groups and contrasts of all prompts that have a focus word, without a text of any of them.
  public struct Result: Codable, Sendable, Hashable {
    /// What was traced.
    public var method: InformationFlow.Method
    /// The answer token that flow is traced to, from 1.
    public var step: Int
    /// By label, view and outcome; groups without a prompt are left out.
    public var groups: [Group]
    /// By label, the first view against the second; labels without a pair are left out.
    public var contrasts: [Contrast]
    /// The largest disagreement between the gradient's own pass and the backend's; `nil` without gradients.
    public var agreement: AttentionSaliency.Agreement?
    /// Prompts without a focus word; they are in no group.
    public var withoutFocus: Int
    /// Prompts that could not be answered or traced in a view, with the first reason.
    public var failures: Int
    /// Why the first of ``failures`` failed; `nil` without any.
    public var firstFailure: String?
  }

  /// Generates the replies.
  public var model: ChatModel
  /// Traces the flow, in the same model.
  public var tracer: FlowTracer
  /// Says whether a reply is a refusal.
  public var judge: any ReplyJudge
  /// Labelled prompts that name a focus word; what has no label or no focus word is in no group.
  public var datasets: [Dataset]
  /// Single-lane strategies by name: `guarded` and `plain`.
  public var views: [RefusalProbe.View]
  /// What is traced: information flow by gradients, or attention.
  public var method: InformationFlow.Method
  /// The answer token that flow is traced to, from 1; behind 1 the reply's own beginning is part of the prompt.
  public var step: Int
  /// The system prompt that both views keep; `nil` for none.
  public var system: String?
  /// The longest reply that is judged, in tokens.
  public var maximumTokens: Int
  /// Seeds the bootstrap: the same seed gives the same intervals.
  public var seed: UInt64
  /// The column that says which prompts belong together and are resampled together; `nil` for none.
  public var group: String?

  private static let resamples = 10_000

  /// Describes a study; nothing is computed before ``run(progress:)``.
  ///
  /// - Parameters:
  ///   - model: generates the replies.
  ///   - tracer: traces the flow.
  ///   - judge: tells refusals.
  ///   - datasets: labelled prompts with focus words.
  ///   - views: `guarded` and `plain`, in this order.
  ///   - method: what is traced.
  ///   - step: the answer token that flow is traced to, from 1.
  ///   - system: the system prompt that both views keep.
  ///   - maximumTokens: the longest reply that is judged.
  ///   - seed: seeds the bootstrap.
  ///   - group: the column that says which prompts belong together.
  public init(
    model: ChatModel, tracer: FlowTracer, judge: any ReplyJudge, datasets: [Dataset],
    views: [RefusalProbe.View], method: InformationFlow.Method = .informationFlow, step: Int = 1,
    system: String? = nil, maximumTokens: Int = 48, seed: UInt64 = 0, group: String? = nil
  ) {
    self.model = model
    self.tracer = tracer
    self.judge = judge
    self.datasets = datasets
    self.views = views
    self.method = method
    self.step = step
    self.system = system
    self.maximumTokens = maximumTokens
    self.seed = seed
    self.group = group
  }

  /// The replies that are generated and judged.
  public var plan: EvaluationPlan {
    EvaluationPlan(
      datasets: datasets,
      conditions: views.map { EvaluationCondition(strategy: $0.strategy, name: $0.name) },
      options: GenerationOptions(maximumTokens: maximumTokens), system: system)
  }

  /// Generates, judges and traces.
  /// - Parameter progress: told how much is done, 0 … 1.
  /// - Throws: ``FlowError``, ``ExplanationError/noFocus(prompts:)``, what the runner, the judge and statistics throw,
  ///   `CancellationError`; what the inspector throws when no prompt at all can be traced.
  public func run(progress: @Sendable (Double) -> Void = { _ in }) async throws -> Result {
    let plan = plan
    let outcome = try await EvaluationRunner(model: model, plan: plan, judges: [judge])
      .replies { progress(0.2 * $0) }
    let byKey = Dictionary(outcome.replies.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

    var measured: [Measured] = []
    var failures = outcome.failures.map {
      (sample: "\($0.key.dataset)\u{0}\($0.key.sample)", reason: $0.reason)
    }
    var firstError: (any Error)?
    var withoutFocus = 0
    var agreement: AttentionSaliency.Agreement?
    let total = datasets.reduce(0) { $0 + $1.samples.count }
    var done = 0
    for dataset in datasets {
      for sample in dataset.samples {
        try Task.checkCancellation()
        defer { done += 1 }
        guard let set = sample.label else { continue }
        let chat = plan.chat(for: sample)
        guard let places = FocusWords.places(of: sample, in: chat) else {
          withoutFocus += 1
          continue
        }
        let focus = Set(places)
        let group = group.map { sample.group(inColumn: $0, of: dataset.name) }
        let name = "\(dataset.name)\u{0}\(sample.id)"
        for view in views {
          let key = ReplyKey(dataset: dataset.name, sample: sample.id, condition: view.name)
          guard let reply = byKey[key], let refused = reply.judgements.first?.verdict.isRefusal,
            let lane = view.strategy.lanes(for: chat).first
          else { continue }
          do {
            guard reply.steps.count >= step else {
              throw FlowError.replyEnded(before: step, tokens: reply.steps.count)
            }
            let begun = reply.steps.prefix(step - 1).map(\.token)
            let flow = try await tracer.trace(
              lane.chat, asking: chat.lastQuestion, begun: begun, method: method)
            measured.append(
              Self.measure(
                flow, focus: focus, set: set, view: view.name, sample: name, group: group, refused: refused))
            agreement = Self.worse(agreement, flow.agreement)
          } catch is CancellationError {
            throw CancellationError()
          } catch {
            firstError = firstError ?? error
            failures.append((name, "\(error)"))
          }
        }
        progress(0.2 + 0.8 * Double(done) / Double(max(1, total)))
      }
    }
    guard !measured.isEmpty else { throw firstError ?? ExplanationError.noFocus(prompts: total) }
    return Result(
      method: method, step: step, groups: try groups(measured), contrasts: try contrasts(measured),
      agreement: agreement, withoutFocus: withoutFocus, failures: Set(failures.map(\.sample)).count,
      firstFailure: failures.first?.reason)
  }

  static func measure(
    _ flow: InformationFlow, focus: Set<Int>, set: Sample.Label, view: String, sample: String,
    group: String? = nil, refused: Bool
  ) -> Measured {
    func share(_ shares: [Double]) -> Double { focus.reduce(0) { $0 + shares[$1] } }
    let shares = flow.words.map(\.share)
    let onFocus = share(shares)
    let first = shares.indices.max { shares[$0] < shares[$1] }
    return Measured(
      set: set, view: view, sample: sample, group: group, refused: refused, share: onFocus,
      uniform: Double(focus.count) / Double(shares.count),
      other: (1 - onFocus) / Double(shares.count - focus.count), isFirst: first.map(focus.contains) ?? false,
      layers: flow.layers.indices.map { layer in share(flow.words.map { $0.layers[layer] }) },
      question: flow.questionShare)
  }

  private static func worse(
    _ a: AttentionSaliency.Agreement?, _ b: AttentionSaliency.Agreement?
  ) -> AttentionSaliency.Agreement? {
    guard let a, let b else { return a ?? b }
    return .init(attention: max(a.attention, b.attention), nextToken: max(a.nextToken, b.nextToken))
  }

  /// With the groups of the same prompts.
  private func mean(
    _ values: [Double], _ groups: [String]?, within range: ClosedRange<Double>
  ) throws -> BootstrapMean {
    try BootstrapMean(of: values, groups: groups, within: range, resamples: Self.resamples, seed: seed)
  }

  private func names(_ measured: [Measured]) -> [String]? { group.map { _ in measured.compactMap(\.group) } }

  func groups(_ measured: [Measured]) throws -> [Group] {
    var groups: [Group] = []
    for set in Sample.Label.allCases {
      for view in views {
        for refused in [nil, true, false] as [Bool?] {
          let part = measured.filter {
            $0.set == set && $0.view == view.name && (refused == nil || $0.refused == refused)
          }
          guard let layers = part.first?.layers.count else { continue }
          let names = names(part)
          groups.append(
            Group(
              set: set, view: view.name, refused: refused, n: part.count,
              groups: names.map { Set($0).count }, share: try mean(part.map(\.share), names, within: 0...1),
              uniform: PromptMean.of(part.map(\.uniform)), other: PromptMean.of(part.map(\.other)),
              first: PromptMean.of(part.map { $0.isFirst ? 1 : 0 }),
              layers: (0..<layers).map { layer in PromptMean.of(part.map { $0.layers[layer] }) },
              question: PromptMean.of(part.map(\.question))))
        }
      }
    }
    return groups
  }

  func contrasts(_ measured: [Measured]) throws -> [Contrast] {
    guard views.count >= 2 else { return [] }
    return try Sample.Label.allCases.compactMap { set in
      let guarded = measured.filter { $0.set == set && $0.view == views[0].name && $0.refused }
      let plain = measured.filter { $0.set == set && $0.view == views[1].name && !$0.refused }
      let answered = Dictionary(plain.map { ($0.sample, $0) }, uniquingKeysWith: { first, _ in first })
      let pairs = guarded.compactMap { item in answered[item.sample].map { (item, $0) } }
      guard !pairs.isEmpty else { return nil }
      let names = names(pairs.map(\.0))
      return Contrast(
        set: set, n: pairs.count, groups: names.map { Set($0).count },
        guardedShare: PromptMean.of(pairs.map(\.0.share)), plainShare: PromptMean.of(pairs.map(\.1.share)),
        uniform: PromptMean.of(pairs.map(\.0.uniform)),
        difference: try mean(pairs.map { $0.0.share - $0.1.share }, names, within: -1...1))
    }
  }
}
