import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStatistics

/// Extracts the refusal direction and the false-refusal vector from labelled prompts, selects them on a validation part,
/// and compares ablation of the latter with other conditions on a test part.
///
/// Refusal direction: Arditi et al., arXiv 2406.11717. There it is selected by what ablating and adding it does; here
/// nothing ablates it, so it is selected by how well projections on it tell harmful from harmless validation prompts,
/// among the layers they allow (the first 80 %). False-refusal vector: Wang et al., arXiv 2410.03415; selected by what
/// its ablation does on the validation part, with the harmful prompts it loses counted first.
public struct DirectionStudy: Sendable {
  /// How prompts are shared out, what is searched, and how long replies are.
  public struct Settings: Codable, Sendable, Hashable {
    /// Prompts of each set that directions are made from, and the papers' number.
    public var training = 128
    /// Prompts of each set that they are selected on.
    public var validation = 64
    /// Prompts of each set in the comparison at most; the rest if there are fewer.
    public var test = 1000
    /// Positions from the end that are looked at, at most; what all prompts end with alike.
    public var positions = 5
    /// False-refusal candidates whose ablation is tried.
    public var candidates = 12
    /// Harmful validation refusals that ablation may lose against the guarded model.
    public var tolerance = 0
    /// The longest reply that is judged, in tokens.
    public var maximumTokens = 48
    /// Decides which prompts go into which part, and the draws of the bootstrap.
    public var seed: UInt64 = 0

    /// The defaults: the papers' 128 prompts to learn from, and half as many to select on.
    public init() {}
  }

  /// A direction and how well it was told to do.
  public struct Candidate: Codable, Sendable, Hashable {
    /// The layer behind whose output the states lie, from 0.
    public var layer: Int
    /// From the end: −1 is the last token.
    public var position: Int
    /// Of projections on the refusal direction: the area under the ROC curve, harmful against harmless validation prompts.
    public var separation: Double
  }

  /// A false-refusal vector whose ablation was tried.
  public struct Trial: Codable, Sendable, Hashable {
    /// The layer that the vector is from, from 0.
    public var layer: Int
    /// The position that it is from, counted from the end: −1 is the last token.
    public var position: Int
    /// The cosine with the refusal direction before it was taken out.
    public var cosine: Double
    /// Harmless validation prompts that look harmful, still refused.
    public var safeRefused: Int
    /// Harmful validation prompts refused.
    public var harmfulRefused: Int
  }

  /// Projections of a group of test prompts on the refusal direction, where it was found.
  public struct Projection: Codable, Sendable, Hashable {
    /// The label of the prompts.
    public var set: Sample.Label
    /// The lane whose prompt was read: `guarded` or `plain`.
    public var view: String
    /// Whether the prompts were refused in that lane; `nil` for all of them, judged or not.
    public var refused: Bool?
    /// How many prompts.
    public var n: Int
    /// The mean projection, in the residual stream's own unit, with its bootstrap interval over prompts.
    public var mean: ConfidenceInterval
  }

  /// The parts of a labelled set.
  public struct Parts: Codable, Sendable, Hashable {
    /// The label whose prompts are shared out.
    public var set: Sample.Label
    /// Prompts that directions are made from.
    public var training: Int
    /// Prompts that directions are selected on.
    public var validation: Int
    /// Prompts that conditions are compared on.
    public var test: Int
  }

  /// What was found, how it was selected, and how ablation does on prompts that had no part in that.
  public struct Result: Sendable {
    /// The parts of each label's prompts, in the order of the labels.
    public var parts: [Parts]
    /// Prompts that look harmful, are harmless, and are refused by the guarded model: what the vector is made from.
    public var pseudoHarmful: Int
    /// The direction that tells harmful from harmless validation prompts best.
    public var refusal: RefusalDirection
    /// Every layer and position, in order.
    public var candidates: [Candidate]
    /// The vector whose ablation was compared: the best of ``trials``.
    public var falseRefusal: FalseRefusalVector
    /// Validation prompts of each set, and how many the guarded model refuses.
    public var validation: (safe: Int, safeRefused: Int, harmful: Int, harmfulRefused: Int)
    /// Every vector whose ablation was tried, those least like refusal first.
    public var trials: [Trial]
    /// Test prompts by label, lane and outcome, 200 of a label at most.
    public var projections: [Projection]
    /// Refusals on the test part of every condition, ablation (``DirectionStudy/ablation``) among them.
    public var summary: EvaluationSummary
    /// Replies that could not be generated or judged, over all stages; they count nowhere else.
    public var failures: Int
  }

  /// The name of the condition with the ablated model.
  public static let ablation = "false-refusal ablation"

  /// The model as it is: answers, and renders the prompts that are read.
  public var model: ChatModel
  /// Reads the residual stream of the same model.
  public var inspector: any ModelInspector
  /// Makes the same model without a vector.
  public var ablated: @Sendable (FalseRefusalVector) async throws -> ChatModel
  /// Says whether a reply is a refusal.
  public var judge: any ReplyJudge
  /// Labelled prompts; those without a label are left aside. Each label needs 24 or more.
  public var datasets: [Dataset]
  /// The safety prompt under which prompts are read, judged and ablated.
  public var guarded: Guarded
  /// Compared with ablation on the test part; `guarded` is among them.
  public var conditions: [EvaluationCondition]
  /// The system prompt that every condition keeps, as an application has it; `nil` for none.
  public var system: String?
  /// How prompts are shared out, what is searched, and how long replies are.
  public var settings: Settings

  /// Describes a study; nothing is computed before ``run(progress:)``.
  ///
  /// - Parameters:
  ///   - model: the model as it is.
  ///   - inspector: reads the same model's residual stream.
  ///   - ablated: makes the same model without a vector.
  ///   - judge: tells refusals.
  ///   - datasets: labelled prompts.
  ///   - guarded: the safety prompt under study.
  ///   - conditions: what ablation is compared with on the test part.
  ///   - system: the system prompt that all conditions keep.
  ///   - settings: parts, search, lengths.
  public init(
    model: ChatModel, inspector: any ModelInspector,
    ablated: @escaping @Sendable (FalseRefusalVector) async throws -> ChatModel, judge: any ReplyJudge,
    datasets: [Dataset], guarded: Guarded, conditions: [EvaluationCondition], system: String? = nil,
    settings: Settings = .init()
  ) {
    self.model = model
    self.inspector = inspector
    self.ablated = ablated
    self.judge = judge
    self.datasets = datasets
    self.guarded = guarded
    self.conditions = conditions
    self.system = system
    self.settings = settings
  }

  /// - Parameter progress: told what is being done and how much of it.
  /// - Throws: ``DirectionStudyError``, `DirectionError`, what the runner and the inspector throw, `CancellationError`.
  public func run(progress: @Sendable (String, Double) -> Void = { _, _ in }) async throws -> Result {
    let parts = try split()
    var failures = 0

    progress("judging", 0)
    let learning = datasets(parts, [.training, .validation])
    let known = try await evaluate(
      model, learning, [EvaluationCondition(strategy: guarded, name: Guarded.name)], failures: &failures)
    let refused = Set(known.filter { isRefusal($0) }.map { SampleKey($0.key) })
    let pseudo = parts.training(.safe).filter { refused.contains($0.key) }
    guard pseudo.count >= Self.leastPrompts else {
      throw DirectionStudyError.tooFew(
        what: "harmless training prompts that are refused", found: pseudo.count)
    }

    // Every prompt whose states are compared: one that ends otherwise would be read at other places.
    let read = [parts.training(.harmful), parts.training(.neutral), pseudo]
    let checked = [parts.validation(.harmful), parts.validation(.neutral)]
    let positions = try sharedEnd(of: (read + checked).flatMap(\.self))
    progress("reading", 0)
    let harmful = try await means(parts.training(.harmful), positions)
    progress("reading", 0.33)
    let harmless = try await means(parts.training(.neutral), positions)
    progress("reading", 0.66)
    let lookalikes = try await means(pseudo, positions)
    let (refusal, candidates) = try await select(harmful, harmless, parts, positions, progress)

    let (vector, trials, validation) = try await selectVector(
      lookalikes, harmless, refusal, candidates, parts, known, &failures, progress)

    progress("comparing", 0)
    let test = datasets(parts, [.test])
    var replies = try await evaluate(model, test, conditions, failures: &failures) {
      progress("comparing", 0.6 * $0)
    }
    let edited = try await ablated(vector)
    replies += try await evaluate(
      edited, test, [EvaluationCondition(strategy: guarded, name: Self.ablation)], failures: &failures
    ) { progress("comparing", 0.6 + 0.2 * $0) }
    let summary = try EvaluationSummary(
      replies,
      conditions: conditions.map { ($0.id, $0.strategy.name, $0.alpha) } + [
        (Self.ablation, Guarded.name, nil)
      ],
      judge: judge.name, reference: Guarded.name)
    let projections = try await project(refusal, parts, replies, positions.count) {
      progress("comparing", 0.8 + 0.2 * $0)
    }
    return Result(
      parts: parts.counts, pseudoHarmful: pseudo.count, refusal: refusal, candidates: candidates,
      falseRefusal: vector, validation: validation, trials: trials, projections: projections,
      summary: summary,
      failures: failures)
  }

  // MARK: Replies

  private func plan(_ datasets: [Dataset], _ conditions: [EvaluationCondition]) -> EvaluationPlan {
    EvaluationPlan(
      datasets: datasets, conditions: conditions,
      options: GenerationOptions(maximumTokens: settings.maximumTokens), system: system)
  }

  private func evaluate(
    _ model: ChatModel, _ datasets: [Dataset], _ conditions: [EvaluationCondition], failures: inout Int,
    progress: @Sendable (Double) -> Void = { _ in }
  ) async throws -> [EvaluatedReply] {
    let outcome = try await EvaluationRunner(model: model, plan: plan(datasets, conditions), judges: [judge])
      .replies(progress: progress)
    failures += outcome.failures.count
    return outcome.replies
  }

  private func isRefusal(_ reply: EvaluatedReply) -> Bool {
    reply.judgements.first?.verdict.isRefusal ?? false
  }

  // MARK: States

  private func tokens(_ item: Item, _ strategy: any DecodingStrategy) throws -> [TokenID] {
    let chat = plan([], []).chat(for: item.sample)
    guard let lane = strategy.lanes(for: chat).first else { return [] }
    return try model.renderer.render(lane.chat).tokens
  }

  /// Positions from the end that every prompt fills alike: the template's, behind the question.
  private func sharedEnd(of items: [Item]) throws -> [Int] {
    var shared: [TokenID]?
    for item in items {
      let tokens = try tokens(item, guarded)
      let end = Array(tokens.suffix(settings.positions))
      guard let known = shared else {
        shared = end
        continue
      }
      let common = zip(known.reversed(), end.reversed()).prefix { $0 == $1 }.count
      shared = Array(known.suffix(common))
    }
    // A template that ends in the question leaves the last token at least.
    let count = max(1, shared?.count ?? 1)
    return (1...count).map { -$0 }.reversed()
  }

  private func states(
    _ item: Item, _ positions: [Int], _ strategy: any DecodingStrategy
  ) async throws -> ResidualStates {
    let tokens = try tokens(item, strategy)
    return try await inspector.residuals(of: tokens, at: positions.map { tokens.count + $0 })
  }

  private func means(_ items: [Item], _ positions: [Int]) async throws -> ResidualMeans {
    var means = ResidualMeans()
    for item in items {
      try Task.checkCancellation()
      means.add(try await states(item, positions, guarded))
    }
    return means
  }

  // MARK: Selection

  /// As in the paper, directions of the last fifth of the layers are left out: they move tokens, not meanings.
  private static let layerLimit = 0.8

  private func select(
    _ harmful: ResidualMeans, _ harmless: ResidualMeans, _ parts: Split, _ positions: [Int],
    _ progress: @Sendable (String, Double) -> Void
  ) async throws -> (RefusalDirection, [Candidate]) {
    let layers = harmful.sums.count
    var directions: [(direction: RefusalDirection, place: Int)] = []
    for layer in 0..<layers where Double(layer) < Self.layerLimit * Double(layers) {
      for (place, position) in positions.enumerated() {
        let direction = try? RefusalDirection(
          harmful: harmful.mean(layer, place), harmless: harmless.mean(layer, place), layer: layer,
          position: position)
        if let direction { directions.append((direction, place)) }
      }
    }
    var high = [[Double]](repeating: [], count: directions.count)
    var low = high
    for (isHarmful, items) in [(true, parts.validation(.harmful)), (false, parts.validation(.neutral))] {
      for item in items {
        try Task.checkCancellation()
        let states = try await states(item, positions, guarded)
        for (index, candidate) in directions.enumerated() {
          let value = candidate.direction.projection(
            of: states.layers[candidate.direction.layer][candidate.place])
          if isHarmful { high[index].append(value) } else { low[index].append(value) }
        }
      }
    }
    progress("reading", 1)
    let gaps = directions.indices.map { Self.standardisedGap(high[$0], low[$0]) }
    let candidates = directions.indices.map { index in
      Candidate(
        layer: directions[index].direction.layer, position: directions[index].direction.position,
        separation: Separation.areaUnderCurve(high[index], low[index]))
    }
    let best = Self.best(candidates, gaps: gaps)
    guard let best else { throw DirectionError.noDifference }
    return (directions[best].direction, candidates)
  }

  static func standardisedGap(_ high: [Double], _ low: [Double]) -> Double {
    func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
      let mean = PromptMean.of(values)
      return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count)))
    }
    let (a, b) = (moments(high), moments(low))
    return (a.mean - b.mean) / max((a.variance + b.variance).squareRoot(), 1e-12)
  }

  private func selectVector(
    _ pseudo: ResidualMeans, _ harmless: ResidualMeans, _ refusal: RefusalDirection, _ places: [Candidate],
    _ parts: Split, _ known: [EvaluatedReply], _ failures: inout Int,
    _ progress: @Sendable (String, Double) -> Void
  ) async throws -> (
    FalseRefusalVector, [Trial], (safe: Int, safeRefused: Int, harmful: Int, harmfulRefused: Int)
  ) {
    let safe = Set(parts.validation(.safe).map(\.key))
    let harmful = Set(parts.validation(.harmful).map(\.key))
    func counts(_ replies: [EvaluatedReply]) -> (safe: Int, harmful: Int) {
      let refused = replies.filter(isRefusal).map { SampleKey($0.key) }
      return (refused.count { safe.contains($0) }, refused.count { harmful.contains($0) })
    }
    let before = counts(known)
    var vectors: [FalseRefusalVector] = []
    for place in places {
      let index = pseudo.sums[place.layer].count + place.position
      let vector = try? FalseRefusalVector(
        pseudoHarmful: pseudo.mean(place.layer, index), harmless: harmless.mean(place.layer, index),
        layer: place.layer, position: place.position, orthogonalTo: refusal)
      if let vector { vectors.append(vector) }
    }
    // Those that were least refusal to begin with are tried first.
    vectors.sort { abs($0.cosine) < abs($1.cosine) }
    vectors = Array(vectors.prefix(settings.candidates))
    let validation = datasets(parts, [.validation]).map { dataset in
      var dataset = dataset
      dataset.samples.removeAll { $0.label == .neutral }
      return dataset
    }
    var trials: [Trial] = []
    for (index, vector) in vectors.enumerated() {
      try Task.checkCancellation()
      progress("selecting", Double(index) / Double(vectors.count))
      let replies = try await evaluate(
        try await ablated(vector), validation, [EvaluationCondition(strategy: guarded, name: Self.ablation)],
        failures: &failures)
      let after = counts(replies)
      trials.append(
        Trial(
          layer: vector.layer, position: vector.position, cosine: vector.cosine, safeRefused: after.safe,
          harmfulRefused: after.harmful))
    }
    let found = Self.best(trials, harmfulBefore: before.harmful, tolerance: settings.tolerance)
    guard let best = found else {
      throw DirectionError.onlyRefusal(cosine: 1)
    }
    return (
      vectors[best], trials,
      (safe: safe.count, safeRefused: before.safe, harmful: harmful.count, harmfulRefused: before.harmful)
    )
  }

  // MARK: Projections

  private func project(
    _ refusal: RefusalDirection, _ parts: Split, _ replies: [EvaluatedReply], _ positions: Int,
    _ progress: @Sendable (Double) -> Void
  ) async throws -> [Projection] {
    var refused: [ReplyKey: Bool] = [:]
    for reply in replies { refused[reply.key] = isRefusal(reply) }
    let views: [(String, any DecodingStrategy)] = [(Guarded.name, guarded), (Plain.name, Plain())]
    var result: [Projection] = []
    for (place, set) in Sample.Label.allCases.enumerated() {
      for (name, strategy) in views {
        var values: [(refused: Bool?, value: Double)] = []
        for item in parts.test(set).prefix(Self.projected) {
          try Task.checkCancellation()
          let states = try await states(item, [refusal.position], strategy)
          let key = ReplyKey(dataset: item.key.dataset, sample: item.key.sample, condition: name)
          values.append((refused[key], refusal.projection(of: states.layers[refusal.layer][0])))
        }
        for outcome in [nil, true, false] as [Bool?] {
          let part = values.filter { outcome == nil || $0.refused == outcome }.map(\.value)
          guard !part.isEmpty else { continue }
          result.append(
            Projection(
              set: set, view: name, refused: outcome, n: part.count,
              mean: try PromptMean.interval(part, resamples: 2_000, seed: settings.seed)))
        }
      }
      progress(Double(place + 1) / 3)
    }
    return result
  }

  private static let projected = 200
}
