import Foundation
import SelfCDHTTP

/// Receives a file of known size and checksum: in pieces, with new attempts after failures, and from where an earlier
/// run ended.
struct FileDownload: Sendable {
  private let client: HTTPClient
  private let pauses: [Double]
  private let piece: Int64
  private let wait: @Sendable (_ seconds: Double) async throws -> Void

  /// - Parameters:
  ///   - client: Sends the requests.
  ///   - pauses: Seconds to wait after the first failure, the second one and so on. The one that follows the last pause
  ///     is thrown; progress starts the count anew.
  ///   - piece: The most bytes asked for at once. It bounds what waits in memory for the disk.
  ///   - wait: Waits for so many seconds.
  init(
    client: HTTPClient, pauses: [Double], piece: Int64,
    wait: @escaping @Sendable (_ seconds: Double) async throws -> Void
  ) {
    self.client = client
    self.pauses = pauses
    self.piece = max(1, piece)
    self.wait = wait
  }

  /// Receives a file, and gives it its final name when its checksum is right.
  /// - Parameters:
  ///   - file: Its name, size and checksum.
  ///   - request: Asks for it.
  ///   - partial: Where it is until it is whole; what is there already is not asked for again.
  ///   - final: Its final name, on the same file system.
  ///   - available: Bytes that are free there; nil where the system does not say.
  ///   - reserve: Bytes that are needed there afterwards, beside the file.
  ///   - onEvent: Told what happens.
  ///   - refusal: The error that an answer without content stands for.
  /// - Throws: ``HubError``; `CancellationError` when the task is cancelled.
  func receive(
    _ file: HubFile, from request: HTTPRequest, into partial: URL, then final: URL, available: Int64?,
    reserve: Int64 = 0, onEvent: @escaping @Sendable (HubEvent) -> Void,
    refusal: (HTTPHead, Data) -> HubError
  ) async throws {
    let output = try PartialFile(file, at: partial)
    let needed = file.size - output.offset + reserve
    if let available, available < needed {
      throw HubError.diskFull(
        path: final.deletingLastPathComponent().path, needed: needed, available: available)
    }
    onEvent(.progress(received: output.offset, total: file.size))
    func reached() -> Int64 { output.offset }
    var hasRestarted = false
    while output.offset < file.size {
      let mayRestart = !hasRestarted
      let restarts = try await repeating(onEvent, progress: reached) {
        try await receivePiece(of: file, from: request, output, mayRestart: mayRestart, onEvent, refusal)
      }
      hasRestarted = hasRestarted || restarts
    }
    guard output.checksum == file.checksum.hex else {
      let received = output.checksum
      try? FileManager.default.removeItem(at: partial)
      throw HubError.wrongChecksum(file: file.path, expected: file.checksum.hex, received: received)
    }
    try output.synchronise()
    guard rename(partial.path, final.path) == 0 else {
      throw HubError.cannotWrite(path: final.path, reason: SystemError.text())
    }
  }

  /// Asks for the next piece and writes it as it comes.
  /// - Parameter mayRestart: Whether the file may be begun anew where the server knows nothing of the next piece: what
  ///   is there may be of another file. Where that happens again, it is the server that is wrong.
  /// - Returns: Whether the file is begun anew.
  private func receivePiece(
    of file: HubFile, from request: HTTPRequest, _ output: PartialFile, mayRestart: Bool,
    _ onEvent: @escaping @Sendable (HubEvent) -> Void, _ refusal: (HTTPHead, Data) -> HubError
  ) async throws -> Bool {
    let offset = output.offset
    var request = request
    request.headers["Range"] = "bytes=\(offset)-\(min(file.size, offset + piece) - 1)"
    let gate = RangeGate(offset: offset, size: file.size, output: output)
    let head = try await client.stream(request) { head, data in
      if try gate.admits(head) {
        try output.append(data)
        onEvent(.progress(received: output.offset, total: file.size))
      } else {
        gate.note(data)
      }
    }
    switch head.status {
    case 200, 206:
      guard output.offset != offset else {
        throw HTTPFailure.interrupted(host: head.url.host ?? "", detail: "nothing came")
      }
      return false
    case 416:
      guard offset > 0, mayRestart else {
        throw HubError.unreadableAnswer(
          url: head.url.shown,
          detail: "it says that it has no bytes from \(offset) on, \(file.size) were announced")
      }
      try output.reset()
      return true
    default: throw refusal(head, gate.refusal)
    }
  }

  /// Runs `body` until it succeeds, or has failed once more than there are pauses, in a row and without progress.
  func repeating<Value>(
    _ onEvent: @Sendable (HubEvent) -> Void, progress: () -> Int64 = { 0 }, _ body: () async throws -> Value
  ) async throws -> Value {
    var failures = 0
    var last = progress()
    while true {
      let detail: String
      do {
        return try await body()
      } catch let failure as HTTPFailure {
        detail = failure.description
        if !failure.isRetryable { throw HubError.network(detail: detail, received: progress()) }
      } catch let refusal as HubError {
        guard case .refused(let status, _, _, _) = refusal, status == 408 || status == 429 || status >= 500
        else {
          throw refusal
        }
        detail = refusal.description
        if failures >= pauses.count { throw refusal }
      }
      if progress() > last { failures = 0 }
      last = progress()
      guard failures < pauses.count else { throw HubError.network(detail: detail, received: progress()) }
      onEvent(.retrying(reason: detail, seconds: pauses[failures]))
      try await wait(pauses[failures])
      failures += 1
    }
  }
}
