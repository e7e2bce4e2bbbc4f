import ArgumentParser
import Foundation
import SelfCD
import SelfCDHub
import SelfCDLlama
import SelfCDSupport

extension CacheType: ExpressibleByArgument {}
extension FlashAttention: ExpressibleByArgument {}
extension StepMode: ExpressibleByArgument {}
extension ContrastStart: ExpressibleByArgument {}
extension EmphasisPosition: ExpressibleByArgument {}

/// Which model, and how it is loaded and run.
struct ModelOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: .init(
      """
      A GGUF file (the first one of a split model), a model of the Hugging Face hub as \
      hf:OWNER/REPO[@REVISION][:QUANT], or by name: 'organism', 'organism-unbiased' (both embedded), 'smollm2' \
      (fetched).
      """, valueName: "model"
    ))
  var model = ModelOptions.defaultModel

  static let defaultModel = "organism"

  @OptionGroup var adapterOptions: AdapterOptions

  @Option(
    parsing: .unconditional, help: .init("Layers on the GPU; -1 all. Needs a GPU build.", valueName: "n"))
  var gpuLayers = -1

  @Option(
    name: [.short, .long],
    help: .init("CPU threads; if not given, as many as cores that other programs leave.", valueName: "n"))
  var threads: Int?

  @Option(help: .init("Tokens per lane, prompt and answer; at most 4096 by default.", valueName: "n"))
  var ctxSize: Int?

  @Option(help: .init("Tokens per call of the model.", valueName: "n"))
  var batchSize = 512

  @Option(help: .init("Format of the key cache.", valueName: "type"))
  var cacheTypeK = CacheType.f16

  @Option(help: .init("Format of the value cache.", valueName: "type"))
  var cacheTypeV = CacheType.f16

  @Option(help: .init("Fused attention kernel.", valueName: "mode"))
  var flashAttn = FlashAttention.auto

  @Option(
    help: .init(
      "One call of the model per step for all lanes, or one per lane; timed at load if not given.",
      valueName: "mode"))
  var stepMode: StepMode?

  @Flag(help: "Read the file instead of mapping it.")
  var noMmap = false

  @Flag(help: "Check every weight for NaN and infinity while loading.")
  var checkTensors = false

  @Option(help: .init("A Jinja chat template to use instead of the model's own.", valueName: "file"))
  var chatTemplate: String?

  @Option(
    name: .customLong("template-arg"),
    help: .init(
      "An argument of the chat template, such as enable_thinking=false; the value is JSON or else text. Repeatable.",
      valueName: "name=value"))
  var templateArguments: [String] = []

  /// Whether it is the model in the binary as it is, for which a profile comes with the program.
  var isEmbeddedModel: Bool {
    get throws { try model == Self.defaultModel && adapterOptions.adapters.isEmpty }
  }

  /// What says how chats are written, as it was given.
  var argumentsOfTemplate: [String] {
    (chatTemplate.map { ["--chat-template", $0] } ?? [])
      + templateArguments.flatMap { ["--template-arg", $0] }
  }

  /// The model's file; one that is given by its name in a hub is fetched first.
  /// - Throws: `OrganismError`, `HubError`.
  func modelPath(console: Console) async throws -> String {
    try await ModelFetching.path(of: try ModelName(model), console: console)
  }

  /// The same options for results that should not hang on which replies share a batch: the fused attention kernel
  /// rounds differently with the length of a call, so it is off unless it is asked for or a quantised cache needs it.
  var repeatable: ModelOptions {
    var options = self
    if flashAttn == .auto, ![.q80, .q51, .q50, .q41, .q40].contains(cacheTypeV) { options.flashAttn = .off }
    return options
  }

  /// - Throws: `ValidationError` for a range of layers that cannot be read.
  func llamaOptions(lanes: Int, unifiedCache: Bool = false) throws -> LlamaOptions {
    try LlamaOptions(
      gpuLayers: gpuLayers, threads: threads, contextSize: ctxSize, lanes: lanes,
      batchSize: max(batchSize, lanes), cacheTypeK: cacheTypeK, cacheTypeV: cacheTypeV,
      flashAttention: flashAttn, unifiedCache: unifiedCache, memoryMap: !noMmap, checkTensors: checkTensors,
      adapters: adapterOptions.adapters)
  }

  func templateOptions() throws -> TemplateOptions {
    var options = TemplateOptions()
    if let chatTemplate { options.source = try InputText.read(file: chatTemplate) }
    for argument in templateArguments {
      guard let separator = argument.firstIndex(of: "="), separator != argument.startIndex else {
        throw ValidationError("--template-arg takes name=value, not '\(argument)'.")
      }
      options.arguments[String(argument[..<separator])] =
        TemplateValue(parsing: String(argument[argument.index(after: separator)...]))
    }
    return options
  }

  func validate() throws {
    do { _ = try ModelName(model) } catch { throw ValidationError("\(error)") }
    guard batchSize >= 1 else { throw ValidationError("--batch-size must be 1 or more.") }
    do { try llamaOptions(lanes: 1).validate() } catch { throw ValidationError("\(error)") }
    for argument in templateArguments where !argument.contains("=") {
      throw ValidationError("--template-arg takes name=value, not '\(argument)'.")
    }
  }
}

/// Loads the model of a command, with progress and a warning when memory is short.
enum ModelLoading {
  /// Says that positions are asked for which the model never saw in training.
  static func noteContext(of file: GGUFFile, size: Int?, console: Console) {
    guard let size, let trained = file.hyperparameter("context_length")?.integer, size > trained else {
      return
    }
    console.note(
      "--ctx-size is \(size), but the model was trained for \(NumberFormat.counted(trained, "token")); replies behind "
        + "longer prompts may make no sense.")
  }

  /// - Parameter unifiedCache: one buffer for all lanes; see `LlamaOptions.unifiedCache`.
  static func load(
    _ options: ModelOptions, lanes: Int, unifiedCache: Bool = false, console: Console
  ) async throws -> LoadedModel {
    let path = try await options.modelPath(console: console)
    let llama = try options.llamaOptions(lanes: lanes, unifiedCache: unifiedCache)
    let file = try GGUFFile(path: path)
    noteContext(of: file, size: options.ctxSize, console: console)
    let estimate = try MemoryEstimate(file, options: llama)
    if let available = MemoryEstimate.available, estimate.total > available {
      console.note(
        """
        the model needs about \(NumberFormat.bytes(estimate.total)) of memory, and \(NumberFormat.bytes(available)) are \
        available; it may be slow or fail. A smaller --ctx-size or a smaller quantisation needs less.
        """)
    }
    let cores = ProcessInfo.processInfo.activeProcessorCount
    if let threads = options.threads, threads > cores {
      console.note(
        "\(threads) threads on \(NumberFormat.counted(cores, "core")) wait for each other; this can be very slow."
      )
    }
    let meter = ProgressLine(label: "loading")
    defer { meter.clear() }
    return try await LoadedModel.load(
      path: path, options: llama, template: try options.templateOptions(), stepMode: options.stepMode
    ) { share in
      meter.update(share)
      return !Interruption.isRequested
    }
  }
}
