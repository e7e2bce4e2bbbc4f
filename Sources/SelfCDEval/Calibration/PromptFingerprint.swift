import Crypto
import Foundation
import SelfCDData
import SelfCDSupport

extension CalibrationProfile.Source {
  /// SHA-256 over identifiers and texts, each with its length before it, so that none can run into the next.
  static func fingerprint(_ samples: [Sample]) -> String {
    var hash = SHA256()
    for text in samples.lazy.flatMap({ [$0.id] + $0.turns.flatMap { [$0.role.rawValue, $0.content] } }) {
      withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { hash.update(bufferPointer: $0) }
      hash.update(data: Data(text.utf8))
    }
    return hash.finalize().hexadecimal
  }
}
