import SelfCD

/// The xoshiro256** 1.0 generator, seeded by four outputs of ``SplitMix64`` as its authors advise.
///
/// Matches `xoshiro256starstar.c` by Blackman and Vigna (public domain), "Scrambled linear pseudorandom number
/// generators", ACM TOMS 47 (2021). The standard library's generator cannot be seeded, and an evaluation whose
/// intervals change from run to run cannot be checked by anyone else.
public struct Xoshiro256StarStar: RandomNumberGenerator, Codable, Sendable, Hashable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  /// Starts from `seed`; every seed is valid (SplitMix64 never yields four zeros in a row).
  public init(seed: UInt64) {
    var filler = SplitMix64(seed: seed)
    s0 = filler.next()
    s1 = filler.next()
    s2 = filler.next()
    s3 = filler.next()
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    let result = rotateLeft(s1 &* 5, by: 7) &* 9
    let t = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = rotateLeft(s3, by: 45)
    return result
  }

  /// A number in [0, 1), drawn with 53 bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// An index in `0..<bound` without modulo bias.
  ///
  /// Lemire's multiply-and-reject ("Fast random integer generation in an interval", 2019), written out rather
  /// than taken from the standard library so that a seed keeps its meaning across Swift versions.
  /// - Precondition: none; a bound below 1 gives 0.
  public mutating func index(below bound: Int) -> Int {
    guard bound > 1 else { return 0 }
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold {
        product = next().multipliedFullWidth(by: range)
      }
    }
    return Int(product.high)
  }

  /// `count` of the elements, drawn without replacement, in random order: the first steps of Durstenfeld's shuffle (1964).
  ///
  /// Written out for the same reason as ``index(below:)``. All of them where there are fewer; none for a count below 1.
  public mutating func draw<Element>(_ count: Int, of elements: [Element]) -> [Element] {
    var elements = elements
    let wanted = min(max(count, 0), elements.count)
    for place in 0..<wanted { elements.swapAt(place, place + index(below: elements.count - place)) }
    return Array(elements.prefix(wanted))
  }
}

private func rotateLeft(_ value: UInt64, by count: UInt64) -> UInt64 {
  (value << count) | (value >> (64 &- count))
}
