import ArgumentParser
import SelfCDLlama

/// Which attention kernel libllama uses: its results depend on the number of tokens in a call, the other one's
/// hardly do.
struct AttentionOption: ParsableArguments {
  @Option(
    name: .customLong("flash-attention"), help: "The fused attention kernel: auto, on or off.",
    transform: { text in
      guard let kernel = FlashAttention(rawValue: text) else {
        throw ValidationError("'\(text)' is none of auto, on, off.")
      }
      return kernel
    })
  var kernel = FlashAttention.auto
}
