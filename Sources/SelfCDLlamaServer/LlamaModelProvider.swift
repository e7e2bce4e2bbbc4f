import Foundation
import SelfCD
import SelfCDEval
import SelfCDLlama
import SelfCDServer
import SelfCDSupport

/// A GGUF model as the server's pool loads it.
///
/// ```swift
/// let server = try InferenceServer(providers: [LlamaModelProvider(path: "model.gguf")])
/// try await server.run { port in print("serving at http://127.0.0.1:\(port)") }
/// ```
public final class LlamaModelProvider: ModelProvider {
  /// The name that clients ask for.
  public let name: String
  private let path: String
  private let options: LlamaOptions
  private let template: TemplateOptions
  private let stepMode: StepMode?
  private let lanes: Int
  private let profilePaths: [String]

  /// Names a model; nothing is read yet.
  /// - Parameters:
  ///   - name: The name that clients ask for; the file's without its ending by default.
  ///   - path: The model's file.
  ///   - options: How it is loaded and run.
  ///   - template: The chat template and its arguments, where the model's own are not wanted.
  ///   - stepMode: How two lanes are stepped; nil times both ways when the model is loaded.
  ///   - lanes: Lanes for requests; the options' others keep beginnings of prompts.
  ///   - profiles: Files of calibrated profiles, the default one first.
  public init(
    name: String? = nil, path: String, options: LlamaOptions = LlamaOptions(lanes: 18),
    template: TemplateOptions = .init(), stepMode: StepMode? = nil, lanes: Int = 16, profiles: [String] = []
  ) {
    self.name = name ?? Self.name(of: path)
    self.path = path
    self.options = options
    self.template = template
    self.stepMode = stepMode
    self.lanes = lanes
    profilePaths = profiles
  }

  /// What clients call a model by default: the file's name without its ending.
  public static func name(of model: String) -> String {
    guard model.hasSuffix(".gguf") else { return model }
    return URL(filePath: model).deletingPathExtension().lastPathComponent
  }

  /// The lanes that were asked for.
  public var laneCounts: LaneCounts? { LaneCounts(requests: lanes, all: options.lanes) }

  /// Bytes that the loaded model takes, by its header.
  public func memoryNeeded() throws -> Int {
    try MemoryEstimate(try GGUFFile(path: path), options: options).total
  }

  /// Loads the file and starts its engine; gives up when its task is cancelled.
  public func load() async throws -> ServedModel {
    let abort = AbortSignal()
    let loaded = try await withTaskCancellationHandler {
      try await LoadedModel.load(
        path: path, options: options, template: template, stepMode: stepMode,
        progress: { _ in !abort.isRaised })
    } onCancel: {
      abort.raise()
    }
    guard let capacity = await loaded.chat.engine.capacity else { throw GenerationError.engineStopped }
    return ServedModel(
      chat: loaded.chat,
      text: ChatModel(engine: loaded.chat.engine, renderer: LlamaTextRenderer(loaded.vocabulary)),
      tokenizer: loaded.renderer, vocabulary: loaded.vocabulary, capacity: capacity, lanes: lanes,
      // Only profiles ask for it, and hashing a large file takes seconds.
      identity: profilePaths.isEmpty ? nil : try identity(),
      constraint: { [model = loaded.model] in try Self.grammar($0).constraint(for: model) })
  }

  private static func grammar(_ format: ReplyFormat) throws(GrammarError) -> Grammar {
    switch format {
    case .text: try Grammar(#"root ::= [^\x00]*"#)
    case .jsonObject: try Grammar.anyJSONObject()
    case .schema(let schema): try Grammar(jsonSchema: schema)
    case .grammar(let text): try Grammar(text)
    }
  }

  // MARK: - Profiles

  /// What the profiles' files say, checked against the model.
  public func profiles() throws -> [ServedProfile] {
    try calibrationProfiles().map { name, profile in
      ServedProfile(
        name: name.hasSuffix(".json") ? String(name.dropLast(5)) : name, strategy: profile.strategy(),
        summary: profile.guarantee, isCalibrated: profile.isCalibrated,
        conditions: profile.generation.conditions, identity: profile.model.sha256)
    }
  }

  private func identity() throws -> String {
    try ModelIdentity(path: path, adapters: options.adapters).sha256
  }

  /// The profiles as they are in their files, by file name, checked against the model; the default one first.
  /// - Throws: `CalibrationProfileError`, what reading the model's file throws.
  public func calibrationProfiles() throws -> [(name: String, profile: CalibrationProfile)] {
    try profilePaths.map { path in
      let profile = try CalibrationProfile.read(path: path)
      try profile.check(modelSHA256: try identity())
      return (URL(filePath: path).lastPathComponent, profile)
    }
  }

  /// Changes when the profiles' files do.
  public func profileStamp() -> String {
    profilePaths.map { path in
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      let changed = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      return "\(changed) \(attributes?[.size] as? Int ?? -1)"
    }.joined(separator: ";")
  }
}
