/// The formula of Self-Contrastive Decoding over whole rows, and its fused maximum.
///
/// `z = g − α (g − p)`. α = 0 and α = 1 return the lane they stand for bit for bit; equal lanes give that lane
/// for every α. A token that either lane rules out (`-inf`), and any NaN, is ruled out, on whichever side of zero α is.
public enum Contrast {
  /// Writes `z` for every token. The two rows must have the same length, which `scores` takes on.
  public static func scores(guarded: [Float], plain: [Float], alpha: Float, into scores: inout [Float]) {
    precondition(guarded.count == plain.count, "lanes of one model have rows of one length")
    if alpha == 0 {
      scores = guarded
      return
    }
    if alpha == 1 {
      scores = plain
      return
    }
    if scores.count != guarded.count { scores = [Float](repeating: 0, count: guarded.count) }
    let count = guarded.count
    guarded.withUnsafeBufferPointer { guarded in
      plain.withUnsafeBufferPointer { plain in
        scores.withUnsafeMutableBufferPointer { scores in
          for index in 0..<count {
            let z = guarded[index] - alpha * (guarded[index] - plain[index])
            // NaN fails the comparison too.
            scores[index] = z < .infinity ? z : -.infinity
          }
        }
      }
    }
  }

  /// The first token with the greatest `z`, without writing the row: one pass over both rows.
  public static func argmax(guarded: [Float], plain: [Float], alpha: Float) -> ScoredToken? {
    precondition(guarded.count == plain.count, "lanes of one model have rows of one length")
    if alpha == 0 { return Argmax.first(of: guarded) }
    if alpha == 1 { return Argmax.first(of: plain) }
    return guarded.withUnsafeBufferPointer { guarded in
      plain.withUnsafeBufferPointer { plain in
        let rows = Rows(guarded: guarded, plain: plain, alpha: alpha)
        let best = Argmax.first(in: rows)
        // Ruling out +inf costs time in every vector, and a model gives none: look for it where it would win.
        guard best?.score == .infinity else { return best }
        return Argmax.first(in: FiniteRows(rows: rows))
      }
    }
  }

  private struct Rows: ScoreSource {
    let guarded: UnsafeBufferPointer<Float>
    let plain: UnsafeBufferPointer<Float>
    let alpha: Float

    var count: Int { guarded.count }

    @inline(__always) func vector(_ offset: Int) -> Argmax.Vector {
      let g = Argmax.load(guarded, offset)
      return g - Argmax.Vector(repeating: alpha) * (g - Argmax.load(plain, offset))
    }

    @inline(__always) func scalar(_ index: Int) -> Float {
      guarded[index] - alpha * (guarded[index] - plain[index])
    }
  }

  private struct FiniteRows: ScoreSource {
    let rows: Rows

    var count: Int { rows.count }

    @inline(__always) func vector(_ offset: Int) -> Argmax.Vector {
      let z = rows.vector(offset)
      return z.replacing(with: -.infinity, where: z .== Argmax.Vector(repeating: .infinity))
    }

    @inline(__always) func scalar(_ index: Int) -> Float {
      let z = rows.scalar(index)
      return z == .infinity ? -.infinity : z
    }
  }
}
