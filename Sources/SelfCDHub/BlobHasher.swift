import Crypto
import Foundation
import SelfCDSupport

/// Computes a blob's checksum piece by piece.
enum BlobHasher {
  case sha256(SHA256)
  case gitBlob(Insecure.SHA1)

  init(for file: HubFile) {
    switch file.checksum {
    case .sha256: self = .sha256(SHA256())
    case .gitBlob:
      var hash = Insecure.SHA1()
      hash.update(data: Data("blob \(file.size)\0".utf8))
      self = .gitBlob(hash)
    }
  }

  mutating func update(_ data: Data) {
    switch self {
    case .sha256(var hash):
      hash.update(data: data)
      self = .sha256(hash)
    case .gitBlob(var hash):
      hash.update(data: data)
      self = .gitBlob(hash)
    }
  }

  var hex: String {
    switch self {
    case .sha256(let hash): hash.finalize().hexadecimal
    case .gitBlob(let hash): hash.finalize().hexadecimal
    }
  }
}
