import SelfCD
import SelfCDEval

/// Learns how a model's refusals begin from its own replies: generates them, has them judged, keeps their first tokens.
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

  /// The replies that are generated.
  public var plan: EvaluationPlan {
    EvaluationPlan(
      datasets: datasets,
      conditions: asked.map { EvaluationCondition(strategy: $0.strategy, name: $0.name) },
      options: GenerationOptions(
        sampling: SamplingParameters(temperature: 1, seed: seed), maximumTokens: maximumTokens),
      system: system, repetitions: repetitions)
  }

  /// Generates, judges and learns.
  /// - Parameters:
  ///   - model: The model, with an ``AnswerRenderer``.
  ///   - vocabulary: What its tokens say.
  ///   - progress: Told how far it is.
  /// - Throws: ``ExplanationError``, what the runner throws, `CancellationError`.
  public func learn(
    _ model: ChatModel, vocabulary: any Vocabulary,
    progress: @Sendable (EvaluationProgress) -> Void = { _ in }
  ) async throws -> RefusalBeginnings {
    let replies = ReplyCollector()
    let outcome = try await EvaluationRunner(model: model, plan: plan, judges: [judge])
      .run(into: replies, progress: progress)
    if outcome.isInterrupted { throw CancellationError() }
    let judged = replies.all.compactMap { reply in
      reply.judgements.first.map {
        RefusalBeginnings.JudgedReply(
          tokens: reply.reply.tokens.prefix(limits.depth).map(\.id), isRefusal: $0.verdict.isRefusal)
      }
    }
    let prompts = datasets.reduce(0) { $0 + $1.samples.count }
    return try RefusalBeginnings(
      learningFrom: judged, limits: limits, judge: "\(judge.name)@\(judge.version)",
      source: "\(judged.count) replies to \(prompts) prompts, \(asked.map(\.name).joined(separator: ", "))",
      text: { tokens in String(decoding: tokens.flatMap(vocabulary.bytes), as: UTF8.self) })
  }
}
