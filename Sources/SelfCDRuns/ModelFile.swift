import Foundation

/// The file of the model that a run is of.
public struct ModelFile: Sendable, Hashable {
  /// Where it is.
  public var path: String
  /// The name people use.
  public var name: String
  /// What it says about itself: architecture, quantisation and so on.
  public var metadata: [String: String]

  /// Names a file; by default after the file itself.
  public init(path: String, name: String? = nil, metadata: [String: String] = [:]) {
    self.path = URL(filePath: path).standardizedFileURL.path
    self.name = name ?? URL(filePath: path).lastPathComponent
    self.metadata = metadata
  }
}
