import SelfCD

/// How each word of a prompt is held to account for a refusal.
public enum AttributionMethod: String, Codable, Sendable, Hashable, CaseIterable {
  /// The prompt against the prompt without the word.
  case leaveOneOut = "leave_one_out"
  /// The prompt against the prompt with a neutral word in its place, averaged over several.
  case replacement
  /// The word's mean contribution over orders in which words are put in (Shapley value), sampled.
  case shapley
}

/// What each word of a prompt does to the refusal score in one view, by one method.
public struct WordAttribution: Codable, Sendable, Hashable {
  /// The method.
  public var method: AttributionMethod
  /// The view's name.
  public var view: String
  /// In nats of log-odds, one for each word: above 0 the word pushes towards refusal.
  public var effects: [Double]
  /// Standard errors of the effects, for methods that sample.
  public var standardErrors: [Double]?

  /// Makes an attribution.
  public init(
    method: AttributionMethod, view: String, effects: [Double], standardErrors: [Double]? = nil
  ) {
    self.method = method
    self.view = view
    self.effects = effects
    self.standardErrors = standardErrors
  }
}

/// Attributes a refusal to words by changing the prompt and asking again: no gradients, so any model will do.
public struct WordAttributor: Sendable {
  /// Who is asked.
  public let probe: RefusalProbe

  /// Neutral words that stand in for a word. Several, so that no single one's own ring decides.
  public static let fillers = ["thing", "one", "something"]

  /// Makes an attributor.
  public init(_ probe: RefusalProbe) {
    self.probe = probe
  }

  /// What was found about one prompt.
  public struct Result: Sendable, Hashable {
    /// The scores of the prompt as it is, one for each view.
    public var scores: [RefusalScore]
    /// What each word does to them.
    public var attributions: [WordAttribution]
  }

  /// What each word of a prompt does to the refusal score, in every view.
  /// - Parameters:
  ///   - methods: What to compute.
  ///   - chat: The prompt; the words of its last question are looked at.
  ///   - shapley: How the Shapley values are sampled.
  ///   - progress: Told how many of how many variants are done.
  /// - Throws: ``ExplanationError/noWords``; what the template, the strategy or the engine throws.
  public func attribute(
    _ methods: [AttributionMethod], to chat: Chat, shapley: ShapleySampling = .init(),
    progress: @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) async throws -> Result {
    let variants = try Variants(methods, of: chat, shapley)
    return variants.result(try await probe.scores(variants.chats, progress: progress)[...], probe.views)
  }

  /// The same for several prompts, all of whose variants are computed together.
  public func attribute(
    _ methods: [AttributionMethod], to chats: [Chat], shapley: ShapleySampling = .init()
  ) async throws -> [Result] {
    let variants = try chats.map { try Variants(methods, of: $0, shapley) }
    var scores = try await probe.scores(variants.flatMap(\.chats))[...]
    return variants.map { variants in
      defer { scores = scores.dropFirst(variants.chats.count) }
      return variants.result(scores.prefix(variants.chats.count), probe.views)
    }
  }
}

/// The prompts whose scores an attribution is made of: the prompt itself, then each method's own.
private struct Variants {
  let words: PromptWords
  let shapley: ShapleySampling
  private(set) var chats: [Chat]
  private(set) var uses: [(method: AttributionMethod, range: Range<Int>)] = []

  init(_ methods: [AttributionMethod], of chat: Chat, _ shapley: ShapleySampling) throws(ExplanationError) {
    words = PromptWords(chat.lastQuestion)
    self.shapley = shapley
    guard words.count > 0 else { throw .noWords }
    chats = [chat]
    for method in methods {
      let texts: [String]
      switch method {
      case .leaveOneOut: texts = words.words.indices.map { words.removing([$0]) }
      case .replacement:
        texts = words.words.indices.flatMap { index in
          WordAttributor.fillers.map { words.replacing([index: $0]) }
        }
      case .shapley: texts = try shapley.coalitions(count: words.count).map { words.keeping($0) }
      }
      uses.append((method, chats.count..<(chats.count + texts.count)))
      chats += texts.map(chat.asking)
    }
  }

  func result(_ scores: ArraySlice<[RefusalScore]>, _ views: [RefusalProbe.View]) -> WordAttributor.Result {
    let scores = Array(scores)
    let attributions = uses.flatMap { method, range in
      views.enumerated().map { place, view in
        let values = scores[range].map { $0[place].logOdds }
        let (effects, errors) = effects(method, values, whole: scores[0][place].logOdds)
        return WordAttribution(
          method: method, view: view.name, effects: effects, standardErrors: errors)
      }
    }
    return WordAttributor.Result(scores: scores[0], attributions: attributions)
  }

  private func effects(
    _ method: AttributionMethod, _ values: [Double], whole: Double
  ) -> (effects: [Double], standardErrors: [Double]?) {
    switch method {
    case .leaveOneOut: return (values.map { whole - $0 }, nil)
    case .replacement:
      let count = WordAttributor.fillers.count
      return (
        words.words.indices.map { index in
          whole - values[(index * count)..<((index + 1) * count)].reduce(0, +) / Double(count)
        }, nil
      )
    case .shapley: return shapley.estimate(values, count: words.count)
    }
  }
}
