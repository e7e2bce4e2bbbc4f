/// Why a generation ended.
public enum StopReason: String, Codable, Sendable, Hashable {
  /// The model ended its turn.
  case stop
  /// A stop string appeared.
  case stopString = "stop_string"
  /// The token limit, or the lane's context, was used up.
  case length
  /// It was cancelled, by its handle, its reader or the engine's shutdown; what was generated until then stays.
  case cancelled
}

/// The most likely tokens of each lane and of the combined distribution at one step.
///
/// The combined distribution is what a token is drawn from, before temperature and filters: behind contrast and all
/// processors (``DecodingChain``). Lanes are shown as the model gives them.
public struct StepTrace: Codable, Sendable, Hashable {
  /// Each remaining lane's most likely tokens, best first, by softmax of the lane's raw logits.
  public let lanes: [LaneRole: [Candidate]]
  /// The most likely tokens of the combined distribution, best first: softmax of the rule's scores, at temperature 1
  /// and before any filter of the sampling.
  public let combined: [Candidate]
  /// Natural logarithm of the chosen token's probability in the combined distribution.
  public let logProbability: Double
}

/// How the lanes stand to each other, and to the chosen token, at one step. A few numbers, where ``StepTrace`` keeps
/// candidates: cheap enough for every reply of an evaluation.
public struct LaneSummary: Codable, Sendable, Hashable {
  /// Jensen–Shannon divergence of the lanes' distributions in nats, 0 … ln 2; nil where only one lane is left.
  public let divergence: Double?
  /// Natural logarithm of the chosen token's probability in each lane.
  public let logProbabilities: [LaneRole: Double]

  /// Summarises rows of raw logits.
  init(_ logits: LaneLogits, token: TokenID) {
    let roles = LaneRole.allCases.filter(logits.contains)
    let normalizers = roles.map { Softmax.logSumExp(logits[$0]) }
    logProbabilities = zip(roles, normalizers).reduce(into: [:]) { result, lane in
      result[lane.0] = Double(logits[lane.0][Int(token)]) - lane.1
    }
    divergence =
      roles.count == 2
      ? JensenShannon.divergence(
        logits[roles[0]], logits[roles[1]], normalizers: (normalizers[0], normalizers[1])) : nil
  }
}

/// One generated token.
public struct GeneratedToken: Sendable, Hashable {
  /// The token's index in the vocabulary.
  public let id: TokenID
  /// The bytes it stands for, possibly part of a character.
  public let bytes: [UInt8]
  /// Which text it belongs to, on models that mark their reasoning; elsewhere always the answer.
  public internal(set) var part: TokenPart
  /// Its combined score z behind all processors, on the scale of the model's logits.
  public let score: Float
  /// The candidates at this step; `nil` unless ``GenerationOptions/traceCandidates`` asked for some.
  public let trace: StepTrace?
  /// Recorded for the first ``GenerationOptions/summarizedSteps`` tokens.
  public let lanes: LaneSummary?

  /// The token's bytes as text; where they are part of a character only, U+FFFD stands for it.
  public var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// What a generation reports while it runs. ``finished(_:)`` comes last, exactly once, unless an error is thrown.
public enum GenerationEvent: Sendable {
  /// A token was chosen and its part of the reply is known; the text it completes follows as an event of its own.
  case token(GeneratedToken)
  /// Text of the answer that is final: whole characters, and no beginning of a stop string.
  case text(String)
  /// Text of the reasoning before the answer, on models that mark it.
  case reasoning(String)
  /// The generation has ended and its lanes are free.
  case finished(GenerationSummary)
}

/// Figures of a finished generation.
public struct GenerationSummary: Codable, Sendable, Hashable {
  /// Why the generation ended.
  public let stopReason: StopReason
  /// Prompt tokens per lane.
  public let promptTokens: [LaneRole: Int]
  /// Prompt tokens that had to be computed, the rest being shared with other lanes or kept from before.
  public let prefilledTokens: Int
  /// Those of ``prefilledTokens`` that were computed for each lane's prompt; what lanes share counts for one of them. The
  /// others were read for probes. `nil` in summaries stored before it was kept.
  public let prefilledByLane: [LaneRole: Int]?
  /// Tokens that were chosen, the one that ended the turn included.
  public let generatedTokens: Int
  /// Tokens decoded behind the prompts, over all lanes: what the reply would have cost alone. Lanes shared with other
  /// generations make the engine compute fewer.
  public let decodedTokens: Int
  /// What the lanes held ready when the model ended its turn, if candidates were asked for.
  public let endTrace: StepTrace?
  /// From submission to the first token.
  public let timeToFirstToken: Duration
  /// From submission to the end.
  public let totalTime: Duration
}

/// Why a generation could not be run.
public enum GenerationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The prompt of this lane has no tokens; also a request without any prompt.
  case emptyPrompt(LaneRole)
  /// A text to be scored has no tokens.
  case emptyContinuation
  /// A prompt leaves no room for a reply: its tokens, and the tokens that a lane holds.
  case promptTooLong(role: LaneRole, tokens: Int, context: Int)
  /// The strategy needs more lanes at a time than the engine has, or has free.
  case tooManyLanes(needed: Int, available: Int)
  /// At this step, 0 for the first token, no token has a finite score: all are excluded, or the model gave NaN.
  case noFiniteScore(step: Int)
  /// A prompt has a token id outside `0 ..< vocabulary`.
  case invalidToken(TokenID, vocabulary: Int)
  /// The engine has been shut down and has no model any more.
  case engineStopped

  /// The error in words, with what to try.
  public var description: String {
    switch self {
    case .emptyPrompt(let role):
      "The \(role.rawValue) prompt has no tokens. Give a question, or check the chat template."
    case .emptyContinuation:
      "The text to be scored has no tokens. Give one that is not empty."
    case .promptTooLong(let role, let tokens, let context):
      """
      The \(role.rawValue) prompt has \(tokens) tokens, but a lane holds \(context) and needs room for an answer. \
      Shorten the prompt or use a larger --ctx-size.
      """
    case .tooManyLanes(let needed, let available):
      "This strategy needs \(needed) lanes, but the engine has \(available). Load the model with more lanes."
    case .noFiniteScore(let step):
      """
      At step \(step) every token was excluded: the model gave no finite logits. The file may be damaged, or alpha \
      too large for it.
      """
    case .invalidToken(let token, let vocabulary):
      "Token \(token) is outside the vocabulary of \(vocabulary) tokens."
    case .engineStopped:
      "The engine has been shut down."
    }
  }
}
