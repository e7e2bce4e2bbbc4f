import SelfCD
import SelfCDJudges

/// A view's greedy reply, and what the lanes held ready at each of its first steps.
public struct ReplyTrace: Codable, Sendable, Hashable {
  /// A token that could have come.
  public struct Candidate: Codable, Sendable, Hashable {
    /// The token itself: several may say the same.
    public var token: TokenID
    /// What it says; nil for one that ends the reply.
    public var text: String?
    /// Its probability in the distribution it stands in, 0 … 1.
    public var probability: Double

    /// Makes a candidate.
    public init(token: TokenID, text: String?, probability: Double) {
      self.token = token
      self.text = text
      self.probability = probability
    }
  }

  /// One step.
  public struct Step: Codable, Sendable, Hashable {
    /// The chosen token; nil where it ends the reply.
    public var token: TokenID?
    /// What the chosen token says; nil where it ends the reply.
    public var text: String?
    /// The guarded lane's likeliest tokens, best first; nil where that lane is not used.
    public var guarded: [Candidate]?
    /// The plain lane's likeliest tokens; nil where that lane is not used.
    public var plain: [Candidate]?
    /// The likeliest tokens of the distribution that was chosen from.
    public var combined: [Candidate]

    /// Makes a step.
    public init(
      token: TokenID?, text: String?, guarded: [Candidate]?, plain: [Candidate]?, combined: [Candidate]
    ) {
      self.token = token
      self.text = text
      self.guarded = guarded
      self.plain = plain
      self.combined = combined
    }
  }

  /// The view's name.
  public var view: String
  /// The reply.
  public var reply: String
  /// What the judge makes of it.
  public var replyClass: ReplyClass
  /// Whether it was ended by the limit of its length.
  public var isCut: Bool
  /// Its first steps.
  public var steps: [Step]

  /// Makes a trace.
  public init(view: String, reply: String, replyClass: ReplyClass, isCut: Bool, steps: [Step]) {
    self.view = view
    self.reply = reply
    self.replyClass = replyClass
    self.isCut = isCut
    self.steps = steps
  }

  /// The first step at which the guarded lane alone would have gone on otherwise; nil where it never would, or where
  /// lanes are not contrasted.
  public var partingStep: Int? {
    steps.firstIndex { step in
      guard step.plain != nil, let guarded = step.guarded?.first else { return false }
      return step.token.map { guarded.token != $0 } ?? (guarded.text != nil)
    }
  }
}

/// Writes down replies with the candidates of each lane.
public struct ReplyTracer: Sendable {
  /// Who is asked.
  public var probe: RefusalProbe
  /// Says which replies refuse.
  public var judge: any ReplyJudge
  /// The longest reply, in tokens.
  public var maximumTokens: Int
  /// The first steps that are kept.
  public var steps: Int
  /// Candidates of each lane.
  public var candidates: Int

  /// Makes a tracer.
  public init(
    probe: RefusalProbe, judge: any ReplyJudge, maximumTokens: Int = 64, steps: Int = 12, candidates: Int = 4
  ) {
    self.probe = probe
    self.judge = judge
    self.maximumTokens = maximumTokens
    self.steps = steps
    self.candidates = candidates
  }

  /// The reply of every view, in their order.
  /// - Throws: What the template, the engine or the judge throws.
  public func trace(_ chat: Chat, vocabulary: any Vocabulary) async throws -> [ReplyTrace] {
    let options = GenerationOptions(maximumTokens: maximumTokens, traceCandidates: candidates)
    let requests = try probe.views.map {
      try probe.model.request(chat, strategy: $0.strategy, options: options)
    }
    func text(_ token: TokenID) -> String? {
      vocabulary.isEndOfGeneration(token)
        ? nil : String(decoding: vocabulary.bytes(of: token), as: UTF8.self)
    }
    func named(_ candidates: [SelfCD.Candidate]) -> [ReplyTrace.Candidate] {
      candidates.map {
        .init(token: $0.token, text: text($0.token), probability: Double($0.probability))
      }
    }
    func step(_ chosen: TokenID?, _ trace: StepTrace) -> ReplyTrace.Step {
      .init(
        token: chosen, text: chosen.flatMap(text), guarded: trace.lanes[.guarded].map(named),
        plain: trace.lanes[.plain].map(named),
        combined: named(trace.combined))
    }
    var result: [ReplyTrace] = []
    for (view, handle) in zip(probe.views, probe.model.engine.generate(requests)) {
      let reply = try await handle.reply()
      var steps = reply.tokens.compactMap { token in token.trace.map { step(token.id, $0) } }
      if let end = reply.summary.endTrace { steps.append(step(nil, end)) }
      let verdict = try await judge.judge(prompt: chat.lastQuestion, reply: reply.text)
      result.append(
        ReplyTrace(
          view: view.name, reply: reply.text, replyClass: verdict.replyClass,
          isCut: reply.stopReason == .length, steps: Array(steps.prefix(self.steps))))
    }
    return result
  }
}
