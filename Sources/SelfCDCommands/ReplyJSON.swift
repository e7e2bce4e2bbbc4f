import SelfCD
import SelfCDEval

/// A reply as `--json` prints it. Keys are part of the product's interface.
struct ReplyJSON: Encodable {
  let text: String
  let reasoning: String?
  let strategy: String
  let parameters: EncodedStrategy
  /// The profile that said how to decode; absent without one.
  let profile: String?
  /// Whether a bound was shown for this setting of this model, under the conditions of this reply.
  let calibrated: Bool
  /// What is otherwise than it was calibrated; absent where nothing is, and where no bound was shown.
  let uncalibratedBecause: [MeasuredConditions.Difference]?
  /// Absent where nothing is penalised.
  let repetitionPenalty: Float?
  let frequencyPenalty: Float?
  let presencePenalty: Float?
  let model: NamedModel
  /// How a step's lanes reached the model: greedy replies of two lanes can differ by it.
  let stepMode: StepMode
  let stopReason: StopReason
  let tokens: [Token]
  let usage: Usage

  struct Token: Encodable {
    let id: TokenID
    let text: String
    let score: Float
    let logProbability: Double?
    let candidates: Candidates?
  }

  struct Candidates: Encodable {
    let guarded: [NamedCandidate]?
    let plain: [NamedCandidate]?
    let combined: [NamedCandidate]
  }

  struct NamedCandidate: Encodable {
    let id: TokenID
    let text: String
    let probability: Float
  }

  struct Usage: Encodable {
    let guardedPromptTokens: Int?
    let plainPromptTokens: Int?
    let prefilledTokens: Int
    let generatedTokens: Int
    let timeToFirstTokenSeconds: Double
    let totalSeconds: Double
  }

  init(
    _ reply: Reply, to chat: Chat, choice: DecodingChoice, options: GenerationOptions, model: NamedModel,
    stepMode: StepMode, vocabulary: any Vocabulary
  ) {
    let penalties = options.penalties
    let strategy = choice.strategy
    profile = choice.profile?.name
    let differences = choice.conditions.map { conditions -> [MeasuredConditions.Difference] in
      let isLonger = conditions.isExceeded(by: reply.summary.generatedTokens)
      return conditions.differences(of: options) + conditions.differences(of: chat)
        + (isLonger ? [MeasuredConditions.Difference.maxTokens] : [])
    }
    calibrated = differences?.isEmpty == true
    uncalibratedBecause = differences?.isEmpty == true ? nil : differences
    repetitionPenalty = penalties.set(\.repetition)
    frequencyPenalty = penalties.set(\.frequency)
    presencePenalty = penalties.set(\.presence)
    text = reply.text
    reasoning = reply.reasoning.isEmpty ? nil : reply.reasoning
    self.strategy = strategy.name
    parameters = EncodedStrategy(strategy)
    self.model = model
    self.stepMode = stepMode
    stopReason = reply.stopReason
    func named(_ candidates: [Candidate]) -> [NamedCandidate] {
      candidates.map {
        NamedCandidate(
          id: $0.token, text: String(decoding: vocabulary.bytes(of: $0.token), as: UTF8.self),
          probability: $0.probability)
      }
    }
    tokens = reply.tokens.map { token in
      Token(
        id: token.id, text: token.text, score: token.score, logProbability: token.trace?.logProbability,
        candidates: token.trace.map {
          Candidates(
            guarded: $0.lanes[.guarded].map(named), plain: $0.lanes[.plain].map(named),
            combined: named($0.combined))
        })
    }
    let summary = reply.summary
    usage = Usage(
      guardedPromptTokens: summary.promptTokens[.guarded], plainPromptTokens: summary.promptTokens[.plain],
      prefilledTokens: summary.prefilledTokens, generatedTokens: summary.generatedTokens,
      timeToFirstTokenSeconds: summary.timeToFirstToken.seconds, totalSeconds: summary.totalTime.seconds)
  }
}

/// The parameters of any strategy, by name, as it encodes itself.
struct EncodedStrategy: Encodable {
  private let strategy: any DecodingStrategy

  init(_ strategy: any DecodingStrategy) { self.strategy = strategy }

  func encode(to encoder: any Encoder) throws { try strategy.encode(to: encoder) }
}

extension Penalties {
  /// A penalty where it is on.
  func set(_ penalty: KeyPath<Penalties, Float>) -> Float? {
    let value = self[keyPath: penalty]
    return value == Penalties.none[keyPath: penalty] ? nil : value
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
