/// First maximum of a row of scores. NaN never wins; a row without a finite or positive-infinite score has none.
public enum Argmax {
  public static func first(of row: [Float]) -> ScoredToken? {
    row.withUnsafeBufferPointer { row in
      first(count: row.count, vector: { load(row, $0) }, scalar: { row[$0] })
    }
  }

  typealias Vector = SIMD16<Float>

  @inline(__always)
  static func load(_ row: UnsafeBufferPointer<Float>, _ offset: Int) -> Vector {
    // The caller stays within `count`; an unaligned load is what any row of logits allows.
    UnsafeRawPointer(row.baseAddress.unsafelyUnwrapped + offset).loadUnaligned(as: Vector.self)
  }

  /// Blocks keep the search for the index cheap: only the winning block is read again.
  private static let vectorsPerBlock = 32

  /// One pass of vector maxima by block, then the index within the first block that holds the maximum.
  ///
  /// `vector` and `scalar` must compute the same expression, so that the maximum is found again by equality.
  @inline(__always)
  static func first(
    count: Int, vector: (_ offset: Int) -> Vector, scalar: (_ index: Int) -> Float
  ) -> ScoredToken? {
    let width = Vector.scalarCount
    let block = width * vectorsPerBlock
    var best = -Float.infinity
    var bestRange = 0..<0
    var start = 0
    while start + block <= count {
      // Two accumulators hide the latency of the comparison.
      var even = Vector(repeating: -.infinity)
      var odd = even
      var offset = start
      while offset < start + block {
        let a = vector(offset)
        let b = vector(offset + width)
        even.replace(with: a, where: a .> even)
        odd.replace(with: b, where: b .> odd)
        offset += 2 * width
      }
      even.replace(with: odd, where: odd .> even)
      let maximum = even.max()
      if maximum > best {
        best = maximum
        bestRange = start..<(start + block)
      }
      start += block
    }
    var bestIndex = bestRange.first { scalar($0) == best }
    for index in start..<count {
      let value = scalar(index)
      if value > best {
        best = value
        bestIndex = index
      }
    }
    return bestIndex.map { ScoredToken(token: TokenID($0), score: best) }
  }
}
