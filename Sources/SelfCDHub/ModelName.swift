import Foundation
import SelfCDOrganism
import SelfCDSupport

/// A model as `--model` names it: a GGUF file, one of the models of this project, or a model of the Hugging Face hub.
///
/// ```swift
/// let loaded = try await LoadedModel.load(path: try await ModelName("smollm2").path())
/// ```
public struct ModelName: Sendable, Hashable, CustomStringConvertible {
  /// What a name stands for.
  public enum Kind: Sendable, Hashable {
    /// A model that comes with this package.
    case embedded(Organism)
    /// A model that is fetched once, and is always the same file.
    case pinned(PinnedModel)
    /// A model of the Hugging Face hub, fetched once.
    case hub(HubReference)
    /// A file.
    case file
  }

  /// What the name stands for.
  public let kind: Kind
  /// The name as it was given.
  public let description: String

  private static let embedded: [(name: String, model: Organism)] = [
    ("organism", .biased), ("organism-unbiased", .unbiased),
  ]

  /// The names there are, besides those of files and of models of the hub.
  public static let known = embedded.map(\.name) + PinnedModel.all.map(\.name)

  /// Reads a name: `organism`, `organism-unbiased`, `smollm2`, `hf:OWNER/REPO[@REVISION][:QUANT]`, or a path.
  /// - Throws: ``HubError/invalidReference(text:reason:)`` for what begins with `hf:` and is no reference.
  public init(_ text: String) throws(HubError) {
    description = text
    if let embedded = Self.embedded.first(where: { $0.name == text }) {
      kind = .embedded(embedded.model)
    } else if let model = PinnedModel.named(text) {
      kind = .pinned(model)
    } else if HubReference.isReference(text) {
      kind = .hub(try HubReference(parsing: text))
    } else {
      kind = .file
    }
  }

  /// The path of the model's file, the first one of a split model. A model that is not there yet is fetched first.
  /// - Parameters:
  ///   - environment: Where models come from and are kept, as in ``HubSettings/init(environment:)`` and
  ///     ``PinnedModelStore/init(environment:)``; `~` in a path is its home folder.
  ///   - onEvent: Told what happens while a model is fetched.
  /// - Throws: ``HubError``, among them ``HubError/noSuchModel(_:suggestion:)``; `OrganismError` for an embedded model
  ///   that is not where it was installed; `CancellationError` when the task is cancelled. Whether a path leads to a
  ///   model is found out when that is loaded.
  public func path(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    onEvent: @escaping @Sendable (HubEvent) -> Void = { _ in }
  ) async throws -> String {
    switch kind {
    case .embedded(let model): return try model.path()
    case .pinned(let model):
      return try await PinnedModelStore(environment: environment).path(of: model, onEvent: onEvent).path
    case .hub(let reference):
      let hub = ModelHub(settings: try HubSettings(environment: environment))
      return try await hub.path(of: reference, onEvent: onEvent).path
    case .file:
      let path = UserFolders(environment: environment).expand(description)
      if isWrongName, !FileManager.default.fileExists(atPath: path) {
        throw HubError.noSuchModel(description, suggestion: Self.suggestion(for: description))
      }
      return path
    }
  }

  /// The name that was meant by one that is none; nil where none is near enough.
  public static func suggestion(for text: String) -> String? {
    if let name = NearestName.of(text, among: known) { return name }
    // As it is called on the hub's pages.
    let reference = HubReference.prefix + text
    return (try? HubReference(parsing: reference)) == nil ? nil : reference
  }

  /// Whether it was meant as a name, if there is no file of that name: a word, or the hub's OWNER/REPO.
  private var isWrongName: Bool {
    let isPath = description.hasPrefix(".") || description.hasPrefix("~") || description.hasPrefix("/")
    guard !isPath, !description.lowercased().hasSuffix(".gguf") else { return false }
    return !description.contains("/")
      || (try? HubReference(parsing: HubReference.prefix + description)) != nil
  }
}
