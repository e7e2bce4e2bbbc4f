import CLlama
import Foundation
import SelfCD

/// The embedded backend: a libllama context whose sequences are the engine's lanes.
///
/// Used from one thread. Frees its context before it lets go of the model.
public final class LlamaBackend: ModelBackend {
  /// The model's tokens.
  public let vocabulary: any Vocabulary
  /// What libllama has really set up, which may be less than what the options asked for.
  public let capacity: BackendCapacity

  private let model: LlamaModel
  private let context: OpaquePointer
  private let memory: OpaquePointer
  private var batch: llama_batch
  private let abort: AbortSignal
  /// Alive as long as the context, which calls it.
  private let hook: EvalHookBox?
  /// Until it is known that nothing escapes it.
  private var unchecked: DirectionAblation?
  private var budget: ThreadBudget
  /// Tokens each lane holds, which is the position of its next one.
  private var lengths: [Int]

  /// - Parameters:
  ///   - model: the loaded model.
  ///   - options: how to run it.
  ///   - abort: tells a running call to give up.
  ///   - ablation: a vector taken out of the residual stream while the model computes, for comparing in evaluations.
  /// - Throws: ``LlamaError``.
  public init(
    model: LlamaModel, options: LlamaOptions, abort: AbortSignal, ablating ablation: FalseRefusalVector? = nil
  ) throws {
    try options.validate()
    guard model.parameterCount > 0 else {
      throw LlamaError.unsupportedModel(path: model.path, reason: "only its vocabulary was loaded")
    }
    let contextPerLane = options.effectiveContext(trained: model.trainedContext)
    let (total, overflow) = contextPerLane.multipliedReportingOverflow(by: options.lanes)
    guard !overflow, total <= Int(Int32.max) else {
      throw LlamaError.invalidOption(
        name: "--ctx-size", value: "\(contextPerLane)", allowed: "at most \(Int(Int32.max) / options.lanes)")
    }
    if let ablation, ablation.vector.count != model.embeddingLength {
      throw LlamaError.unsupportedModel(
        path: model.path,
        reason: "the vector to ablate is \(ablation.vector.count) wide and the model \(model.embeddingLength)"
      )
    }
    let unchecked = ablation.map(DirectionAblation.init)
    let hook = unchecked.map(EvalHookBox.init)
    budget = options.threadBudget(for: model)
    let (context, complaints) = LlamaRuntime.complaints {
      var parameters = llama_context_default_params()
      parameters.n_ctx = UInt32(total)
      parameters.n_batch = UInt32(options.batchSize)
      parameters.n_ubatch = UInt32(options.batchSize)
      parameters.n_seq_max = UInt32(options.lanes)
      parameters.flash_attn_type = options.flashAttention.llama
      parameters.type_k = options.cacheTypeK.ggml
      parameters.type_v = options.cacheTypeV.ggml
      parameters.kv_unified = options.unifiedCache
      // Lanes are cut back and copied, which a sliding window's small cache cannot do.
      parameters.swa_full = true
      parameters.no_perf = true
      parameters.abort_callback = { data in
        guard let data else { return false }
        return Unmanaged<AbortSignal>.fromOpaque(data).takeUnretainedValue().isRaised
      }
      // `self.abort` keeps the signal alive as long as the context.
      parameters.abort_callback_data = Unmanaged.passUnretained(abort).toOpaque()
      hook?.install(in: &parameters)
      return llama_init_from_model(model.handle, parameters)
    }
    guard let context else { throw LlamaError.contextFailed(reason: complaints) }
    do {
      try model.adapters.apply(to: context)
    } catch {
      llama_free(context)
      throw error
    }
    guard let memory = llama_get_memory(context) else {
      llama_free(context)
      throw LlamaError.unsupportedModel(
        path: model.path, reason: "it keeps no cache from token to token, as encoders do")
    }
    self.model = model
    self.context = context
    self.memory = memory
    self.abort = abort
    self.hook = hook
    self.unchecked = unchecked
    let vocabulary = LlamaVocabulary(model)
    self.vocabulary = vocabulary
    // What libllama made of the request, not the request: it rounds and clamps silently.
    capacity = BackendCapacity(
      lanes: Int(llama_n_seq_max(context)),
      context: min(Int(llama_n_ctx_seq(context)), contextPerLane),
      batch: Int(llama_n_batch(context)),
      prefersNeighbours: !options.unifiedCache)
    batch = llama_batch_init(Int32(capacity.batch), 0, 1)
    lengths = Array(repeating: 0, count: capacity.lanes)
  }

  deinit {
    llama_batch_free(batch)
    llama_free(context)
  }

  /// Decodes all appends in one call of `llama_decode`.
  ///
  /// Everything that libllama would abort the process for is checked first.
  /// - Throws: `BackendError`; ``LlamaError/unsupportedModel(path:reason:)`` where a vector to ablate cannot be taken
  ///   out
  ///   of every layer.
  public func decode(_ appends: [LaneAppend], into rows: inout LogitRows) throws {
    try check(appends)
    let starts = fill(with: appends)
    let threads = Int32(budget.threads())
    llama_set_n_threads(context, threads, threads)
    let code = llama_decode(context, batch)
    guard code == 0 else {
      throw error(for: code)
    }
    try checkAblation()
    for append in appends { lengths[append.lane.index] += append.tokens.count }
    for start in zip(appends, starts).flatMap({ $1..<($1 + $0.tokens.count) }) where batch.logits[start] != 0
    {
      guard let row = llama_get_logits_ith(context, Int32(start)) else {
        throw BackendError.failed("libllama gave no logits for row \(start)")
      }
      rows.append { target in
        _ = target.update(fromContentsOf: UnsafeBufferPointer(start: row, count: target.count))
      }
    }
  }

  /// A vector that is taken out in part only would be measured as if it were gone.
  private func checkAblation() throws {
    if let place = unchecked?.missing(ofLayers: model.layerCount) {
      throw LlamaError.unsupportedModel(
        path: model.path, reason: "the vector to ablate cannot be taken out of \(place)")
    }
    unchecked = nil
  }

  private func error(for code: Int32) -> BackendError {
    switch code {
    case 1: .cacheFull
    case 2: .aborted
    case -1: .invalidRequest("libllama found the batch invalid")
    default: .failed("llama_decode returned \(code)")
    }
  }

  /// What libllama would abort the process for, or silently get wrong.
  private func check(_ appends: [LaneAppend]) throws {
    var total = 0
    var seen: Set<LaneID> = []
    for append in appends {
      try check(append.lane)
      guard seen.insert(append.lane).inserted else {
        throw BackendError.invalidRequest("\(append.lane) appears twice in one call")
      }
      guard !append.tokens.isEmpty else {
        throw BackendError.invalidRequest("\(append.lane) is given no tokens")
      }
      guard lengths[append.lane.index] + append.tokens.count <= capacity.context else {
        throw BackendError.cacheFull
      }
      if let bad = append.tokens.first(where: { $0 < 0 || $0 >= vocabulary.count }) {
        throw BackendError.invalidRequest("token \(bad) is outside the vocabulary of \(vocabulary.count)")
      }
      total += append.tokens.count
    }
    guard (1...capacity.batch).contains(total) else {
      throw BackendError.invalidRequest(
        "\(total) tokens in one call, from 1 to \(capacity.batch) are allowed")
    }
  }

  private func check(_ lane: LaneID) throws {
    guard lengths.indices.contains(lane.index) else {
      throw BackendError.invalidRequest("\(lane) does not exist, there are \(lengths.count)")
    }
  }

  /// Writes the batch in the order of lanes: libllama computes only those together that follow on each other in it.
  ///
  /// - Returns: where each append's tokens begin in the batch.
  private func fill(with appends: [LaneAppend]) -> [Int] {
    var starts = Array(repeating: 0, count: appends.count)
    var index = 0
    for position in appends.indices.sorted(by: { appends[$0].lane < appends[$1].lane }) {
      let append = appends[position]
      starts[position] = index
      for (offset, token) in append.tokens.enumerated() {
        batch.token[index] = token
        batch.pos[index] = Int32(lengths[append.lane.index] + offset)
        batch.n_seq_id[index] = 1
        batch.seq_id[index]?[0] = Int32(append.lane.index)
        let isLast = offset == append.tokens.count - 1
        batch.logits[index] = append.logits == .all || (append.logits == .last && isLast) ? 1 : 0
        index += 1
      }
    }
    batch.n_tokens = Int32(index)
    return starts
  }

  /// Copies a whole lane within the cache.
  ///
  /// - Throws: `BackendError.invalidRequest` for a lane that does not exist, a target that is not empty, or the lane
  ///   itself.
  public func copyLane(_ source: LaneID, to target: LaneID) throws {
    try check(source)
    try check(target)
    guard source != target, lengths[target.index] == 0 else {
      throw BackendError.invalidRequest("\(source) cannot be copied onto \(target)")
    }
    // Whole lanes only: with separate buffers libllama aborts on a part.
    llama_memory_seq_cp(memory, Int32(source.index), Int32(target.index), -1, -1)
    lengths[target.index] = lengths[source.index]
  }

  /// Forgets a lane's cache from a position on; cutting at 0 always works.
  ///
  /// - Returns: `false`, with the lane unchanged, on recurrent and hybrid models, and for a position outside the lane.
  public func truncateLane(_ lane: LaneID, to position: Int) -> Bool {
    guard lengths.indices.contains(lane.index), (0...lengths[lane.index]).contains(position) else {
      return false
    }
    guard position < lengths[lane.index] else { return true }
    guard position > 0 else {
      clearLane(lane)
      return true
    }
    guard llama_memory_seq_rm(memory, Int32(lane.index), Int32(position), -1) else { return false }
    lengths[lane.index] = position
    return true
  }

  /// Empties a lane's cache; a lane that does not exist is left aside.
  public func clearLane(_ lane: LaneID) {
    guard lengths.indices.contains(lane.index) else { return }
    llama_memory_seq_rm(memory, Int32(lane.index), -1, -1)
    lengths[lane.index] = 0
  }

  /// Empties the whole cache. Lanes that are emptied one by one leave the place where libllama writes next anywhere in
  /// it, and with that the order of sums.
  public func clear() {
    llama_memory_clear(memory, false)
    lengths = Array(repeating: 0, count: lengths.count)
  }
}
