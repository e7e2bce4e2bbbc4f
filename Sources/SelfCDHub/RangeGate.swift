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
  private let output: PartialFile
  private let state = Mutex(State())

  init(offset: Int64, output: PartialFile) {
    self.offset = offset
    self.output = output
  }

  /// The body of an answer that was an error.
  var refusal: Data { state.withLock { $0.refusal } }

  /// Whether the bytes belong into the file.
  func admits(_ head: HTTPHead) throws(HubError) -> Bool {
    if state.withLock({ $0.isOpen }) { return true }
    switch head.status {
    case 206:
      let start = head["Content-Range"].flatMap(Self.start)
      guard start == offset else {
        throw .unreadableAnswer(
          url: head.url.absoluteString, detail: "bytes from \(offset) were asked for, others were sent")
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

  /// `bytes 5-9/100`.
  private static func start(_ field: String) -> Int64? {
    guard field.lowercased().hasPrefix("bytes ") else { return nil }
    return field.dropFirst(6).split(separator: "-").first.flatMap { Int64($0) }
  }
}
