import CLlama
import Foundation
import SelfCD

/// The number format of the key-value cache: fewer bits need less memory and blur the logits.
public enum CacheType: String, Codable, Sendable, CaseIterable {
  /// 32-bit floats: exact, and twice the memory of the default.
  case f32
  /// 16-bit floats, the default.
  case f16
  /// 16-bit floats with the range of 32-bit ones and fewer digits.
  case bf16
  /// 8.5 bits a value: blocks of 32 with one scale.
  case q80 = "q8_0"
  /// 6 bits a value: 5-bit blocks of 32 with a scale and a minimum.
  case q51 = "q5_1"
  /// 5.5 bits a value: 5-bit blocks of 32 with one scale.
  case q50 = "q5_0"
  /// 5 bits a value: 4-bit blocks of 32 with a scale and a minimum.
  case q41 = "q4_1"
  /// 4.5 bits a value: 4-bit blocks of 32 with one scale; blurs the logits most.
  case q40 = "q4_0"

  var ggml: ggml_type {
    switch self {
    case .f32: GGML_TYPE_F32
    case .f16: GGML_TYPE_F16
    case .bf16: GGML_TYPE_BF16
    case .q80: GGML_TYPE_Q8_0
    case .q51: GGML_TYPE_Q5_1
    case .q50: GGML_TYPE_Q5_0
    case .q41: GGML_TYPE_Q4_1
    case .q40: GGML_TYPE_Q4_0
    }
  }

  var isQuantized: Bool { ![.f32, .f16, .bf16].contains(self) }

  /// Bytes of `count` numbers in this format.
  func bytes(of count: Int) -> Int {
    let block = Int(ggml_blck_size(ggml))
    return (count + block - 1) / block * ggml_type_size(ggml)
  }
}

/// Whether attention is computed by the fused kernel.
public enum FlashAttention: String, Codable, Sendable, CaseIterable {
  /// Where libllama finds that the model and the device support it.
  case auto
  /// Asked for in any case, whatever the device.
  case on
  /// Never; the values' cache cannot be quantised then.
  case off

  var llama: llama_flash_attn_type {
    switch self {
    case .auto: LLAMA_FLASH_ATTN_TYPE_AUTO
    case .on: LLAMA_FLASH_ATTN_TYPE_ENABLED
    case .off: LLAMA_FLASH_ATTN_TYPE_DISABLED
    }
  }
}

/// How a model is loaded and run.
public struct LlamaOptions: Codable, Sendable, Hashable {
  /// Layers put on the GPU: 0 none, negative all. Without a GPU build this has no effect.
  public var gpuLayers: Int
  /// CPU threads; `nil` takes one for models so small that threads only wait for each other, else one per core up
  /// to four, then half of them (hyper-threads do not help), and fewer while other programs use the cores.
  public var threads: Int?
  /// Tokens per lane; `nil` takes what the model was trained for, at most 4096.
  public var contextSize: Int?
  /// Sequences that can be decoded at the same time.
  public var lanes: Int
  /// Tokens per call of the model.
  public var batchSize: Int
  /// Number format of the cached keys.
  public var cacheTypeK: CacheType
  /// Number format of the cached values; a quantised one cannot go with ``flashAttention`` off.
  public var cacheTypeV: CacheType
  /// Whether attention is computed by the fused kernel, which needs less memory on long contexts.
  public var flashAttention: FlashAttention
  /// Lanes share one buffer, so that shared prefixes take memory once; 12 to 36 % slower from 16 lanes up.
  public var unifiedCache: Bool
  /// Map the file instead of reading it.
  public var memoryMap: Bool
  /// Check every weight for NaN and infinity while loading.
  public var checkTensors: Bool
  /// LoRA adapters and control vectors; all of them are in force together.
  public var adapters: [ModelAdapter]

  /// Makes options of what is named and defaults that suit a laptop; ``validate()`` checks the ranges.
  public init(
    gpuLayers: Int = -1, threads: Int? = nil, contextSize: Int? = nil, lanes: Int = 4, batchSize: Int = 512,
    cacheTypeK: CacheType = .f16, cacheTypeV: CacheType = .f16, flashAttention: FlashAttention = .auto,
    unifiedCache: Bool = false, memoryMap: Bool = true, checkTensors: Bool = false,
    adapters: [ModelAdapter] = []
  ) {
    self.gpuLayers = gpuLayers
    self.threads = threads
    self.contextSize = contextSize
    self.lanes = lanes
    self.batchSize = batchSize
    self.cacheTypeK = cacheTypeK
    self.cacheTypeV = cacheTypeV
    self.flashAttention = flashAttention
    self.unifiedCache = unifiedCache
    self.memoryMap = memoryMap
    self.checkTensors = checkTensors
    self.adapters = adapters
  }

  static let defaultContextLimit = 4096

  /// Below this many bytes of weights a step is over before a second thread has joined it; and where other programs
  /// use the cores, threads that wait for each other by spinning make it hundreds of times slower.
  private static let singleThreadLimit: UInt64 = 48 << 20

  /// The threads of every step: those that are given, or what the machine has to spare.
  func threadBudget(for model: LlamaModel) -> ThreadBudget {
    if let threads { return ThreadBudget(fixed: threads) }
    if llama_model_size(model.handle) < Self.singleThreadLimit { return ThreadBudget(fixed: 1) }
    let cores = ThreadBudget.cores
    return ThreadBudget(most: cores <= 4 ? cores : cores / 2, cores: cores, since: model.useBeforeLoading)
  }

  func effectiveContext(trained: Int) -> Int {
    contextSize ?? min(max(trained, 1), Self.defaultContextLimit)
  }

  /// - Throws: ``LlamaError/invalidOption(name:value:allowed:)``.
  public func validate() throws(LlamaError) {
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(LlamaError) {
      guard range.contains(value) else {
        throw .invalidOption(
          name: name, value: "\(value)", allowed: "from \(range.lowerBound) to \(range.upperBound)")
      }
    }
    try check("--lanes", lanes, 1...Int(llama_max_parallel_sequences()))
    try check("--batch-size", batchSize, lanes...65_536)
    if let threads { try check("--threads", threads, 1...512) }
    if let contextSize { try check("--ctx-size", contextSize, 8...(1 << 24)) }
    try check("--gpu-layers", gpuLayers, -1...100_000)
    for adapter in adapters where !adapter.scale.isFinite {
      throw .invalidOption(
        name: adapter.kind == .lora ? "--lora" : "--control-vector",
        value: "\(adapter.path)=\(adapter.scale)",
        allowed: "a file with a finite factor")
    }
    guard !(cacheTypeV.isQuantized && flashAttention == .off) else {
      throw .invalidOption(
        name: "--cache-type-v", value: cacheTypeV.rawValue,
        allowed: "f32, f16 or bf16 where --flash-attn is off: the quantised formats need it")
    }
  }
}
