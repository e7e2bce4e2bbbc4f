import SelfCD

/// Asks a model how likely it is to refuse, under several ways of decoding at once.
public struct RefusalProbe: Sendable {
  /// One way of decoding that is looked at.
  public struct View: Sendable, Hashable {
    /// `guarded`, `plain`, or the strategy's own name.
    public var name: String
    /// How it decodes.
    public var strategy: any DecodingStrategy

    /// Makes a view.
    public init(name: String, strategy: any DecodingStrategy) {
      self.name = name
      self.strategy = strategy
    }

    /// Equal names are one view.
    public static func == (a: Self, b: Self) -> Bool { a.name == b.name }
    /// By name.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
  }

  /// The model, asked where its answer begins.
  public let model: ChatModel
  /// The ways of decoding, in the order in which they are shown.
  public let views: [View]
  /// How the model's refusals begin.
  public let beginnings: RefusalBeginnings

  /// Makes a probe.
  /// - Parameter model: A model whose renderer is an ``AnswerRenderer``, unless reasoning is to be part of it.
  public init(model: ChatModel, views: [View], beginnings: RefusalBeginnings) {
    self.model = model
    self.views = views
    self.beginnings = beginnings
  }

  /// The place of a view.
  /// - Throws: ``ExplanationError/unknownView(_:known:)``.
  public func index(ofView name: String) throws(ExplanationError) -> Int {
    guard let index = views.firstIndex(where: { $0.name == name }) else {
      throw .unknownView(name, known: views.map(\.name))
    }
    return index
  }

  /// The scores of chats: one for each chat and, in it, each view.
  ///
  /// All of them are computed together, so that what prompts share is computed once.
  /// - Parameter progress: Told how many of the chats are done.
  /// - Throws: ``ExplanationError/readsCopies(strategy:)``; what the template, the strategy or the engine throws.
  public func scores(
    _ chats: [Chat], progress: @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) async throws -> [[RefusalScore]] {
    try await scores(chats, in: Array(views.indices), progress: progress)
  }

  /// The scores of chats in some of the views.
  func scores(
    _ chats: [Chat], in places: [Int], progress: @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) async throws -> [[RefusalScore]] {
    try Self.check(places.map { views[$0] })
    // The same text is asked about once, however many words led to it.
    var known: [Chat: Int] = [:]
    var distinct: [Chat] = []
    let positions = chats.map { chat in
      if let index = known[chat] { return index }
      known[chat] = distinct.count
      distinct.append(chat)
      return distinct.count - 1
    }
    var scores: [[RefusalScore]] = []
    for start in stride(from: 0, to: distinct.count, by: Self.chunk) {
      let part = distinct[start..<min(start + Self.chunk, distinct.count)]
      let probes = try part.flatMap { chat in
        try places.flatMap { place in
          // Of equal prompts the second costs no call of the model.
          try [views[place].strategy, try views[place].strategy.withoutMask].map {
            let request = try model.request(chat, strategy: $0)
            return Probe(prompts: request.prompts, rule: request.rule)
          }
        }
      }
      let beginnings = beginnings
      let found = try await model.engine.probe(probes, beginnings: beginnings.tree) { _, rows in
        beginnings.score(rows.map(\.scores))
      }
      let joined = stride(from: 0, to: found.count, by: 2).map { index in
        RefusalScore(
          probability: found[index + 1].probability, isGreedyRefusal: found[index].isGreedyRefusal)
      }
      for offset in part.indices.map({ $0 - start }) {
        scores.append(Array(joined[(offset * places.count)..<((offset + 1) * places.count)]))
      }
      progress(scores.count, distinct.count)
    }
    return positions.map { scores[$0] }
  }

  /// Checks that every view can be asked about: what it decides on has to be the chat itself.
  /// - Throws: ``ExplanationError/readsCopies(strategy:)``.
  public static func check(_ views: [View]) throws(ExplanationError) {
    if let view = views.first(where: { $0.strategy.readsProbes }) {
      throw .readsCopies(strategy: view.strategy.name)
    }
  }

  /// Chats of one call of the engine: enough to fill its lanes, few enough to see progress.
  private static var chunk: Int { 32 }
}

extension DecodingStrategy {
  /// The same without the plausibility mask. A token that the mask excludes has no score, and the logarithm of its odds
  /// would be that of the number that stands for none.
  var withoutMask: any DecodingStrategy {
    get throws(StrategyError) {
      guard Self.takes.contains(.beta) else { return self }
      var parameters = parameters
      parameters.beta = 0
      return try Self(parameters)
    }
  }
}

/// Renders chats up to where the answer begins: behind a reasoning block that is empty, on models that reason.
///
/// It is closed where the template opens it, and opened and closed where the model itself would begin with it.
/// What a model thinks before it answers cannot be held fixed while words change; how it answers without can.
public struct AnswerRenderer: PromptRenderer, ReplyTokenizer {
  private let base: any PromptRenderer & ReplyTokenizer

  /// Wraps a renderer.
  public init(_ base: any PromptRenderer & ReplyTokenizer) {
    self.base = base
  }

  /// The chat's tokens with empty reasoning.
  public func render(_ chat: Chat) throws -> RenderedPrompt {
    let prompt = try base.render(chat)
    guard let markers = prompt.reasoning else { return prompt }
    let block = (markers.isOpenAtStart ? [] : markers.start) + markers.end
    return RenderedPrompt(tokens: prompt.tokens + block, text: prompt.text)
  }

  /// As the wrapped renderer has it.
  public func tokens(ofReply text: String) throws -> [TokenID] { try base.tokens(ofReply: text) }
}
