import Foundation

/// What a model will take of memory, computed from its header before anything is loaded.
public struct MemoryEstimate: Codable, Sendable, Hashable {
  /// Bytes of all weights and adapters. The model's are mapped from its files, so that the system can drop and reread
  /// them (unless ``LlamaOptions/memoryMap`` is off); libllama copies adapters into memory of its own.
  public let weights: Int
  /// Bytes of the key-value cache, all lanes together. 0 where the header does not tell (recurrent models).
  public let cache: Int
  /// Bytes for logits and intermediate results, roughly.
  public let compute: Int

  /// Bytes of weights, cache and intermediate results together.
  public var total: Int { weights + cache + compute }

  /// - Throws: ``ModelFileError`` when a part of a split model is missing or damaged, ``LlamaError`` when the file
  ///   is no chat model.
  public init(_ file: GGUFFile, options: LlamaOptions) throws {
    // Before the guard: a later part of a split model has no metadata to be checked, and is to be named as that.
    let parts = try file.parts()
    let ownBytes = parts.reduce(0) { $0 + $1.tensorBytes }
    weights = try options.adapters.reduce(ownBytes) {
      try $0 + GGUFFile(path: $1.path).tensorBytes
    }
    try ModelGuard.check(file)
    let layers = file.hyperparameter("block_count")?.integer ?? 0
    let embedding = file.hyperparameter("embedding_length")?.integer ?? 0
    let heads = file.hyperparameter("attention.head_count")?.perLayer(layers) ?? []
    let kvHeads = file.hyperparameter("attention.head_count_kv")?.perLayer(layers) ?? heads
    let context = options.effectiveContext(trained: file.hyperparameter("context_length")?.integer ?? 0)
    // An absurd header must not overflow; a sum that is too large to hold is too large to load.
    func product(_ factors: Int...) -> Int {
      factors.reduce(1) { a, b in
        let (value, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? .max / 1024 : min(value, .max / 1024)
      }
    }
    let positions = product(context, options.lanes)
    var cache = 0
    for (heads, kvHeads) in zip(heads, kvHeads) where heads > 0 {
      let keyLength = file.hyperparameter("attention.key_length")?.integer ?? embedding / heads
      let valueLength = file.hyperparameter("attention.value_length")?.integer ?? embedding / heads
      cache = min(
        cache + product(options.cacheTypeK.bytes(of: product(kvHeads, keyLength)), positions), .max / 1024)
      cache = min(
        cache + product(options.cacheTypeV.bytes(of: product(kvHeads, valueLength)), positions), .max / 1024)
    }
    self.cache = cache
    let embeddings = parts.flatMap(\.tensors).first { $0.name == "token_embd.weight" }
    let vocabulary = embeddings?.dimensions.last ?? 0
    let feedForward = file.hyperparameter("feed_forward_length")?.perLayer(layers)?.max() ?? 4 * embedding
    // Rows of logits, and the widest intermediate results of one batch, in float32.
    compute =
      product(4, options.batchSize, 4 * embedding + 2 * feedForward) + product(8, options.lanes, vocabulary)
  }

  /// Bytes of memory that could be used now, where the system tells.
  public static var available: Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else {
      return Int(clamping: ProcessInfo.processInfo.physicalMemory)
    }
    for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }
    return nil
  }
}
