import Crypto
import Foundation
import SelfCD
import SelfCDSupport

/// What tells a model from every other one: its file, and the adapters that it runs with.
///
/// An adapter makes another model of the same file, so whatever is measured holds for the two together only.
public struct ModelIdentity: Codable, Sendable, Hashable {
  /// An adapter as it is recorded: by content, not by place.
  public struct Adapter: Codable, Sendable, Hashable {
    /// What the file holds.
    public var kind: ModelAdapter.Kind
    /// The file's name without its folder.
    public var name: String
    /// SHA-256 of the file, lower-case hexadecimal.
    public var sha256: String
    /// The factor it is applied with.
    public var scale: Float
    /// The first and the last layer of a control vector that was given a range.
    public var layers: [Int]?

    /// Reads the file's hash.
    /// - Throws: What reading it throws.
    init(_ adapter: ModelAdapter) throws {
      kind = adapter.kind
      name = URL(filePath: adapter.path).lastPathComponent
      sha256 = try FileDigest.sha256(ofFile: adapter.path)
      scale = adapter.scale
      layers = adapter.layers.map { [$0.lowerBound, $0.upperBound] }
    }

    /// The adapter in words: `biased.gguf (lora, scale 1.0, SHA-256 …)`.
    public var summary: String {
      let range = layers.map { ", layers \($0.map(String.init).joined(separator: "..."))" } ?? ""
      return "\(name) (\(kind.rawValue), scale \(scale)\(range), SHA-256 \(sha256))"
    }

    /// All that makes a difference to what is computed, on one line.
    fileprivate var line: String {
      let range = layers.map { " \($0.map(String.init).joined(separator: "..."))" } ?? ""
      return "\(kind.rawValue) \(sha256) \(scale)\(range)"
    }
  }

  /// SHA-256 of the model's own file, of a split model its first file.
  public var file: String
  /// What it runs with; order makes no difference, since their effects are added.
  public var adapters: [Adapter]

  /// Reads the files' hashes.
  /// - Parameters:
  ///   - path: The model's file.
  ///   - adapters: What it runs with.
  /// - Throws: What reading the files throws.
  public init(path: String, adapters: [ModelAdapter] = []) throws {
    file = try FileDigest.sha256(ofFile: path)
    self.adapters = try adapters.map { try Adapter($0) }
  }

  /// One hash for all of it, lower-case hexadecimal: the file's own where there are no adapters, else SHA-256 of the
  /// text `selfcd-model-1`, the file's hash, and a line for each adapter in sorted order.
  public var sha256: String {
    guard !adapters.isEmpty else { return file }
    let text = (["selfcd-model-1", file] + adapters.map(\.line).sorted()).joined(separator: "\n")
    return SHA256.hash(data: Data(text.utf8)).hexadecimal
  }
}
