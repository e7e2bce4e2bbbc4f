import Foundation
import SelfCD
import SelfCDLlama
import SelfCDServer

/// A GGUF model as the server's pool loads it.
struct LlamaModelProvider: ModelProvider {
  let name: String
  let path: String
  let options: LlamaOptions
  let template: TemplateOptions
  let stepMode: StepMode?

  func memoryNeeded() throws -> Int {
    try MemoryEstimate(try GGUFFile(path: path), options: options).total
  }

  func load() async throws -> ServedModel {
    let loaded = try await LoadedModel.load(
      path: path, options: options, template: template, stepMode: stepMode)
    return try await ServedModel(loaded)
  }
}

extension ServedModel {
  /// A loaded GGUF model, ready to be served.
  init(_ loaded: LoadedModel) async throws {
    guard let capacity = await loaded.chat.engine.capacity,
      let tokenizer = loaded.chat.renderer as? any ReplyTokenizer
    else { throw GenerationError.engineStopped }
    self.init(
      chat: loaded.chat,
      text: ChatModel(engine: loaded.chat.engine, renderer: LlamaTextRenderer(loaded.vocabulary)),
      tokenizer: tokenizer, vocabulary: loaded.vocabulary, capacity: capacity)
  }
}
