import CLlama
import Foundation

/// What the gradient needs to know of a model: the shapes and constants of a verified architecture.
///
/// Each family's gradient is compared with PyTorch's autograd on the same weights (`FlowGoldenTests`); what is not in
/// that list is not called supported. As libllama builds them: `src/models/{llama,qwen2,qwen3,gemma2,gemma3}.cpp`.
struct FlowArchitecture: Sendable {
  enum Activation: Sendable { case silu, geluTanh }

  /// Architectures whose gradient has been verified, by libllama's names. `llama` is also Mistral's.
  static let verified = ["llama", "qwen2", "qwen3", "gemma2", "gemma3"]

  let name: String
  let layers: Int
  let width: Int
  let feedForward: Int
  let heads: Int
  let kvHeads: Int
  let headWidth: Int
  let vocabulary: Int
  let epsilon: Float
  let ropeMode: Int32
  let ropeBase: Float
  let ropeScale: Float
  /// Of layers with a sliding window.
  let slidingRopeBase: Float
  let slidingRopeScale: Float
  /// Positions a sliding layer attends to; 0 for none.
  let window: Int
  /// Every how many layers one attends to everything; 0 where all do.
  let windowPattern: Int
  let attentionScale: Float
  /// c of c · tanh(x / c) on attention scores and on logits; 0 for none.
  let attentionCap: Float
  let logitCap: Float
  let activation: Activation
  let embeddingScale: Float
  let hasQueryKeyNorm: Bool
  let hasPostNorms: Bool
  let outputName: String
  let outputBias: String?
  /// Llama 3's divisors of the rotary frequencies.
  let ropeFactors: String?

  func isSliding(_ layer: Int) -> Bool {
    window > 0 && windowPattern > 0 && layer % windowPattern < windowPattern - 1
  }

  /// - Throws: ``InspectionError/unverifiedArchitecture(name:reason:)``.
  init(_ file: GGUFFile, _ weights: WeightFile) throws {
    let name = file.architecture ?? "unknown"
    func refuse(_ reason: String) -> InspectionError { .unverifiedArchitecture(name: name, reason: reason) }
    guard Self.verified.contains(name) else { throw refuse("nobody compared its gradient with autograd") }
    func integer(_ key: String) throws -> Int {
      guard let value = file.hyperparameter(key)?.integer, value > 0 else {
        throw refuse("\(key) is missing, or differs from layer to layer")
      }
      return value
    }
    func number(_ key: String) -> Float? {
      switch file.hyperparameter(key) {
      case .number(let value)?: Float(value)
      case .integer(let value)?: Float(value)
      default: nil
      }
    }
    let isGemma = name.hasPrefix("gemma")
    self.name = name
    layers = try integer("block_count")
    width = try integer("embedding_length")
    feedForward = try integer("feed_forward_length")
    heads = try integer("attention.head_count")
    kvHeads =
      file.hyperparameter("attention.head_count_kv") == nil
      ? heads : try integer("attention.head_count_kv")
    headWidth = file.hyperparameter("attention.key_length")?.integer ?? width / heads
    let valueWidth = file.hyperparameter("attention.value_length")?.integer ?? width / heads
    guard headWidth == valueWidth, headWidth > 0, headWidth % 2 == 0, heads % kvHeads == 0 else {
      throw refuse("its keys and values have different or odd widths")
    }
    guard (file.hyperparameter("rope.dimension_count")?.integer ?? headWidth) == headWidth else {
      throw refuse("only a part of each head is rotated")
    }
    guard (file.hyperparameter("expert_count")?.integer ?? 0) == 0 else {
      throw refuse("it is a mixture of experts")
    }
    guard let epsilon = number("attention.layer_norm_rms_epsilon") else {
      throw refuse("it has no norm epsilon")
    }
    self.epsilon = epsilon
    let scaling = file.hyperparameter("rope.scaling.type")?.string ?? "linear"
    guard ["none", "linear"].contains(scaling) else { throw refuse("its positions are scaled by \(scaling)") }
    guard (number("rope.scaling.attn_factor") ?? 1) == 1 else { throw refuse("its rotation is scaled") }
    let factor = number("rope.scaling.factor") ?? number("rope.scale_linear") ?? 0
    ropeBase = number("rope.freq_base") ?? 10_000
    ropeScale = scaling == "none" || factor == 0 ? 1 : 1 / factor
    ropeMode = name == "llama" ? 0 : GGML_ROPE_TYPE_NEOX

    switch file.hyperparameter("attention.sliding_window_pattern") {
    case nil: windowPattern = name == "gemma2" ? 2 : name == "gemma3" ? 6 : 0
    case .integer(let value)? where value > 0: windowPattern = value
    default: throw refuse("its sliding layers are listed one by one")
    }
    let window = file.hyperparameter("attention.sliding_window")?.integer
    // libllama reads no window for the other families.
    self.window = isGemma ? window ?? (name == "gemma2" ? 4096 : 0) : 0
    slidingRopeBase = number("rope.freq_base_swa") ?? (name == "gemma3" ? 10_000 : ropeBase)
    slidingRopeScale = name == "gemma3" ? 1 : ropeScale

    let perHead = 1 / Float(headWidth).squareRoot()
    // As libllama tells the 27B models apart: by their depth.
    let isLargest = name == "gemma2" && layers == 46 || name == "gemma3" && layers == 62
    if isLargest {
      attentionScale = 1 / Float(width / heads).squareRoot()
    } else if let scale = number("attention.scale"), scale != 0 {
      guard name == "llama" else { throw refuse("its attention has a scale of its own") }
      attentionScale = scale
    } else {
      attentionScale = perHead
    }
    attentionCap = name == "gemma2" ? number("attn_logit_softcapping") ?? 50 : 0
    logitCap =
      switch name {
      case "gemma2": number("final_logit_softcapping") ?? 30
      case "gemma3": number("final_logit_softcapping") ?? 0
      default: 0
      }
    activation = isGemma ? .geluTanh : .silu
    embeddingScale = isGemma ? Float(width).squareRoot() : 1
    guard number("embedding_scale") == nil, number("residual_scale") == nil, number("logit_scale") == nil
    else {
      throw refuse("it scales its embeddings, residual stream or logits")
    }
    hasQueryKeyNorm = name == "qwen3" || name == "gemma3"
    hasPostNorms = isGemma
    outputName = weights.dimensions("output.weight") == nil ? "token_embd.weight" : "output.weight"
    outputBias = weights.dimensions("output.bias") == nil ? nil : "output.bias"
    ropeFactors =
      name == "llama" && weights.dimensions("rope_freqs.weight") != nil ? "rope_freqs.weight" : nil
    guard let embedding = weights.dimensions("token_embd.weight"), embedding.count == 2, embedding[0] == width
    else { throw refuse("its embeddings have an unexpected shape") }
    vocabulary = embedding[1]
    try checkTensors(weights, refuse)
  }

  /// Every tensor of the file has to be one that the gradient knows, in the shape it expects.
  private func checkTensors(_ weights: WeightFile, _ refuse: (String) -> InspectionError) throws {
    var known: Set = ["token_embd.weight", "output_norm.weight", outputName]
    if let outputBias { known.insert(outputBias) }
    if let ropeFactors { known.insert(ropeFactors) }
    func check(_ name: String, _ shape: [Int]) throws {
      guard weights.dimensions(name) == shape, weights.isReadable(name) else {
        throw refuse("its tensor \(name) is missing, of another shape or in an unknown format")
      }
    }
    try check("output_norm.weight", [width])
    try check(outputName, [width, vocabulary])
    if let outputBias { try check(outputBias, [vocabulary]) }
    if let ropeFactors { try check(ropeFactors, [headWidth / 2]) }
    for layer in 0..<layers {
      for part in LayerPart.allCases {
        let name = part.name(layer)
        known.insert(name)
        guard weights.dimensions(name) != nil || part.isRequired(self) else { continue }
        try check(name, part.shape(self))
      }
    }
    if let unknown = weights.names.first(where: { !known.contains($0) }) {
      throw refuse("it has a tensor \(unknown) that the gradient knows nothing of")
    }
  }
}

/// The tensors of one layer.
enum LayerPart: String, CaseIterable, Sendable {
  case attentionNorm = "attn_norm.weight"
  case query = "attn_q.weight"
  case key = "attn_k.weight"
  case value = "attn_v.weight"
  case output = "attn_output.weight"
  case queryBias = "attn_q.bias"
  case keyBias = "attn_k.bias"
  case valueBias = "attn_v.bias"
  case outputBias = "attn_output.bias"
  case queryNorm = "attn_q_norm.weight"
  case keyNorm = "attn_k_norm.weight"
  case attentionPostNorm = "post_attention_norm.weight"
  case feedForwardNorm = "ffn_norm.weight"
  case gate = "ffn_gate.weight"
  case up = "ffn_up.weight"
  case down = "ffn_down.weight"
  case feedForwardPostNorm = "post_ffw_norm.weight"

  func name(_ layer: Int) -> String { "blk.\(layer).\(rawValue)" }

  var isMatrix: Bool {
    switch self {
    case .query, .key, .value, .output, .gate, .up, .down: true
    default: false
    }
  }

  func isRequired(_ model: FlowArchitecture) -> Bool {
    switch self {
    case .queryBias, .keyBias, .valueBias, .outputBias: false
    case .queryNorm, .keyNorm: model.hasQueryKeyNorm
    case .attentionPostNorm, .feedForwardPostNorm: model.hasPostNorms
    default: true
    }
  }

  /// The contiguous dimension, the input, first.
  func shape(_ model: FlowArchitecture) -> [Int] {
    let queries = model.heads * model.headWidth
    let keys = model.kvHeads * model.headWidth
    return switch self {
    case .attentionNorm, .attentionPostNorm, .feedForwardNorm, .feedForwardPostNorm, .outputBias:
      [model.width]
    case .query: [model.width, queries]
    case .key, .value: [model.width, keys]
    case .output: [queries, model.width]
    case .queryBias: [queries]
    case .keyBias, .valueBias: [keys]
    case .queryNorm, .keyNorm: [model.headWidth]
    case .gate, .up: [model.width, model.feedForward]
    case .down: [model.feedForward, model.width]
    }
  }
}
