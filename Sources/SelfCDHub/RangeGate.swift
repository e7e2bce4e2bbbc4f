import Foundation
import SelfCDHTTP
import Synchronization

/// Looks at an answer's head before its first byte is written: a server may send another range than was asked for, the
/// whole file, or an error page.
final class RangeGate: Sendable {
  private struct State {
    var isOpen = false
    var refusal = Data()
  }

  private static let longestRefusal = 64 << 10
  private let offset: Int64
  private let size: Int64
  private let output: PartialFile
  private let state = Mutex(State())

  /// Makes a gate.
  /// - Parameters:
  ///   - offset: Where the bytes asked for begin.
  ///   - size: Bytes of the whole file, as announced.
  ///   - output: Where the bytes go.
  init(offset: Int64, size: Int64, output: PartialFile) {
    self.offset = offset
    self.size = size
    self.output = output
  }

  /// The body of an answer that was an error.
  var refusal: Data { state.withLock { $0.refusal } }

  /// Whether the bytes belong in the file.
  /// - Throws: ``HubError`` where they are other bytes than those asked for, or of another file than the one announced.
  func admits(_ head: HTTPHead) throws(HubError) -> Bool {
    if state.withLock({ $0.isOpen }) { return true }
    switch head.status {
    case 206:
      let range = head["Content-Range"].map(Self.range)
      guard range?.start == offset else {
        throw .unreadableAnswer(
          url: head.url.shown, detail: "bytes from \(offset) on were asked for, others were sent")
      }
      if let total = range?.total, total != size {
        throw .unreadableAnswer(
          url: head.url.shown, detail: "its file has \(total) bytes, \(size) were announced")
      }
    case 200:
      // The server knows no ranges: everything comes again.
      if offset > 0 { try output.reset() }
    default: return false
    }
    state.withLock { $0.isOpen = true }
    return true
  }

  func note(_ data: Data) {
    state.withLock { state in
      state.refusal += data.prefix(max(0, Self.longestRefusal - state.refusal.count))
    }
  }

  /// `bytes 5-9/100`; a server that does not know the total writes `*` for it.
  private static func range(_ field: String) -> (start: Int64?, total: Int64?) {
    guard field.lowercased().hasPrefix("bytes ") else { return (nil, nil) }
    let parts = field.dropFirst(6).split(separator: "/", maxSplits: 1)
    let start = parts.first?.split(separator: "-").first.flatMap { Int64($0) }
    return (start, parts.count == 2 ? Int64(parts[1]) : nil)
  }
}
