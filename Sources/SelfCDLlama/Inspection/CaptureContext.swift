import CLlama
import Foundation
import SelfCD

/// A second context of a loaded model that reads one prompt at a time and keeps what was computed on the way.
///
/// Fused attention is off, so that attention probabilities exist at all, and the cache is float32. Used from one
/// thread.
final class CaptureContext {
  private let model: LlamaModel
  private let context: OpaquePointer
  private let memory: llama_memory_t?
  private var batch: llama_batch
  private let recorder: Recorder
  private let box: EvalHookBox
  private let abort: AbortSignal
  /// The longest prompt it can read.
  let capacity: Int

  /// - Throws: ``LlamaError``.
  init(model: LlamaModel, capacity: Int, abort: AbortSignal) throws {
    let recorder = Recorder()
    let box = EvalHookBox(recorder)
    let (context, complaints) = LlamaRuntime.complaints {
      var parameters = llama_context_default_params()
      parameters.n_ctx = UInt32(capacity)
      // The whole prompt in one piece: a piece sees only its own attention.
      parameters.n_batch = UInt32(capacity)
      parameters.n_ubatch = UInt32(capacity)
      parameters.n_seq_max = 1
      parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED
      parameters.type_k = GGML_TYPE_F32
      parameters.type_v = GGML_TYPE_F32
      parameters.swa_full = true
      parameters.no_perf = true
      parameters.abort_callback = { data in
        guard let data else { return false }
        return Unmanaged<AbortSignal>.fromOpaque(data).takeUnretainedValue().isRaised
      }
      parameters.abort_callback_data = Unmanaged.passUnretained(abort).toOpaque()
      box.install(in: &parameters)
      return llama_init_from_model(model.handle, parameters)
    }
    guard let context else { throw LlamaError.contextFailed(reason: complaints) }
    do {
      try model.adapters.apply(to: context)
    } catch {
      llama_free(context)
      throw error
    }
    self.model = model
    self.context = context
    self.recorder = recorder
    self.box = box
    self.abort = abort
    self.capacity = capacity
    memory = llama_get_memory(context)
    batch = llama_batch_init(Int32(capacity), 0, 1)
  }

  deinit {
    llama_batch_free(batch)
    llama_free(context)
  }

  /// What is to be kept of a prompt.
  enum Wish: Equatable {
    /// Attention of every layer; the whole matrix, or the last position's rows only.
    case attention(matrices: Bool)
    /// What each layer hands on, at these positions.
    case residuals([Int])
  }

  /// What was kept.
  struct Capture {
    /// layers × heads × T.
    var lastAttention: [Int: [[Float]]] = [:]
    /// layers × (T × T), the mean over heads.
    var meanAttention: [Int: [Float]] = [:]
    /// layers × positions × width.
    var residuals: [Int: [[Float]]] = [:]
    /// Behind the last token, `[vocabulary]`.
    var logits: [Float] = []
  }

  /// Reads a prompt from an empty cache.
  ///
  /// - Throws: ``InspectionError``, `CancellationError`.
  func read(_ tokens: [TokenID], _ wish: Wish, threads: Int) throws -> Capture {
    llama_set_n_threads(context, Int32(threads), Int32(threads))
    if let memory { llama_memory_clear(memory, true) }
    var outputs: [Int] = [tokens.count - 1]
    if case .residuals(let positions) = wish { outputs = Set(positions + outputs).sorted() }
    for (index, token) in tokens.enumerated() {
      batch.token[index] = token
      batch.pos[index] = Int32(index)
      batch.n_seq_id[index] = 1
      batch.seq_id[index]?[0] = 0
      batch.logits[index] = 0
    }
    for index in outputs { batch.logits[index] = 1 }
    batch.n_tokens = Int32(tokens.count)
    recorder.begin(wish, count: tokens.count, outputs: outputs)
    let code = llama_decode(context, batch)
    if code == 2 { throw CancellationError() }
    guard code == 0 else { throw InspectionError.failed(reason: "llama_decode returned \(code)") }
    guard let row = llama_get_logits_ith(context, Int32(tokens.count - 1)) else {
      throw InspectionError.failed(reason: "libllama gave no logits")
    }
    var capture = recorder.take()
    capture.logits = Array(UnsafeBufferPointer(start: row, count: model.vocabularySize))
    guard capture.logits.allSatisfy({ !$0.isNaN }) else { throw InspectionError.notFinite(what: "logits") }
    return capture
  }
}

/// Keeps what a wish asks for; what has an unexpected shape is left out, and missed afterwards.
private final class Recorder: EvalHook {
  private var wish: CaptureContext.Wish?
  private var count = 0
  private var outputs: [Int] = []
  private var capture = CaptureContext.Capture()

  func begin(_ wish: CaptureContext.Wish, count: Int, outputs: [Int]) {
    self.wish = wish
    self.count = count
    self.outputs = outputs
    capture = .init()
  }

  func take() -> CaptureContext.Capture {
    defer { capture = .init() }
    return capture
  }

  func wants(_ name: ResultName) -> Bool {
    switch wish {
    case .attention?: name.name == "kq_soft_max" && name.layer != nil
    case .residuals?: name.name == "l_out" && name.layer != nil
    case nil: false
    }
  }

  func receive(_ name: ResultName, _ tensor: Tensor) {
    guard let layer = name.layer, let values = TensorValues.copy(tensor) else { return }
    let shape = (Int(tensor.pointee.ne.0), Int(tensor.pointee.ne.1), Int(tensor.pointee.ne.2))
    switch wish {
    case .attention(let matrices)?:
      // [cache, T, heads]: the cache is longer than the prompt.
      guard shape.0 >= count, shape.1 == count, shape.0 * shape.1 * shape.2 == values.count else { return }
      capture.lastAttention[layer] = (0..<shape.2).map { head in
        let start = (head * count + count - 1) * shape.0
        return Array(values[start..<(start + count)])
      }
      if matrices { capture.meanAttention[layer] = mean(values, cache: shape.0, heads: shape.2) }
    case .residuals(let positions)?:
      // Behind the last layer only the positions whose logits were asked for are left.
      let rows = shape.1 == count ? positions : positions.compactMap { outputs.firstIndex(of: $0) }
      guard rows.count == positions.count, shape.1 == count || shape.1 == outputs.count else { return }
      capture.residuals[layer] = rows.map { Array(values[($0 * shape.0)..<(($0 + 1) * shape.0)]) }
    case nil: return
    }
  }

  private func mean(_ values: [Float], cache: Int, heads: Int) -> [Float] {
    var mean = [Float](repeating: 0, count: count * count)
    for head in 0..<heads {
      for query in 0..<count {
        let start = (head * count + query) * cache
        for key in 0...query { mean[query * count + key] += values[start + key] }
      }
    }
    let share = 1 / Float(heads)
    for index in mean.indices { mean[index] *= share }
    return mean
  }
}
