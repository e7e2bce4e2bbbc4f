import SelfCD

/// Attention followed through the layers, half of every step through the residual connection.
///
/// S. Abnar and W. Zuidema, "Quantifying Attention Flow in Transformers", ACL 2020, arXiv 2005.00928, equation 1, with
/// the mean over heads:
///
///     R_0 = I,   R_l = (A_l + I)/2 · R_{l−1}
///
/// It needs no gradient and knows nothing of the answer: the same prompt has the same rollout whatever is said next.
public enum AttentionRollout {
  /// The last position's row of R_l for each layer, layers × positions; each adds up to one.
  ///
  /// Only that row is wanted, so it is pulled back through the layers below instead of multiplying matrices:
  /// r ← r (A + I)/2 from layer l down to the first.
  public static func lastRows(of maps: AttentionMaps) -> [[Double]] {
    let count = maps.count
    guard count > 0 else { return [] }
    return maps.mean.indices.map { top in
      var row = [Double](repeating: 0, count: count)
      row[count - 1] = 1
      for layer in (0...top).reversed() {
        let matrix = maps.mean[layer]
        var next = row.map { $0 / 2 }
        for query in 0..<count where row[query] != 0 {
          let half = row[query] / 2
          for key in 0...query { next[key] += half * Double(matrix[query * count + key]) }
        }
        row = next
      }
      return row
    }
  }
}
