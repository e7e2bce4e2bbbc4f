import SelfCD
import Synchronization

/// A model ready to be asked, with what is known about it.
public struct LoadedModel: Sendable {
  /// Asks the model.
  public let chat: ChatModel
  /// The model's chat template and tokenizer.
  public let renderer: LlamaPromptRenderer
  /// The weights.
  public let model: LlamaModel
  /// The model's tokens.
  public let vocabulary: LlamaVocabulary

  /// Loads a GGUF model and starts its engine.
  ///
  /// ```swift
  /// let loaded = try await LoadedModel.load(path: "model.gguf")
  /// let reply = try await loaded.chat.reply(to: Chat(question: "Hi"), strategy: SelfContrastive(alpha: 2.5))
  /// ```
  ///
  /// - Parameters:
  ///   - path: a GGUF file, the first one of a split model.
  ///   - options: how to load and run it.
  ///   - template: the chat template and its arguments, where the model's own are not wanted.
  ///   - stepMode: `nil` times both ways of stepping two lanes and takes the faster.
  ///   - progress: told the share loaded, 0 … 1; returning `false` cancels.
  /// - Throws: ``ModelFileError``, ``LlamaError``, ``ChatTemplateError``.
  public static func load(
    path: String, options: LlamaOptions = .init(), template: TemplateOptions = .init(),
    stepMode: StepMode? = nil,
    progress: (@Sendable (Double) -> Bool)? = nil
  ) async throws -> LoadedModel {
    // A template that does not parse is found out before the weights are read.
    if let source = try template.source ?? GGUFFile(path: path).chatTemplate {
      _ = try ChatTemplate(source: source)
    }
    let box = Mutex<LlamaModel?>(nil)
    // On the engine's thread: loading is minutes of C code for a large model.
    let engine = try await Engine.start(stepMode: options.lanes < 2 ? .batched : stepMode) { abort in
      let model = try LlamaModel(path: path, options: options, progress: progress)
      box.withLock { $0 = model }
      return try LlamaBackend(model: model, options: options, abort: abort)
    }
    guard let model = box.withLock({ $0 }) else {
      throw LlamaError.loadFailed(path: path, reason: "the engine started without it.")
    }
    let renderer = try LlamaPromptRenderer(model: model, options: template)
    return LoadedModel(
      chat: ChatModel(engine: engine, renderer: renderer), renderer: renderer, model: model,
      vocabulary: LlamaVocabulary(model))
  }

  /// The same model, its weights shared, with a vector taken out of its residual stream: for comparing in evaluations.
  ///
  /// - Throws: ``LlamaError``.
  public func ablating(
    _ vector: FalseRefusalVector, options: LlamaOptions, stepMode: StepMode? = .batched
  ) async throws -> LoadedModel {
    let model = model
    let engine = try await Engine.start(stepMode: stepMode) { abort in
      try LlamaBackend(model: model, options: options, abort: abort, ablating: vector)
    }
    return LoadedModel(
      chat: ChatModel(engine: engine, renderer: renderer), renderer: renderer, model: model,
      vocabulary: vocabulary)
  }
}
