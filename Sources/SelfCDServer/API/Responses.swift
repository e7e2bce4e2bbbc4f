import SelfCD

/// The body of a chat completion.
struct ChatCompletion: Encodable {
  struct Choice: Encodable {
    let index: Int
    let message: Message
    let logprobs: Nullable<ChatLogProbabilities>
    let finishReason: String
    let selfcd: TokenExplanation?
  }

  struct Message: Encodable {
    let role = "assistant"
    let content: String
    let reasoningContent: String?
    let refusal = Nullable<String>(nil)
  }

  let id: String
  let object = "chat.completion"
  let created: Int
  let model: String
  let systemFingerprint: String
  let choices: [Choice]
  let usage: Usage
  let selfcd: DecodingReport
}

/// One event of a streamed chat completion.
struct ChatChunk: Encodable {
  struct Choice: Encodable {
    let index: Int
    let delta: Delta
    var logprobs = Nullable<ChatLogProbabilities>(nil)
    var finishReason = Nullable<String>(nil)
    var selfcd: TokenExplanation?
  }

  struct Delta: Encodable {
    var role: String?
    var content: String?
    var reasoningContent: String?
  }

  let id: String
  let object = "chat.completion.chunk"
  let created: Int
  let model: String
  let systemFingerprint: String
  let choices: [Choice]
  var usage: Usage?
  var selfcd: DecodingReport?
}

/// The body of a completion, and of each event of a streamed one.
struct TextCompletion: Encodable {
  struct Choice: Encodable {
    let index: Int
    let text: String
    var logprobs = Nullable<TextLogProbabilities>(nil)
    var finishReason = Nullable<String>(nil)
    var selfcd: TokenExplanation?
  }

  let id: String
  let object = "text_completion"
  let created: Int
  let model: String
  let systemFingerprint: String
  let choices: [Choice]
  var usage: Usage?
  var selfcd: DecodingReport?
}

/// How a reply was decoded; under the key `selfcd` of a response.
struct DecodingReport: Encodable {
  let strategy: String
  /// The strategy's numbers, each under its name.
  let numbers: [StrategyParameter: StrategyValue]
  /// The profile this comes from; absent without one.
  let profile: String?
  /// Whether that profile shows a bound, rather than keeping its reference, and the request is as it was calibrated.
  let calibrated: Bool
  /// What is otherwise than it was calibrated; absent where nothing is, and where no bound was shown.
  let uncalibratedBecause: [String]?
  let lanes: [String]
  /// The most tokens of a choice, where fewer than were asked for.
  let maxTokens: Int?
  /// Fields of the request that were left aside; absent without any.
  let ignored: [String]?

  init(
    _ decision: Decision, lanes: [LaneRole], limit: Int? = nil, ignored: IgnoredFields = IgnoredFields()
  ) {
    let own = decision.strategy.parameters
    strategy = decision.strategy.name
    numbers = own.given.filter(\.isNumeric).reduce(into: [:]) { $0[$1] = own[$1] }
    profile = decision.profile
    calibrated = decision.isCalibrated
    uncalibratedBecause =
      decision.differences.isEmpty ? nil : decision.differences.map(\.rawValue)
    self.lanes = lanes.map(\.rawValue)
    maxTokens = limit
    self.ignored = ignored.names.isEmpty ? nil : ignored.names
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(strategy, forKey: Key("strategy"))
    for (parameter, value) in numbers {
      switch value {
      case .number(let number): try container.encode(number, forKey: Key(parameter.name))
      case .integer(let number): try container.encode(number, forKey: Key(parameter.name))
      case .choice, .text, .safetyPrompt, .examples: break
      }
    }
    try container.encodeIfPresent(profile, forKey: Key("profile"))
    try container.encode(calibrated, forKey: Key("calibrated"))
    try container.encodeIfPresent(uncalibratedBecause, forKey: Key("uncalibratedBecause"))
    try container.encode(lanes, forKey: Key("lanes"))
    try container.encodeIfPresent(maxTokens, forKey: Key("maxTokens"))
    try container.encodeIfPresent(ignored, forKey: Key("ignored"))
  }
}

/// Token counts of a request.
struct Usage: Encodable {
  struct Details: Encodable { let cachedTokens: Int }

  struct Lanes: Encodable {
    /// Tokens of the prompt in each lane.
    let promptTokens: [String: Int]
    /// Prompt tokens that had to be computed, over all lanes and choices.
    let prefilledTokens: Int
    /// Tokens decoded behind the prompts, over all lanes and choices: what the reply cost.
    let decodedTokens: Int
  }

  /// Tokens of the longest lane's prompt, what it needs of a context; of all prompts together.
  let promptTokens: Int
  /// Tokens that were chosen, over all choices, those that ended a turn included.
  let completionTokens: Int
  let totalTokens: Int
  let promptTokensDetails: Details
  let selfcd: Lanes

  /// - Parameters:
  ///   - summaries: of all choices of one request, those of each prompt one after the other.
  ///   - prompts: how many they are of.
  init(_ summaries: [GenerationSummary], prompts: Int) {
    let each = GenerationService.Job.firsts(of: summaries, prompts: prompts).map(\.promptTokens)
    let lanes = each.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    promptTokens = each.reduce(0) { $0 + ($1.values.max() ?? 0) }
    completionTokens = summaries.reduce(0) { $0 + $1.generatedTokens }
    totalTokens = promptTokens + completionTokens
    let prefilled = summaries.reduce(0) { $0 + $1.prefilledTokens }
    let size = max(1, summaries.count / max(1, prompts))
    promptTokensDetails = Details(
      cachedTokens: stride(from: 0, to: summaries.count, by: size).reduce(0) {
        $0 + Self.cached(of: summaries[$1..<min($1 + size, summaries.count)])
      })
    selfcd = Lanes(
      promptTokens: Dictionary(lanes.map { ($0.key.rawValue, $0.value) }) { first, _ in first },
      prefilledTokens: prefilled, decodedTokens: summaries.reduce(0) { $0 + $1.decodedTokens })
  }

  /// Tokens of the lane that is reported, the longest one, that were not computed for any choice of one prompt.
  private static func cached(of choices: ArraySlice<GenerationSummary>) -> Int {
    guard let lanes = choices.first?.promptTokens, let longest = lanes.values.max() else { return 0 }
    // What lanes of equal prompts share counts for one of them, whichever that is.
    let computed = lanes.keys.filter { lanes[$0] == longest }.map { role in
      choices.reduce(0) { $0 + ($1.prefilledByLane?[role] ?? 0) }
    }
    return max(0, longest - (computed.max() ?? 0))
  }
}
