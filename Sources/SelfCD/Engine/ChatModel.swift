/// A model that can be asked: an engine, and the renderer that turns chats into its tokens.
public struct ChatModel: Sendable {
  /// Computes the replies; may be shared with other chat models that render differently.
  public let engine: Engine
  /// Turns each lane's chat into the prompt that the model is given.
  public let renderer: any PromptRenderer

  /// Puts an engine and a renderer together; the renderer's tokens have to be those of the engine's model.
  public init(engine: Engine, renderer: any PromptRenderer) {
    self.engine = engine
    self.renderer = renderer
  }

  /// Renders a chat's lanes for a strategy, ready to be given to the engine.
  ///
  /// - Parameters:
  ///   - chat: ends with what is to be answered.
  ///   - strategy: makes the lanes and the rule.
  ///   - options: length, sampling, recording.
  ///   - isContinued: The chat ends with the beginning of the assistant's reply instead, which every lane goes on with.
  ///     All that follows is taken for the answer, on reasoning models, too. Words put into a model's mouth can make it
  ///     answer what it would refuse: no calibration covers that.
  ///   - constraint: What the reply has to keep to from its first token on, so that a reasoning model does not reason.
  /// - Throws: ``ChatError``, ``StrategyError``, ``ConstraintError``, or what the chat template throws.
  public func request(
    _ chat: Chat, strategy: any DecodingStrategy, options: GenerationOptions = .init(),
    isContinued: Bool = false, constraint: (any TokenConstraint)? = nil
  ) throws -> GenerationRequest {
    if constraint != nil {
      if options.ignoresEnd { throw ConstraintError.endsByItself(parameter: "ignore-eos") }
      if options.minimumTokens > 0 { throw ConstraintError.endsByItself(parameter: "min-tokens") }
    }
    if isContinued { try chat.validateContinuation() } else { try chat.validate() }
    let chat = renderer.arranged(chat)
    try strategy.validate()
    try options.validate()
    func render(_ chat: Chat) throws -> RenderedPrompt {
      try isContinued ? renderer.render(continuing: chat) : renderer.render(chat)
    }
    var prompts: [LaneRole: [TokenID]] = [:]
    var markers: ReasoningMarkers?
    for lane in strategy.lanes(for: chat) {
      let rendered = try render(lane.chat)
      prompts[lane.role] = rendered.tokens
      // The answer has begun, or has to begin at once.
      if !isContinued, constraint == nil { markers = markers ?? rendered.reasoning }
    }
    var rule = strategy.makeRule()
    var readsProbes = strategy.readsProbes
    if strategy.isContrastive, options.contrastStart == .answer, let markers {
      let delayed = AnswerOnlyRule(
        rule, markers: markers, roles: Set(prompts.keys), reasoningLane: strategy.reasoningLane)
      readsProbes = readsProbes && delayed.readsProbes
      rule = delayed
    }
    let probes = readsProbes ? try strategy.probes(for: chat).map { try render($0).tokens } : []
    var request = GenerationRequest(
      prompts: prompts, probes: probes, rule: rule, options: options, reasoning: markers)
    request.constraint = constraint
    return request
  }

  /// Starts a reply; its events arrive while it is generated.
  ///
  /// - Parameters:
  ///   - chat: ends with what is to be answered.
  ///   - strategy: makes the lanes and the rule.
  ///   - options: length, sampling, recording.
  ///   - constraint: what the reply has to keep to.
  /// - Throws: as ``request(_:strategy:options:isContinued:constraint:)``.
  public func stream(
    _ chat: Chat, strategy: any DecodingStrategy, options: GenerationOptions = .init(),
    constraint: (any TokenConstraint)? = nil
  ) throws -> GenerationHandle {
    engine.generate(try request(chat, strategy: strategy, options: options, constraint: constraint))
  }

  /// A whole reply.
  ///
  /// - Parameters:
  ///   - chat: ends with what is to be answered.
  ///   - strategy: makes the lanes and the rule.
  ///   - options: length, sampling, recording.
  ///   - constraint: what the reply has to keep to.
  /// - Throws: as ``request(_:strategy:options:isContinued:constraint:)``, and what the generation throws.
  public func reply(
    to chat: Chat, strategy: any DecodingStrategy, options: GenerationOptions = .init(),
    constraint: (any TokenConstraint)? = nil
  ) async throws -> Reply {
    try await stream(chat, strategy: strategy, options: options, constraint: constraint).reply()
  }
}

/// A finished generation.
public struct Reply: Sendable, Hashable {
  /// The answer.
  public let text: String
  /// What the model wrote before it answered, if it marks reasoning.
  public let reasoning: String
  /// Every token that was chosen, those of the reasoning and its markers included, the one that ended the turn left
  /// out.
  public let tokens: [GeneratedToken]
  /// Why the generation ended, its token counts and times.
  public let summary: GenerationSummary

  /// Makes a reply from its parts.
  ///
  /// - Parameters:
  ///   - text: the answer.
  ///   - reasoning: what came before the answer; empty for models that mark no reasoning.
  ///   - tokens: the tokens of both, in order.
  ///   - summary: the generation's figures.
  public init(text: String, reasoning: String = "", tokens: [GeneratedToken], summary: GenerationSummary) {
    self.text = text
    self.reasoning = reasoning
    self.tokens = tokens
    self.summary = summary
  }

  /// Why the generation ended; see ``GenerationSummary/stopReason``.
  public var stopReason: StopReason { summary.stopReason }
}

extension GenerationHandle {
  /// Waits for the end and collects what was generated. Cancelling the task cancels the generation.
  ///
  /// - Throws: what the generation throws, or `CancellationError`.
  public func reply() async throws -> Reply {
    var text = ""
    var reasoning = ""
    var tokens: [GeneratedToken] = []
    for try await event in events {
      switch event {
      case .token(let token): tokens.append(token)
      case .text(let piece): text += piece
      case .reasoning(let piece): reasoning += piece
      case .finished(let summary):
        return Reply(text: text, reasoning: reasoning, tokens: tokens, summary: summary)
      }
    }
    throw CancellationError()
  }
}
