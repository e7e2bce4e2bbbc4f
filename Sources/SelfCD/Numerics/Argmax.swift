/// First maximum of a row of scores. NaN never wins; a row without a finite or positive-infinite score has none.
public enum Argmax {
  /// The greatest entry of a row and its index; the lower index where several are equal.
  ///
  /// - Parameter row: scores, `[vocabulary size]`; `-inf` marks excluded tokens.
  /// - Returns: `nil` where every entry is NaN or `-inf`.
  public static func first(of row: [Float]) -> ScoredToken? {
    row.withUnsafeBufferPointer { row in
      first(in: Row(values: row))
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
  @inline(__always)
  static func first(in scores: some ScoreSource) -> ScoredToken? {
    let count = scores.count
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
        let a = scores.vector(offset)
        let b = scores.vector(offset + width)
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
    var bestIndex = bestRange.first { scores.scalar($0) == best }
    for index in start..<count {
      let value = scores.scalar(index)
      if value > best {
        best = value
        bestIndex = index
      }
    }
    return bestIndex.map { ScoredToken(token: TokenID($0), score: best) }
  }
}

/// Scores that need not be stored. `vector` and `scalar` must compute the same expression, so that a maximum is
/// found again by equality.
///
/// A generic struct and not two closures: the optimiser inlines a closure that is called twice only when it likes,
/// and a call per vector doubles the time.
protocol ScoreSource {
  var count: Int { get }
  func vector(_ offset: Int) -> Argmax.Vector
  func scalar(_ index: Int) -> Float
}

extension Argmax {
  struct Row: ScoreSource {
    let values: UnsafeBufferPointer<Float>

    var count: Int { values.count }
    @inline(__always) func vector(_ offset: Int) -> Vector { load(values, offset) }
    @inline(__always) func scalar(_ index: Int) -> Float { values[index] }
  }
}
