import Foundation
import SelfCD
import SelfCDEval
import SelfCDLlama
import SelfCDServer
import Synchronization

/// A GGUF model as the server's pool loads it.
final class LlamaModelProvider: ModelProvider {
  let name: String
  private let path: String
  private let options: LlamaOptions
  private let template: TemplateOptions
  private let stepMode: StepMode?
  private let lanes: Int
  private let profilePaths: [String]
  /// Gigabytes are not hashed again at every reload.
  private let digest = Mutex<String?>(nil)

  /// - Parameters:
  ///   - path: the model's file.
  ///   - lanes: lanes for requests; the options' others keep prefixes.
  ///   - profiles: files of calibrated profiles, the default one first.
  init(
    name: String, path: String, options: LlamaOptions, template: TemplateOptions, stepMode: StepMode?,
    lanes: Int, profiles: [String]
  ) {
    self.name = name
    self.path = path
    self.options = options
    self.template = template
    self.stepMode = stepMode
    self.lanes = lanes
    profilePaths = profiles
  }

  func memoryNeeded() throws -> Int {
    try MemoryEstimate(try GGUFFile(path: path), options: options).total
  }

  func load() async throws -> ServedModel {
    let loaded = try await LoadedModel.load(
      path: path, options: options, template: template, stepMode: stepMode)
    guard let capacity = await loaded.chat.engine.capacity,
      let tokenizer = loaded.chat.renderer as? any ReplyTokenizer
    else { throw GenerationError.engineStopped }
    return ServedModel(
      chat: loaded.chat,
      text: ChatModel(engine: loaded.chat.engine, renderer: LlamaTextRenderer(loaded.vocabulary)),
      tokenizer: tokenizer, vocabulary: loaded.vocabulary, capacity: capacity, lanes: lanes)
  }

  // MARK: - Profiles

  func profiles() throws -> [ServedProfile] {
    try loadedProfiles().map { loaded in
      ServedProfile(
        name: loaded.name.hasSuffix(".json") ? String(loaded.name.dropLast(5)) : loaded.name,
        strategy: loaded.strategy, summary: loaded.promise, isCalibrated: loaded.profile.isCalibrated)
    }
  }

  /// The profiles as they are in their files, checked against the model; the default one first.
  func loadedProfiles() throws -> [LoadedProfile] {
    try profilePaths.map { path in
      let profile = try CalibrationProfile.read(path: path)
      try profile.check(modelSHA256: try modelDigest())
      return LoadedProfile(name: URL(filePath: path).lastPathComponent, profile: profile)
    }
  }

  func profileStamp() -> String {
    profilePaths.map { path in
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      let changed = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      return "\(changed) \(attributes?[.size] as? Int ?? -1)"
    }.joined(separator: ";")
  }

  private func modelDigest() throws -> String {
    if let known = digest.withLock({ $0 }) { return known }
    let computed = try Provenance.sha256(ofFile: path)
    digest.withLock { $0 = computed }
    return computed
  }
}
