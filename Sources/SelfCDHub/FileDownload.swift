import Foundation
import SelfCDHTTP

/// Receives a file of known size and checksum: in pieces, again after failures, and on from where an earlier run ended.
struct FileDownload: Sendable {
  private let client: HTTPClient
  private let pauses: [Double]
  private let piece: Int64
  private let wait: @Sendable (_ seconds: Double) async throws -> Void

  /// - Parameters:
  ///   - client: sends the requests.
  ///   - pauses: Seconds to wait after each failure in a row that brought nothing; then it counts as lasting.
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
  ///   - file: what is known of it.
  ///   - request: asks for it.
  ///   - partial: where it stands until it is whole; what is there already is not asked for again.
  ///   - final: its final name, on the same file system.
  ///   - available: bytes that are free there; nil where the system does not say.
  ///   - onEvent: told what happens.
  ///   - refusal: the error for an answer that is none.
  /// - Throws: ``HubError``; `CancellationError` when the task is cancelled.
  func receive(
    _ file: HubFile, from request: HTTPRequest, into partial: URL, then final: URL, available: Int64?,
    onEvent: @escaping @Sendable (HubEvent) -> Void, refusal: (HTTPHead, Data) -> HubError
  ) async throws {
    let output = try PartialFile(file, at: partial)
    let missing = file.size - output.offset
    if let available, available < missing {
      throw HubError.diskFull(
        path: final.deletingLastPathComponent().path, needed: missing, available: available)
    }
    onEvent(.progress(received: output.offset, total: file.size))
    func reached() -> Int64 { output.offset }
    while output.offset < file.size {
      try await repeating(onEvent, progress: reached) {
        try await receivePiece(of: file, from: request, output, onEvent, refusal)
      }
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
  private func receivePiece(
    of file: HubFile, from request: HTTPRequest, _ output: PartialFile,
    _ onEvent: @escaping @Sendable (HubEvent) -> Void, _ refusal: (HTTPHead, Data) -> HubError
  ) async throws {
    let offset = output.offset
    var request = request
    request.headers["Range"] = "bytes=\(offset)-\(min(file.size, offset + piece) - 1)"
    let gate = RangeGate(offset: offset, output: output)
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
    case 416: try output.reset()
    default: throw refusal(head, gate.refusal)
    }
  }

  /// Runs `body` until it succeeds, or has failed too often in a row without any progress.
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
        guard case .refused(let status, _, _) = refusal, status == 408 || status == 429 || status >= 500
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
