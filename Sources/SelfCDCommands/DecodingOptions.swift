import ArgumentParser
import SelfCD

/// How replies are decoded behind the strategy: penalties, drawing, length.
struct DecodingOptions: ParsableArguments {
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var penalties: PenaltyOptions

  func options(traceCandidates: Int = 0) -> GenerationOptions {
    var options = sampling.options(traceCandidates: traceCandidates)
    options.penalties = penalties.penalties
    return options
  }
}

/// Penalties on tokens that occurred before.
struct PenaltyOptions: ParsableArguments {
  @Option(
    help: .init(
      "Divide the scores of tokens in the prompt or the reply, multiply negative ones; 1 is off.",
      valueName: "number"))
  var repetitionPenalty: Float = 1

  var penalties: Penalties { Penalties(repetition: repetitionPenalty) }

  func validate() throws {
    do { try penalties.validate() } catch { throw ValidationError("\(error)") }
  }
}
