import SelfCD

/// Random tokens, the same for a seed here and in `peers/common.py`.
func randomPrompt(seed: UInt64, length: Int, vocabulary: Int) -> [TokenID] {
  var generator = SplitMix64(seed: seed)
  return (0..<length).map { _ in TokenID(generator.next() % UInt64(vocabulary)) }
}

/// The two prompts of one measurement. Both have the same length, so that no peer has to pad.
struct PromptPair {
  let guarded: [TokenID]
  let plain: [TokenID]

  init(seed: UInt64, length: Int, vocabulary: Int) {
    guarded = randomPrompt(seed: 2 * seed, length: length, vocabulary: vocabulary)
    plain = randomPrompt(seed: 2 * seed + 1, length: length, vocabulary: vocabulary)
  }
}
