import Crypto
import Foundation
import SelfCD
import SelfCDSupport

/// What tells a model from every other one: its file or files, and the adapters that it runs with.
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

    /// Describes an adapter, whose file is read for its hash.
    /// - Throws: What reading it throws.
    public init(_ adapter: ModelAdapter) throws {
      kind = adapter.kind
      name = URL(filePath: adapter.path).lastPathComponent
      sha256 = try FileDigest.sha256(ofFile: adapter.path)
      scale = adapter.scale
      layers = adapter.layers.map { [$0.lowerBound, $0.upperBound] }
    }

    /// The adapter in words: `biased.gguf (lora, scale 1.0, SHA-256 …)`.
    public var summary: String { described("SHA-256 \(sha256)") }

    /// The same with the beginning of the hash, for messages.
    package var label: String { described("SHA-256 \(sha256.prefix(8))…") }

    private func described(_ hash: String) -> String {
      let range = layers.map { ", layers \($0.map(String.init).joined(separator: "..."))" } ?? ""
      return "\(name) (\(kind.rawValue), scale \(scale)\(range), \(hash))"
    }

    /// All that makes a difference to what is computed, on one line.
    fileprivate var line: String {
      let range = layers.map { " \($0.map(String.init).joined(separator: "..."))" } ?? ""
      return "\(kind.rawValue) \(sha256) \(scale)\(range)"
    }
  }

  /// A part of a split model that is not beside the first one.
  public struct MissingPart: Error, Equatable, CustomStringConvertible {
    /// Where it should be.
    public let path: String
    /// Its number, from 1.
    public let part: Int
    /// How many there are.
    public let count: Int

    /// The error in words, with what to try.
    public var description: String {
      "The model has \(count) parts, but part \(part), \(path), is missing. Put all parts into one folder."
    }
  }

  /// SHA-256 of the model's own file, lower-case hexadecimal. Of a split model, SHA-256 of the text `selfcd-parts-1`
  /// and a line with the hash of each part, in order.
  public var file: String
  /// What it runs with; order makes no difference, since their effects are added.
  public var adapters: [Adapter]

  /// Reads the files' hashes.
  /// - Parameters:
  ///   - path: The model's file, the first one of a split model.
  ///   - adapters: What it runs with.
  /// - Throws: ``MissingPart``, and what reading the files throws.
  public init(path: String, adapters: [ModelAdapter] = []) throws {
    let parts = try Self.parts(of: path)
    if parts.isEmpty {
      file = try FileDigest.sha256(ofFile: path)
    } else {
      let hashes = try parts.map { try FileDigest.sha256(ofFile: $0) }
      file = Self.digest(of: ["selfcd-parts-1"] + hashes)
    }
    self.adapters = try adapters.map { try Adapter($0) }
  }

  /// One hash for all of it, lower-case hexadecimal: ``file`` where there are no adapters, else SHA-256 of the text
  /// `selfcd-model-1`, ``file``, and a line for each adapter in sorted order.
  public var sha256: String {
    guard !adapters.isEmpty else { return file }
    return Self.digest(of: ["selfcd-model-1", file] + adapters.map(\.line).sorted())
  }

  private static func digest(of lines: [String]) -> String {
    SHA256.hash(data: Data(lines.joined(separator: "\n").utf8)).hexadecimal
  }

  /// The parts of a split model by their names, `NAME-00001-of-00003.gguf` and so on, without which libllama takes none;
  /// empty where the name is no first part's, or where no other part is there, as with one whole file of such a name.
  private static func parts(of path: String) throws(MissingPart) -> [String] {
    func ending(_ part: Int, of count: Int) -> String {
      func five(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
      }
      return "-\(five(part))-of-\(five(count)).gguf"
    }
    guard let count = Int(path.dropLast(5).suffix(5)), count > 1, path.hasSuffix(ending(1, of: count)) else {
      return []
    }
    let stem = String(path.dropLast(ending(1, of: count).count))
    let others: [String] = (2...count).map { stem + ending($0, of: count) }
    let missing = others.indices.filter { !FileManager.default.fileExists(atPath: others[$0]) }
    guard missing.count < others.count else { return [] }
    if let index = missing.first { throw MissingPart(path: others[index], part: index + 2, count: count) }
    return [path] + others
  }
}
