/// Under what a setting of a model was measured, besides the setting itself: replies to single questions, by the model's
/// chat template, drawn from what the strategy makes and ended where the model ends them.
///
/// A bound that was shown holds for replies under the same conditions, and for no others.
public struct MeasuredConditions: Sendable, Hashable {
  /// Most tokens of a reply.
  public var maximumTokens: Int
  /// 0 for greedy decoding.
  public var temperature: Float
  /// The system prompt that every question had; nil for none.
  public var system: String?
  /// Where contrast began on reasoning models.
  public var contrastStart: ContrastStart

  /// Something that is otherwise than it was measured, by the name that requests and options have for it.
  public enum Difference: String, Sendable, Hashable, CaseIterable, Codable {
    /// Another temperature.
    case temperature
    /// Tokens are filtered before one is drawn (`top_k`, `top_p` and the like), which has no effect on greedy decoding.
    case filters
    /// A repetition penalty.
    case repetitionPenalty = "repetition_penalty"
    /// A frequency penalty.
    case frequencyPenalty = "frequency_penalty"
    /// A presence penalty.
    case presencePenalty = "presence_penalty"
    /// A bias on tokens.
    case logitBias = "logit_bias"
    /// The model may not end its turn before a number of tokens.
    case minTokens = "min_tokens"
    /// The model cannot end its turn.
    case ignoreEOS = "ignore_eos"
    /// Contrast begins elsewhere on reasoning models.
    case contrastFrom = "contrast_from"
    /// Another system prompt, or one where there was none, or none where there was one.
    case system
    /// More than one question: earlier turns stand before it.
    case messages
    /// The reply has to keep to a format, a schema or a grammar.
    case format
    /// The reply was begun for the model.
    case prefill
    /// A text is continued without the chat template.
    case template
    /// The reply is longer than those that were measured.
    case maxTokens = "max_tokens"
  }

  /// Describes conditions; by default those that the paper measures under, greedy replies of at most 200 tokens.
  public init(
    maximumTokens: Int = 200, temperature: Float = 0, system: String? = nil,
    contrastStart: ContrastStart = .answer
  ) {
    self.maximumTokens = maximumTokens
    self.temperature = temperature
    self.system = system
    self.contrastStart = contrastStart
  }

  /// How replies are drawn and ended otherwise than here. Their length is known when they are there
  /// (``isExceeded(by:)``); stop strings only cut what would have been said anyway.
  public func differences(of options: GenerationOptions) -> [Difference] {
    let sampling = options.sampling
    let drops: [Bool] = [
      sampling.topK != nil, sampling.topP.map { $0 < 1 } ?? false, sampling.minP.map { $0 > 0 } ?? false,
      sampling.typicalP.map { $0 < 1 } ?? false, sampling.topNSigma != nil,
    ]
    let known: [(Difference, Bool)] = [
      (.temperature, sampling.temperature != temperature),
      (.filters, !sampling.isGreedy && drops.contains(true)),
      (.repetitionPenalty, options.penalties.repetition != Penalties.none.repetition),
      (.frequencyPenalty, options.penalties.frequency != Penalties.none.frequency),
      (.presencePenalty, options.penalties.presence != Penalties.none.presence),
      (.logitBias, !options.bias.isEmpty),
      (.minTokens, options.minimumTokens > 0),
      (.ignoreEOS, options.ignoresEnd),
      (.contrastFrom, options.contrastStart != contrastStart),
    ]
    return known.filter(\.1).map(\.0)
  }

  /// What is otherwise about a chat than about the questions that were measured.
  /// - Parameters:
  ///   - chat: What is asked.
  ///   - isContinued: Whether its last message is the beginning of the reply.
  public func differences(of chat: Chat, isContinued: Bool = false) -> [Difference] {
    var turns = chat.messages[...]
    if isContinued { turns = turns.dropLast() }
    if turns.first?.role == .system { turns = turns.dropFirst() }
    let known: [(Difference, Bool)] = [
      // An empty system message is one, too: templates may say something else of their own where there is none.
      (.system, (chat.messages.first?.role == .system ? chat.messages[0].content : nil) != system),
      (.messages, turns.map(\.role) != [.user]),
      (.prefill, isContinued),
    ]
    return known.filter(\.1).map(\.0)
  }

  /// Whether a reply is longer than any that was measured: what stands behind that length was never judged.
  public func isExceeded(by generatedTokens: Int) -> Bool { generatedTokens > maximumTokens }
}
