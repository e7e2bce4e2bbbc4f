import CLlama
import Foundation
import SelfCD

/// The weights and vocabulary of a loaded model. Immutable, shared by everything that uses it, freed with the last.
public final class LlamaModel: @unchecked Sendable {
  /// Valid as long as the object lives; libllama only reads through it.
  let handle: OpaquePointer
  let vocab: OpaquePointer
  /// The header of the model's file, or of its first part.
  public let file: GGUFFile
  /// How it was loaded.
  public let options: LlamaOptions
  /// What changes the model; in force in every context of it.
  let adapters: AppliedAdapters
  /// The processors before the file was read: what others did meanwhile is a first look at the machine.
  let useBeforeLoading: ProcessorUse?

  /// Loads a model. Split models are given by their first file.
  ///
  /// - Parameters:
  ///   - path: a GGUF file.
  ///   - options: how to load it.
  ///   - progress: told the share loaded, 0 … 1; returning `false` cancels.
  /// - Throws: ``ModelFileError``, ``LlamaError``, ``AdapterError``.
  public init(
    path: String, options: LlamaOptions = .init(), progress: (@Sendable (Double) -> Bool)? = nil
  ) throws {
    try options.validate()
    useBeforeLoading = .now()
    file = try GGUFFile(path: path)
    // All parts of a split model have to be there and sound.
    _ = try file.parts()
    try ModelGuard.check(file)

    let reporter = ProgressReporter(progress)
    let (handle, complaints) = LlamaRuntime.complaints {
      var parameters = llama_model_default_params()
      parameters.n_gpu_layers = Int32(clamping: options.gpuLayers)
      parameters.load_mode = options.memoryMap ? LLAMA_LOAD_MODE_MMAP : LLAMA_LOAD_MODE_NONE
      parameters.check_tensors = options.checkTensors
      parameters.progress_callback = { share, context in
        guard let context else { return true }
        return Unmanaged<ProgressReporter>.fromOpaque(context).takeUnretainedValue().report(Double(share))
      }
      parameters.progress_callback_user_data = Unmanaged.passUnretained(reporter).toOpaque()
      return withExtendedLifetime(reporter) { llama_model_load_from_file(path, parameters) }
    }
    guard let handle else {
      throw reporter.wasCancelled
        ? LlamaError.loadCancelled(path: path) : LlamaError.loadFailed(path: path, reason: complaints)
    }
    guard let vocab = llama_model_get_vocab(handle), llama_vocab_n_tokens(vocab) > 0 else {
      llama_model_free(handle)
      throw LlamaError.unsupportedModel(path: path, reason: "it has no vocabulary")
    }
    if let reason = Self.reasonNotToChat(handle) {
      llama_model_free(handle)
      throw LlamaError.unsupportedModel(path: path, reason: reason)
    }
    do {
      adapters = try AppliedAdapters(options.adapters, model: handle, file: file)
    } catch {
      llama_model_free(handle)
      throw error
    }
    self.handle = handle
    self.vocab = vocab
    self.options = options
  }

  /// Loads the vocabulary and metadata only, for tokenising; a model without weights cannot be run.
  ///
  /// - Throws: ``ModelFileError``, ``LlamaError``.
  public init(vocabularyOf path: String) throws {
    file = try GGUFFile(path: path)
    try ModelGuard.checkVocabulary(file)
    let (handle, complaints) = LlamaRuntime.complaints {
      var parameters = llama_model_default_params()
      parameters.vocab_only = true
      return llama_model_load_from_file(path, parameters)
    }
    guard let handle else { throw LlamaError.loadFailed(path: path, reason: complaints) }
    guard let vocab = llama_model_get_vocab(handle), llama_vocab_n_tokens(vocab) > 0 else {
      llama_model_free(handle)
      throw LlamaError.unsupportedModel(path: path, reason: "it has no vocabulary")
    }
    adapters = .none
    options = LlamaOptions()
    useBeforeLoading = nil
    self.handle = handle
    self.vocab = vocab
  }

  deinit {
    llama_model_free(handle)
  }

  private static func reasonNotToChat(_ model: OpaquePointer) -> String? {
    if llama_model_has_encoder(model) { return "it is an encoder-decoder model; only decoders are supported" }
    if !llama_model_has_decoder(model) { return "it has no decoder" }
    if llama_model_is_diffusion(model) { return "it generates by diffusion, not token by token" }
    return nil
  }

  /// The path that the model was loaded from, its first part's if it is split.
  public var path: String { file.path }
  /// The longest context the model was trained for, in tokens.
  public var trainedContext: Int { Int(llama_model_n_ctx_train(handle)) }
  /// Entries of the vocabulary, the length of a row of logits.
  public var vocabularySize: Int { Int(llama_vocab_n_tokens(vocab)) }
  /// Transformer blocks, each with a residual stream behind it.
  public var layerCount: Int { Int(llama_model_n_layer(handle)) }
  /// Width of the residual stream.
  public var embeddingLength: Int { Int(llama_model_n_embd(handle)) }
  /// Numbers in all weights, over all parts of a split model.
  public var parameterCount: UInt64 { llama_model_n_params(handle) }
  /// Whether lanes cannot be cut back to an earlier position.
  public var isRecurrent: Bool { llama_model_is_recurrent(handle) || llama_model_is_hybrid(handle) }
  /// The Jinja text of the model's own chat template; `nil` where the file holds none.
  public var chatTemplate: String? { llama_model_chat_template(handle, nil).map { String(cString: $0) } }

  /// Architecture, size and format in words, such as `llama 7B Q4_0`.
  public var summary: String {
    var buffer = [CChar](repeating: 0, count: 256)
    let length = llama_model_desc(handle, &buffer, buffer.count)
    return String(
      decoding: buffer.prefix(max(0, min(Int(length), 255))).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// Carries a Swift closure through libllama's progress callback.
private final class ProgressReporter {
  private let progress: (@Sendable (Double) -> Bool)?
  private(set) var wasCancelled = false

  init(_ progress: (@Sendable (Double) -> Bool)?) {
    self.progress = progress
  }

  func report(_ share: Double) -> Bool {
    guard let progress, !progress(share) else { return true }
    wasCancelled = true
    return false
  }
}
