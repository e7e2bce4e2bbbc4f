import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges

/// Learns how a model's refusals begin from its own replies: generates them, has them judged, keeps their first tokens.
///
/// Prompts are answered a few at a time in a fixed order in which kinds take turns, so that learning can end after any
/// of them and go on from there another time.
public struct BeginningsLearner: Sendable {
  /// The prompts that are asked, of both kinds.
  public var datasets: [Dataset]
  /// The ways of decoding whose replies are learned from.
  public var views: [RefusalProbe.View]
  /// The caller's own system prompt.
  public var system: String?
  /// Says which replies refuse.
  public var judge: any ReplyJudge
  /// How far beginnings are told apart.
  public var limits: RefusalBeginnings.Limits
  /// The longest reply, in tokens: long enough for the judge.
  public var maximumTokens: Int
  /// Replies to each prompt in each way, drawn at temperature 1: greedy ones would show the likeliest beginning only.
  public var repetitions: Int
  /// Of the draws.
  public var seed: UInt64

  /// Asks for refusals, so that there are enough of them to learn from on a model that hardly refuses otherwise.
  public static let provoked = RefusalProbe.View(name: "refuse", strategy: Guarded(emphasis: .refuse))

  /// Makes a learner.
  public init(
    datasets: [Dataset], views: [RefusalProbe.View], system: String? = nil, judge: any ReplyJudge,
    limits: RefusalBeginnings.Limits = .init(), maximumTokens: Int = 32, repetitions: Int = 2,
    seed: UInt64 = 0
  ) {
    self.datasets = datasets
    self.views = views
    self.system = system
    self.judge = judge
    self.limits = limits
    self.maximumTokens = maximumTokens
    self.repetitions = repetitions
    self.seed = seed
  }

  private var asked: [RefusalProbe.View] {
    views + (views.contains { $0.name == Self.provoked.name } ? [] : [Self.provoked])
  }

  /// All replies that there are to learn from.
  public var plan: EvaluationPlan { plan(of: datasets) }

  private func plan(of datasets: [Dataset]) -> EvaluationPlan {
    EvaluationPlan(
      datasets: datasets,
      conditions: asked.map { EvaluationCondition(strategy: $0.strategy, name: $0.name) },
      options: GenerationOptions(
        sampling: SamplingParameters(temperature: 1, seed: seed), maximumTokens: maximumTokens),
      system: system, repetitions: repetitions)
  }

  /// How far learning is.
  public struct Progress: Sendable, Hashable {
    /// Replies that are known.
    public var done: Int
    /// Replies that there are in all.
    public var planned: Int
    /// The time since learning began or went on.
    public var elapsed: Duration
    /// Those of the known replies that this time has brought.
    public var generated: Int
  }

  /// Generates and judges replies that are not known yet.
  ///
  /// They leave nothing behind in the engine: scores are computed afterwards as by one that has generated nothing.
  /// - Parameters:
  ///   - model: The model, with an ``AnswerRenderer``.
  ///   - known: Replies of earlier times.
  ///   - budget: After this time no further prompt is begun, and after three times as much one that was begun is dropped;
  ///     nil learns from all of them.
  ///   - keep: Given the new replies after every few prompts.
  ///   - progress: Told how far it is.
  /// - Returns: Those of the plan's replies that are known now.
  /// - Throws: What the runner and `keep` throw, `CancellationError`.
  public func learn(
    _ model: ChatModel, known: [LearnedReply] = [], within budget: Duration? = nil,
    keep: ([LearnedReply]) throws -> Void = { _ in },
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws -> [LearnedReply] {
    let clock = ContinuousClock()
    let start = clock.now
    let planned = plan.planned
    var replies = self.planned(among: known)
    let before = replies.count
    var missing = ordered.filter { prompt in
      replies.count { $0.key.dataset == prompt.dataset && $0.key.sample == prompt.sample.id }
        < asked.count * repetitions
    }[...]
    var pace = Duration.zero
    while !missing.isEmpty {
      let spent = start.duration(to: clock.now)
      if let budget, spent + pace >= budget { break }
      let size = Self.prompts(at: pace, left: budget.map { $0 - spent })
      let part = missing.prefix(size)
      missing = missing.dropFirst(size)
      let runner = EvaluationRunner(model: model, plan: plan(of: datasets(of: part)), judges: [judge])
      let collected = ReplyCollector()
      let done = Set(replies.map(\.key))
      let (soFar, limit) = (replies.count, budget.map { $0 * 3 - spent })
      progress(Progress(done: soFar, planned: planned, elapsed: spent, generated: soFar - before))
      try await Self.run(for: limit) {
        _ = try await runner.run(skipping: done, into: collected) { state in
          progress(
            Progress(
              done: soFar + state.generated, planned: planned, elapsed: start.duration(to: clock.now),
              generated: soFar + state.generated - before))
        }
      }
      let new = collected.all.compactMap { LearnedReply($0, depth: limits.depth) }
      replies += new
      try keep(new)
      try Task.checkCancellation()
      pace = (start.duration(to: clock.now) - spent) / part.count
    }
    if pace > .zero { await model.engine.forget() }
    return replies
  }

  /// Those of `replies` that the plan has, each once.
  public func planned(among replies: [LearnedReply]) -> [LearnedReply] {
    let prompts = ordered
    var seen: Set<ReplyKey> = []
    return replies.filter { reply in
      prompts.contains { $0.dataset == reply.key.dataset && $0.sample.id == reply.key.sample }
        && seen.insert(reply.key).inserted
    }
  }

  /// What replies teach, or `general` where that serves better. The same replies teach the same, in whatever order they
  /// come and however often.
  /// - Parameters:
  ///   - replies: What is known of the plan.
  ///   - general: Beginnings that are not the model's own.
  ///   - vocabulary: What tokens say.
  public func beginnings(
    from replies: [LearnedReply], or general: RefusalBeginnings, vocabulary: any Vocabulary
  ) -> RefusalBeginnings {
    let planned = plan.planned
    let replies = self.planned(among: replies).sorted { a, b in
      if a.reply.prompt != b.reply.prompt { return a.reply.prompt < b.reply.prompt }
      return (a.key.condition, a.key.repetition) < (b.key.condition, b.key.repetition)
    }
    let prompts = Set(replies.map(\.reply.prompt)).count
    let names = asked.map(\.name).joined(separator: ", ")
    let count = replies.count < planned ? "\(replies.count) of \(planned)" : "\(replies.count)"
    return .best(
      general: general, orLearningFrom: replies.map(\.reply), limits: limits,
      judge: "\(judge.name)@\(judge.version)",
      source: "\(count) replies to \(prompts) prompt\(prompts == 1 ? "" : "s"), \(names)",
      text: { tokens in String(decoding: tokens.flatMap(vocabulary.bytes), as: UTF8.self) })
  }

  // MARK: A few prompts at a time

  typealias Prompt = (dataset: String, sample: Sample)

  /// The prompts of all sets in turn, each set's from all over it.
  var ordered: [Prompt] {
    let spread = datasets.map { dataset in
      Self.spread(dataset.samples.count).map { (dataset: dataset.name, sample: dataset.samples[$0]) }
    }
    return (0..<(spread.map(\.count).max() ?? 0)).flatMap { place in
      spread.compactMap { place < $0.count ? $0[place] : nil }
    }
  }

  /// `0 ..< count` by steps of about the golden section, so that every prefix is spread evenly.
  static func spread(_ count: Int) -> [Int] {
    guard count > 1 else { return Array(0..<count) }
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    var step = max(1, Int((Double(count) * 0.618).rounded()))
    while divisor(step, count) != 1 { step += 1 }
    return (0..<count).map { $0 * step % count }
  }

  private func datasets(of prompts: ArraySlice<Prompt>) -> [Dataset] {
    datasets.compactMap { dataset in
      var part = dataset
      part.samples = prompts.filter { $0.dataset == dataset.name }.map(\.sample)
      return part.samples.isEmpty ? nil : part
    }
  }

  /// Enough prompts for two seconds, and no more than eight: many together are quicker, few can be stopped sooner.
  private static func prompts(at pace: Duration, left: Duration?) -> Int {
    guard pace > .zero else { return 1 }
    let room = left.map { min($0, .seconds(2)) } ?? .seconds(2)
    return min(8, max(1, Int(room / pace)))
  }

  /// Runs something, and cancels it after a while.
  private static func run(for limit: Duration?, _ body: @escaping @Sendable () async throws -> Void)
    async throws
  {
    guard let limit else { return try await body() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await body() }
      group.addTask { try? await Task.sleep(for: max(limit, .zero)) }
      // Whichever ends first ends the other; what the runner has finished by then has been collected.
      try await group.next()
      group.cancelAll()
      try await group.waitForAll()
    }
  }
}
