import Crypto
import Foundation
import Synchronization

/// SHA-256 of files, each of which is read once as long as it stays as it is: models have many gigabytes.
package enum FileDigest {
  /// A file that cannot be read.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package let path: String

    package var description: String { "\(path) cannot be read: it may not be opened" }
  }

  private struct Identity: Hashable {
    let path: String
    let size: UInt64
    let modified: Date
  }

  private static let known = Mutex<[Identity: String]>([:])

  /// The digest in hexadecimal.
  /// - Throws: ``Failure``, and what reading throws.
  package static func sha256(ofFile path: String) throws -> String {
    let identity = identity(of: path)
    if let identity, let digest = known.withLock({ $0[identity] }) { return digest }
    guard let handle = FileHandle(forReadingAtPath: path) else { throw Failure(path: path) }
    defer { try? handle.close() }
    var hash = SHA256()
    while let piece = try handle.read(upToCount: 1 << 22), !piece.isEmpty { hash.update(data: piece) }
    let digest = hash.finalize().hexadecimal
    if let identity { known.withLock { $0[identity] = digest } }
    return digest
  }

  private static func identity(of path: String) -> Identity? {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let size = attributes[.size] as? UInt64, let modified = attributes[.modificationDate] as? Date
    else { return nil }
    return Identity(path: path, size: size, modified: modified)
  }
}
