/// The SplitMix64 generator: 64 bits of state, one output a step. Used to spread a small seed over a larger state.
///
/// Matches `splitmix64.c` by Sebastiano Vigna (public domain), after Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014. Seed 1234567 gives 6457827717110365317 first.
public struct SplitMix64: RandomNumberGenerator, Codable, Sendable, Hashable {
  private var state: UInt64

  /// Starts from `seed`; every seed is valid.
  public init(seed: UInt64) {
    state = seed
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
