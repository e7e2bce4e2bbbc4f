/// What a condition costs: the third axis beside its two refusal rates.
///
/// Two measures, since neither is enough. Lanes per token are counted: they are the same on every machine, and
/// lanes that an evaluation shares between conditions do not distort them. The speed is timed (``SpeedTrial``): what
/// the lanes mean on one machine, for one reply at a time.
public struct ConditionCost: Codable, Sendable, Hashable {
  /// Tokens of the prompts of one reply, over all lanes, on average.
  public var promptTokens: Double
  /// Tokens that the model decodes for each token of the reply behind the first: 1 for one lane, 2 for two, between
  /// them where one lane is left after some steps. Nil where no reply has more than one token.
  public var lanesPerToken: Double?
  /// Tokens a second of one reply alone, behind its first; nil where it was not timed.
  public var tokensPerSecond: Double?
  /// The same as a share of the plain model's; nil where it was not timed.
  public var relativeSpeed: Double?

  /// Averages costs; nil where no reply's is known.
  /// - Parameters:
  ///   - costs: Of the condition's replies.
  ///   - tokensPerSecond: The condition's timed speed.
  ///   - plain: The plain model's timed speed.
  public init?(_ costs: [ReplyCost], tokensPerSecond: Double? = nil, plain: Double? = nil) {
    guard !costs.isEmpty else { return nil }
    promptTokens = Double(costs.reduce(0) { $0 + $1.promptTokens }) / Double(costs.count)
    // Nothing is decoded for the last token: it is chosen, and the reply is over.
    let behind = costs.reduce(0) { $0 + max(0, $1.generatedTokens - 1) }
    lanesPerToken = behind > 0 ? Double(costs.reduce(0) { $0 + $1.decodedTokens }) / Double(behind) : nil
    self.tokensPerSecond = tokensPerSecond
    relativeSpeed = tokensPerSecond.flatMap { own in plain.flatMap { $0 > 0 ? own / $0 : nil } }
  }
}
