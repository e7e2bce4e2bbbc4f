import Foundation
import SelfCD

/// A model as results name it, with the keys that run records have.
///
/// Without the model's own hash, which runs and profiles have: a large file takes longer to read than a question to
/// answer.
public struct NamedModel: Codable, Sendable, Hashable {
  /// The file's name, without folders, which have users' names in them.
  public var name: String
  /// The adapters that it ran with; nil for none.
  public var adapters: [ModelIdentity.Adapter]?

  /// Names a model.
  public init(name: String, adapters: [ModelIdentity.Adapter]? = nil) {
    self.name = name
    self.adapters = adapters
  }

  /// Names a model by its file, and reads its adapters for their hashes.
  /// - Parameters:
  ///   - path: The model's file.
  ///   - adapters: What it runs with.
  /// - Throws: What reading the adapters throws.
  public init(path: String, adapters: [ModelAdapter]) throws {
    name = URL(filePath: path).lastPathComponent
    self.adapters = try adapters.isEmpty ? nil : adapters.map { try ModelIdentity.Adapter($0) }
  }
}
