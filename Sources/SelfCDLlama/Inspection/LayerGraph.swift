import CLlama

/// A tensor of a ggml graph; freed with the context it was made in.
typealias Tensor = UnsafeMutablePointer<ggml_tensor>

/// The operations of one transformer layer, forward and backward, as nodes of a ggml graph.
///
/// Dimensions are written contiguous first. T tokens, D width, F feed-forward width, H heads, K key-value heads, h head
/// width. Gradients run to the layer's input and to the attention probabilities only; none of a weight is computed.
struct LayerGraph {
  let context: OpaquePointer
  let model: FlowArchitecture
  let weights: LayerWeights
  let layer: Int
  /// T.
  let count: Int
  /// Positions 0 … T−1, 32-bit integers.
  let positions: Tensor
  /// [T, T]: 0 where the row's position may attend to the column's, else −∞.
  let mask: Tensor
  let ropeFactors: Tensor?

  /// What the backward pass needs of the forward one.
  struct Forward {
    let input: Tensor
    /// Before and after the optional norm of queries and keys: [h, H, T] and [h, K, T].
    let queryBeforeNorm: Tensor
    let keyBeforeNorm: Tensor
    /// [h, T, H], [h, T, K], [h, T, K].
    let query: Tensor
    let key: Tensor
    let value: Tensor
    /// tanh of the capped scores, [T, T, H].
    let tanhScores: Tensor?
    /// [T keys, T queries, H].
    let attention: Tensor
    let attentionOutput: Tensor
    let middle: Tensor
    /// [F, T].
    let gate: Tensor
    let up: Tensor
    let feedForwardOutput: Tensor
    let output: Tensor
  }

  /// Gradients of the loss.
  struct Backward {
    /// ∂L/∂A, [T keys, T queries, H].
    let attention: Tensor
    /// ∂L/∂input, [D, T].
    let input: Tensor
  }

  // MARK: Forward

  func forward(_ input: Tensor) throws -> Forward {
    let normed = multiply(rmsNorm(input), try weight(.attentionNorm))
    let queryBeforeNorm = heads(try project(normed, .query, .queryBias), model.heads)
    let keyBeforeNorm = heads(try project(normed, .key, .keyBias), model.kvHeads)
    let value = byHead(heads(try project(normed, .value, .valueBias), model.kvHeads))
    let query = byHead(rotate(try headNorm(queryBeforeNorm, .queryNorm)))
    let key = byHead(rotate(try headNorm(keyBeforeNorm, .keyNorm)))

    var scores: Tensor = ggml_mul_mat(context, key, query)
    var tanhScores: Tensor?
    if model.attentionCap > 0 {
      let tanh: Tensor = ggml_tanh(
        context, ggml_scale(context, scores, model.attentionScale / model.attentionCap))
      tanhScores = tanh
      scores = ggml_scale(context, tanh, model.attentionCap)
    }
    let attention: Tensor = ggml_soft_max_ext(context, scores, mask, softmaxScale, 0)
    let mixed: Tensor = ggml_mul_mat(context, transposed(value), attention)
    let merged: Tensor = ggml_reshape_2d(
      context, contiguous(ggml_permute(context, mixed, 0, 2, 1, 3)), Int64(model.heads * model.headWidth),
      Int64(count))
    let attentionOutput = try project(merged, .output, .outputBias)
    let middle: Tensor = ggml_add(context, input, try postNorm(attentionOutput, .attentionPostNorm))

    let feedForwardInput = multiply(rmsNorm(middle), try weight(.feedForwardNorm))
    let gate = try project(feedForwardInput, .gate, nil)
    let up = try project(feedForwardInput, .up, nil)
    let feedForwardOutput = try project(multiply(activate(gate), up), .down, nil)
    let output: Tensor = ggml_add(context, middle, try postNorm(feedForwardOutput, .feedForwardPostNorm))
    return Forward(
      input: input, queryBeforeNorm: queryBeforeNorm, keyBeforeNorm: keyBeforeNorm, query: query, key: key,
      value: value, tanhScores: tanhScores, attention: attention, attentionOutput: attentionOutput,
      middle: middle, gate: gate, up: up, feedForwardOutput: feedForwardOutput, output: output)
  }

  /// With a cap the scale is inside the tanh.
  private var softmaxScale: Float { model.attentionCap > 0 ? 1 : model.attentionScale }

  // MARK: Backward

  /// - Parameter gradient: ∂L/∂output, [D, T].
  func backward(_ forward: Forward, _ gradient: Tensor) throws -> Backward {
    let feedForward = try postNormBack(gradient, forward.feedForwardOutput, .feedForwardPostNorm)
    let product = try back(feedForward, .down)
    let gate = activateBack(multiply(product, forward.up), forward.gate)
    let up = multiply(product, activate(forward.gate))
    let feedForwardInput: Tensor = ggml_add(context, try back(gate, .gate), try back(up, .up))
    let middle: Tensor = ggml_add(
      context, gradient, try normBack(feedForwardInput, forward.middle, .feedForwardNorm))

    let attentionOutput = try postNormBack(middle, forward.attentionOutput, .attentionPostNorm)
    let mixed = byHead(heads(try back(attentionOutput, .output), model.heads))
    let attention: Tensor = ggml_mul_mat(context, forward.value, mixed)
    let value = summedOverGroups(
      ggml_mul_mat(context, transposed(mixed), transposed(forward.attention)))

    var scores: Tensor = ggml_soft_max_ext_back(context, attention, forward.attention, softmaxScale, 0)
    if let tanh = forward.tanhScores {
      // d(c · tanh(s x / c))/dx = s (1 − tanh²)
      let slope: Tensor = ggml_scale_bias(
        context, ggml_sqr(context, tanh), -model.attentionScale, model.attentionScale)
      scores = multiply(scores, slope)
    }
    let query: Tensor = ggml_mul_mat(context, transposed(forward.key), scores)
    let key = summedOverGroups(ggml_mul_mat(context, transposed(forward.query), transposed(scores)))

    let queryInput = try headNormBack(
      rotateBack(byPosition(query)), forward.queryBeforeNorm, .queryNorm)
    let keyInput = try headNormBack(rotateBack(byPosition(key)), forward.keyBeforeNorm, .keyNorm)
    var normed: Tensor = ggml_add(
      context, try back(flat(queryInput), .query), try back(flat(keyInput), .key))
    normed = ggml_add(context, normed, try back(flat(byPosition(value)), .value))
    let input: Tensor = ggml_add(context, middle, try normBack(normed, forward.input, .attentionNorm))
    return Backward(attention: attention, input: input)
  }

  // MARK: Pieces

  private func weight(_ part: LayerPart) throws -> Tensor {
    guard let tensor = weights.tensor(part, in: context) else {
      throw InspectionError.failed(reason: "layer \(layer) has no \(part.rawValue)")
    }
    return tensor
  }

  private func multiply(_ a: Tensor, _ b: Tensor) -> Tensor { ggml_mul(context, a, b) }
  private func contiguous(_ a: Tensor) -> Tensor { ggml_cont(context, a) }
  private func transposed(_ a: Tensor) -> Tensor { contiguous(ggml_transpose(context, a)) }
  private func rmsNorm(_ a: Tensor) -> Tensor { ggml_rms_norm(context, a, model.epsilon) }

  /// W x + b.
  private func project(_ input: Tensor, _ part: LayerPart, _ bias: LayerPart?) throws -> Tensor {
    let product: Tensor = ggml_mul_mat(context, try weight(part), input)
    guard let bias, let bias = weights.tensor(bias, in: context) else { return product }
    return ggml_add(context, product, bias)
  }

  /// Wᵀ y.
  private func back(_ gradient: Tensor, _ part: LayerPart) throws -> Tensor {
    guard let transposed = weights.transposed(part, in: context) else {
      throw InspectionError.failed(reason: "layer \(layer) has no \(part.rawValue)")
    }
    return ggml_mul_mat(context, transposed, gradient)
  }

  /// [n h, T] as [h, n, T].
  private func heads(_ a: Tensor, _ count: Int) -> Tensor {
    ggml_reshape_3d(context, a, Int64(model.headWidth), Int64(count), Int64(self.count))
  }

  /// [h, n, T] as [h, T, n]; and back.
  private func byHead(_ a: Tensor) -> Tensor { contiguous(ggml_permute(context, a, 0, 2, 1, 3)) }
  private func byPosition(_ a: Tensor) -> Tensor { contiguous(ggml_permute(context, a, 0, 2, 1, 3)) }

  /// [h, n, T] as [n h, T].
  private func flat(_ a: Tensor) -> Tensor {
    ggml_reshape_2d(context, a, a.pointee.ne.0 * a.pointee.ne.1, a.pointee.ne.2)
  }

  /// [h, T, H] to [h, T, K]: what the heads that share a key-value head send back to it.
  private func summedOverGroups(_ a: Tensor) -> Tensor {
    let group = model.heads / model.kvHeads
    guard group > 1 else { return a }
    let size = Int64(model.headWidth * count)
    let shape: Tensor = ggml_new_tensor_3d(context, GGML_TYPE_F32, size, 1, Int64(model.kvHeads))
    let summed: Tensor = ggml_repeat_back(
      context, ggml_reshape_3d(context, a, size, Int64(group), Int64(model.kvHeads)), shape)
    return ggml_reshape_3d(context, summed, Int64(model.headWidth), Int64(count), Int64(model.kvHeads))
  }

  private var rope: (base: Float, scale: Float) {
    model.isSliding(layer)
      ? (model.slidingRopeBase, model.slidingRopeScale) : (model.ropeBase, model.ropeScale)
  }

  private func rotate(_ a: Tensor) -> Tensor {
    ggml_rope_ext(
      context, a, positions, ropeFactors, Int32(model.headWidth), model.ropeMode, 0, rope.base, rope.scale, 0,
      1,
      32, 1)
  }

  private func rotateBack(_ gradient: Tensor) -> Tensor {
    ggml_rope_ext_back(
      context, gradient, positions, ropeFactors, Int32(model.headWidth), model.ropeMode, 0, rope.base,
      rope.scale,
      0, 1, 32, 1)
  }

  private func headNorm(_ a: Tensor, _ part: LayerPart) throws -> Tensor {
    model.hasQueryKeyNorm ? multiply(rmsNorm(a), try weight(part)) : a
  }

  private func headNormBack(_ gradient: Tensor, _ input: Tensor, _ part: LayerPart) throws -> Tensor {
    model.hasQueryKeyNorm ? try normBack(gradient, input, part) : gradient
  }

  private func postNorm(_ a: Tensor, _ part: LayerPart) throws -> Tensor {
    model.hasPostNorms ? multiply(rmsNorm(a), try weight(part)) : a
  }

  private func postNormBack(_ gradient: Tensor, _ input: Tensor, _ part: LayerPart) throws -> Tensor {
    model.hasPostNorms ? try normBack(gradient, input, part) : gradient
  }

  private func normBack(_ gradient: Tensor, _ input: Tensor, _ part: LayerPart) throws -> Tensor {
    ggml_rms_norm_back(context, multiply(gradient, try weight(part)), input, model.epsilon)
  }

  // MARK: Activations

  private func activate(_ a: Tensor) -> Tensor {
    switch model.activation {
    case .silu: ggml_silu(context, a)
    case .geluTanh:
      // Not ggml's GELU, which looks its values up in float16: x (1 + tanh u) / 2.
      ggml_scale(context, multiply(a, ggml_scale_bias(context, geluTanh(a), 1, 1)), 0.5)
    }
  }

  private static let geluCubic: Float = 0.044715
  private static let geluFactor: Float = 0.797_884_560_802_865_4  // √(2/π)

  /// tanh u, u = √(2/π) (x + 0.044715 x³).
  private func geluTanh(_ a: Tensor) -> Tensor {
    let inner = ggml_scale_bias(
      context, ggml_sqr(context, a), Self.geluFactor * Self.geluCubic, Self.geluFactor)
    return ggml_tanh(context, ggml_mul(context, a, inner))
  }

  private func activateBack(_ gradient: Tensor, _ input: Tensor) -> Tensor {
    switch model.activation {
    case .silu: return ggml_silu_back(context, gradient, input)
    case .geluTanh:
      // (1 + t) / 2 + x (1 − t²) u′ / 2, u′ = √(2/π) (1 + 3 · 0.044715 x²)
      let tanh = geluTanh(input)
      let slope: Tensor = ggml_scale_bias(
        context, ggml_sqr(context, input), 3 * Self.geluFactor * Self.geluCubic, Self.geluFactor)
      let curve = multiply(
        multiply(input, ggml_scale_bias(context, ggml_sqr(context, tanh), -0.5, 0.5)), slope)
      let derivative: Tensor = ggml_add(context, ggml_scale_bias(context, tanh, 0.5, 0.5), curve)
      return multiply(gradient, derivative)
    }
  }
}
