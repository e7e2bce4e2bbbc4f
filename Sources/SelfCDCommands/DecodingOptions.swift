import ArgumentParser
import SelfCD

/// How replies are decoded behind the strategy: penalties, a bias, the end of the turn, drawing, length.
struct DecodingOptions: ParsableArguments {
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var penalties: PenaltyOptions
  @OptionGroup var bias: BiasOptions
  @OptionGroup var ends: EndOptions

  func options(traceCandidates: Int = 0) -> GenerationOptions {
    var options = sampling.options(traceCandidates: traceCandidates)
    options.penalties = penalties.penalties
    options.bias = bias.bias
    options.minimumTokens = ends.minTokens
    options.ignoresEnd = ends.ignoreEos
    return options
  }

  func validate() throws {
    guard ends.minTokens <= sampling.maxTokens else {
      throw ValidationError(
        "--min-tokens is \(ends.minTokens), more than --max-tokens, which is \(sampling.maxTokens).")
    }
  }
}

/// Penalties on tokens that occurred before.
struct PenaltyOptions: ParsableArguments {
  @Option(
    help: .init(
      "Divide the scores of tokens in the prompt or the reply, multiply negative ones; 1 is off.",
      valueName: "number"))
  var repetitionPenalty: Float = 1

  @Option(
    parsing: .unconditional,
    help: .init(
      "Lower the score of a token by this for each time that it occurs in the reply; 0 is off.",
      valueName: "number"))
  var frequencyPenalty: Float = 0

  @Option(
    parsing: .unconditional,
    help: .init("Lower the scores of tokens that occur in the reply by this; 0 is off.", valueName: "number"))
  var presencePenalty: Float = 0

  var penalties: Penalties {
    Penalties(repetition: repetitionPenalty, frequency: frequencyPenalty, presence: presencePenalty)
  }

  func validate() throws {
    do { try penalties.validate() } catch { throw ValidationError("\(error)") }
  }
}

/// A bias on single tokens.
struct BiasOptions: ParsableArguments {
  @Option(
    help: .init(
      "Add to a token's score, as in 13=-5.5, within ±100. 'selfcd generate --json' has the tokens' numbers. Repeatable.",
      valueName: "token=number"))
  var logitBias: [String] = []

  /// What is added, by token; of two numbers for one token the last holds.
  var bias: [TokenID: Float] {
    logitBias.compactMap(Self.pair).reduce(into: [:]) { $0[$1.token] = $1.number }
  }

  private static func pair(_ text: String) -> (token: TokenID, number: Float)? {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let token = TokenID(parts[0]), token >= 0, let number = Float(parts[1]),
      (-100...100).contains(number)
    else { return nil }
    return (token: token, number: number)
  }

  func validate() throws {
    guard let wrong = logitBias.first(where: { Self.pair($0) == nil }) else { return }
    throw ValidationError(
      "--logit-bias is '\(wrong)', but it must be TOKEN=NUMBER: a token's number, 0 or more, and a number from -100 to "
        + "100, as in 13=-5.5.")
  }
}

/// Where the model's turn may end.
struct EndOptions: ParsableArguments {
  @Option(help: .init("Keep the model from ending its turn before this many tokens.", valueName: "n"))
  var minTokens = 0

  @Flag(
    help: "Keep the model from ending its turn: replies have --max-tokens tokens, or end before a --stop.")
  var ignoreEos = false

  func validate() throws {
    guard minTokens >= 0 else { throw ValidationError("--min-tokens must be 0 or more.") }
  }
}
