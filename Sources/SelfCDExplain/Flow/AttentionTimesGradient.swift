import SelfCD

/// The product behind information flow: `I_l = | Σ_h A_{h,l} ⊙ ∂L/∂A_{h,l} |` at the last position's row (arXiv
/// 2401.17633, after Wang et al., arXiv 2305.14160).
///
/// The gradient itself comes from the backend: see `ModelInspector.saliency`.
enum AttentionTimesGradient {
  /// Every layer's flow, layers × positions, in nats.
  static func layers(_ saliency: AttentionSaliency) -> [[Double]] {
    zip(saliency.attention, saliency.gradient).map { layer($0, $1) }
  }

  /// One layer's flow by position; both arguments are heads × positions.
  static func layer(_ attention: [[Float]], _ gradient: [[Float]]) -> [Double] {
    guard let count = attention.first?.count else { return [] }
    return (0..<count).map { position in
      abs(zip(attention, gradient).reduce(0.0) { $0 + Double($1.0[position]) * Double($1.1[position]) })
    }
  }
}
