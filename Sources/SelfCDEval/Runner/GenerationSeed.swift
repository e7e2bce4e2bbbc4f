import SelfCD

/// Derives a generation's seed from the run's and from which reply it is, so that order, batch size and
/// interruptions change nothing.
enum GenerationSeed {
  /// FNV-1a over the key's parts, each ended by a byte that UTF-8 cannot contain, then one step of ``SplitMix64``.
  static func derive(run seed: UInt64, _ key: ReplyKey) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: seed >> UInt64(shift))) }
    for part in [key.dataset, key.sample, key.condition, "\(key.repetition)"] {
      for byte in part.utf8 { add(byte) }
      add(0xFF)
    }
    var generator = SplitMix64(seed: hash)
    return generator.next()
  }
}
