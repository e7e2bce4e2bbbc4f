import Foundation
import SelfCD
import SelfCDEval

/// The file of the model that a run is of, and what it runs with.
public struct ModelFile: Sendable, Hashable {
  /// Where it is.
  public var path: String
  /// The name people use.
  public var name: String
  /// What it says about itself: architecture, quantisation and so on.
  public var metadata: [String: String]
  /// LoRA adapters and control vectors that are in force.
  public var adapters: [ModelAdapter]

  /// Names a file; by default after the file itself, and after its adapters.
  public init(
    path: String, name: String? = nil, metadata: [String: String] = [:], adapters: [ModelAdapter] = []
  ) {
    func absolute(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path }
    self.path = absolute(path)
    self.adapters = adapters.map { adapter in
      var adapter = adapter
      adapter.path = absolute(adapter.path)
      return adapter
    }
    let own = name ?? URL(filePath: path).lastPathComponent
    self.name = ([own] + adapters.map { URL(filePath: $0.path).deletingPathExtension().lastPathComponent })
      .joined(separator: " + ")
    self.metadata = metadata
  }

  /// What tells it from every other model.
  /// - Throws: What reading the files throws.
  public func identity() throws -> ModelIdentity { try ModelIdentity(path: path, adapters: adapters) }
}
