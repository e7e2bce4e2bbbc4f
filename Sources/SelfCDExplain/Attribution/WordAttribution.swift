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

  /// The scores of the prompt as it is, one for each view, and what each word does to them.
  /// - Parameters:
  ///   - methods: What to compute.
  ///   - chat: The prompt; the words of its last question are looked at.
  ///   - shapley: How the Shapley values are sampled.
  ///   - progress: Told how many of how many variants are done.
  /// - Throws: ``ExplanationError/noWords``; what the template, the strategy or the engine throws.
  public func attribute(
    _ methods: [AttributionMethod], to chat: Chat, shapley: ShapleySampling = .init(),
    progress: @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) async throws -> (scores: [RefusalScore], attributions: [WordAttribution]) {
    let words = PromptWords(chat.lastQuestion)
    guard words.count > 0 else { throw ExplanationError.noWords }
    // Every variant of every method in one go; equal ones are asked about once.
    var variants: [Chat] = [chat]
    var uses: [(method: AttributionMethod, range: Range<Int>)] = []
    for method in methods {
      let texts: [String]
      switch method {
      case .leaveOneOut: texts = words.words.indices.map { words.removing([$0]) }
      case .replacement:
        texts = words.words.indices.flatMap { index in
          Self.fillers.map { words.replacing([index: $0]) }
        }
      case .shapley:
        texts = try shapley.coalitions(count: words.count).map { words.keeping($0) }
      }
      uses.append((method, variants.count..<(variants.count + texts.count)))
      variants += texts.map(chat.asking)
    }
    let scores = try await probe.scores(variants, progress: progress)
    var attributions: [WordAttribution] = []
    for (method, range) in uses {
      for (place, view) in probe.views.enumerated() {
        let whole = scores[0][place].logOdds
        let values = scores[range].map { $0[place].logOdds }
        switch method {
        case .leaveOneOut:
          attributions.append(.init(method: method, view: view.name, effects: values.map { whole - $0 }))
        case .replacement:
          let count = Self.fillers.count
          let effects = words.words.indices.map { index in
            whole - values[(index * count)..<((index + 1) * count)].reduce(0, +) / Double(count)
          }
          attributions.append(.init(method: method, view: view.name, effects: effects))
        case .shapley:
          let (effects, errors) = shapley.estimate(values, count: words.count)
          attributions.append(
            .init(method: method, view: view.name, effects: effects, standardErrors: errors))
        }
      }
    }
    return (scores[0], attributions)
  }
}
