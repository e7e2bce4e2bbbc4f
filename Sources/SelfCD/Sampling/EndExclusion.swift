/// Keeps a reply from ending: excludes the tokens that end the model's turn, at the first steps or at all of them.
///
/// At the first steps it is vLLM's `min_tokens`; at all of them llama.cpp's `ignore_eos`, where the end is never chosen.
/// (In vLLM, `ignore_eos` lets the model say that its turn is over and goes on behind that.)
struct EndExclusion: LogitsProcessor, Hashable {
  /// The tokens that end a turn.
  let ends: [TokenID]
  /// They are excluded before this step.
  let steps: Int

  mutating func process(_ scores: inout [Float], step: Int) {
    guard step < steps else { return }
    for token in ends where scores.indices.contains(Int(token)) { scores[Int(token)] = -.infinity }
  }
}
