import ArgumentParser
import Foundation
import SelfCD
import SelfCDLlama
import SelfCDSupport

/// `selfcd model`: what a model file is and needs, and getting one by name.
struct ModelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model",
    abstract: "Describe a model file, or fetch a model by name.",
    discussion: """
      EXAMPLES
        selfcd model
        selfcd model model.gguf --ctx-size 8192
        selfcd model model.gguf --template
        selfcd model fetch smollm2
      """,
    subcommands: [DescribeModelCommand.self, FetchModelCommand.self],
    defaultSubcommand: DescribeModelCommand.self)
}

/// `selfcd model describe`, which is what `selfcd model FILE` means.
struct DescribeModelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "What a model file is, its chat template, and the memory it needs.",
    discussion: """
      Reads the file's header and vocabulary; the weights are not loaded.

      EXAMPLES
        selfcd model
        selfcd model model.gguf --ctx-size 8192
        selfcd model model.gguf --template
        selfcd model describe model.gguf --lora adapter.gguf
        selfcd model hf:OWNER/REPO-GGUF:Q4_K_M
      """)

  @Argument(help: "A GGUF file, or a model's name in a hub; the same as --model.")
  var path: String?

  @OptionGroup(title: "Model") var modelOptions: ModelOptions

  @Option(help: .init("Lanes to reckon memory for; Self-CD needs two.", valueName: "n"))
  var lanes = 2

  @Flag(help: "Print the chat template and nothing else.")
  var template = false

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func run() async throws {
    let console = Console.standard
    var modelOptions = modelOptions
    if let path {
      modelOptions.model = path
      try modelOptions.validate()
    }
    let path = try await modelOptions.modelPath(console: console)
    let options = try modelOptions.llamaOptions(lanes: lanes)
    do { try options.validate() } catch { throw ValidationError("\(error)") }
    let description = try ModelDescription(
      file: try GGUFFile(path: path), options: options, template: try modelOptions.templateOptions())
    if template {
      guard let source = description.templateSource else { throw LlamaError.noChatTemplate(path: path) }
      try console.writeLine(TerminalText.sanitized(source))
    } else if json {
      try console.writeJSON(description.record)
    } else {
      try console.write(description.text)
    }
  }
}

/// A model file in words and as a record; of a split model all parts together.
struct ModelDescription {
  struct Record: Encodable {
    let path: String
    let name: String?
    let architecture: String?
    let ggufVersion: UInt32
    let parameters: Int
    let fileBytes: Int
    let tensorTypes: [String: Int]
    let layers: Int?
    let trainedContext: Int?
    let vocabulary: Int
    let chatTemplate: Bool
    let systemRole: Bool?
    let reasoning: Bool?
    let templateProblem: String?
    let context: Int
    let lanes: Int
    let adapters: [AdapterDescription]
    let memory: MemoryEstimate
    let availableMemory: Int?
  }

  let record: Record
  let templateSource: String?

  init(file: GGUFFile, options: LlamaOptions, template: TemplateOptions) throws {
    templateSource = template.source ?? file.chatTemplate
    var traits: TemplateTraits?
    var problem: String?
    if let templateSource {
      do {
        traits = try ChatTemplate(source: templateSource).traits()
      } catch { problem = "\(error)" }
    }
    let memory = try MemoryEstimate(file, options: options)
    let parts = try file.parts()
    let tensors = parts.flatMap(\.tensors)
    record = Record(
      path: file.path, name: file.modelName, architecture: file.architecture, ggufVersion: file.version,
      parameters: parts.reduce(0) { $0 + $1.parameterCount },
      fileBytes: parts.reduce(0) { $0 + $1.fileSize },
      tensorTypes: Dictionary(tensors.map { ($0.type, 1) }, uniquingKeysWith: +),
      layers: file.hyperparameter("block_count")?.integer,
      trainedContext: file.hyperparameter("context_length")?.integer,
      vocabulary: tensors.first { $0.name == "token_embd.weight" }?.dimensions.last ?? 0,
      chatTemplate: templateSource != nil, systemRole: traits?.hasSystemRole,
      reasoning: traits?.reasoning != nil,
      templateProblem: problem,
      context: options.contextSize ?? min(file.hyperparameter("context_length")?.integer ?? 4096, 4096),
      lanes: options.lanes, adapters: try options.adapters.map { try AdapterDescription($0, for: file) },
      memory: memory, availableMemory: MemoryEstimate.available)
  }

  private static func text(of description: AdapterDescription) -> String {
    let adapter = description.adapter
    let parts =
      switch adapter.kind {
      case .lora:
        "LoRA of rank \(description.rank ?? 0) on \(NumberFormat.counted(description.parts, "matrix", "matrices"))"
      case .controlVector: "control vector for \(NumberFormat.counted(description.parts, "layer"))"
      }
    return "\(description.name ?? adapter.path): \(parts), scale \(adapter.scale)"
  }

  var text: String {
    var rows: [(String, String)] = [
      ("file", record.path),
      ("name", record.name ?? "(none)"),
      ("architecture", record.architecture ?? "(none)"),
      ("parameters", NumberFormat.shortCount(UInt64(record.parameters))),
      (
        "weights",
        record.tensorTypes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
          .map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
      ),
      ("layers", record.layers.map(String.init) ?? "?"),
      ("vocabulary", NumberFormat.counted(record.vocabulary, "token")),
      ("trained for", record.trainedContext.map { NumberFormat.counted($0, "token") } ?? "?"),
    ]
    if let problem = record.templateProblem {
      rows.append(("chat template", "cannot be used: \(problem)"))
    } else if let hasSystemRole = record.systemRole {
      let role =
        hasSystemRole ? "has a system role" : "no system role; system text goes before the first question"
      rows.append(("chat template", role + (record.reasoning == true ? "; reasons before it answers" : "")))
    } else {
      rows.append(("chat template", "none; give one with --chat-template"))
    }
    for adapter in record.adapters { rows.append(("adapter", Self.text(of: adapter))) }
    let memory = record.memory
    rows.append(
      (
        "memory",
        """
        \(NumberFormat.bytes(memory.total)) for \(NumberFormat.counted(record.lanes, "lane")) of \
        \(NumberFormat.counted(record.context, "token")): \
        \(NumberFormat.bytes(memory.weights)) weights, \(NumberFormat.bytes(memory.cache)) cache, about \
        \(NumberFormat.bytes(memory.compute)) for computing
        """
      ))
    if let available = record.availableMemory { rows.append(("available", NumberFormat.bytes(available))) }
    let width = rows.map { $0.0.count }.max() ?? 0
    return rows.map { TextLayout.pad($0.0, to: width + 2) + TerminalText.singleLine($0.1) }.joined(
      separator: "\n") + "\n"
  }
}
