import Foundation
import Synchronization

/// Gathers the pieces of a small answer.
final class Collector: Sendable {
  private let limit: Int
  private let data = Mutex(Data())

  init(limit: Int) {
    self.limit = limit
  }

  var bytes: Data { data.withLock { $0 } }

  func add(_ piece: Data, host: String) throws(HTTPFailure) {
    let fits = data.withLock { data in
      guard data.count + piece.count <= limit else { return false }
      data.append(piece)
      return true
    }
    guard fits else { throw .tooLarge(host: host, limit: limit) }
  }
}
