import HTTPTypes
import Hummingbird
import SelfCD

/// Writes a job's events as server-sent events (`text/event-stream`), ended by `[DONE]`.
enum EventStream {
  /// What is written at each part of a choice, and at the end.
  struct Writer: Sendable {
    /// The first events, before anything is generated.
    var opening: @Sendable () -> [any Encodable & Sendable]
    var part: @Sendable (_ index: Int, ChoiceReader.Part) -> (any Encodable & Sendable)?
    var closing: @Sendable ([GenerationSummary]) -> (any Encodable & Sendable)?
  }

  static func response(_ running: RunningJob, scope: RequestScope, _ writer: Writer) -> Response {
    let body = ResponseBody { output in
      // The connection's own task writes; what ends a request early reaches it through the generations.
      let takeBack = scope.onEnd { _ in running.cancel() }
      defer { takeBack() }
      do {
        try await write(running, scope, writer, to: &output)
      } catch {
        running.cancel()
        if scope.cause == nil { running.logFailure(error) }
        guard let failure = failure(error, scope) else { throw error }
        try await output.write(event(failure))
      }
      try await output.finish(nil)
    }
    var headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"]
    // Proxies that collect a response before they pass it on would undo the streaming.
    if let buffering = HTTPField.Name("X-Accel-Buffering") { headers[buffering] = "no" }
    return Response(status: .ok, headers: headers, body: body)
  }

  private static func write(
    _ running: RunningJob, _ scope: RequestScope, _ writer: Writer, to output: inout any ResponseBodyWriter
  ) async throws {
    for value in writer.opening() { try await output.write(event(value)) }
    var texts = Array(repeating: "", count: running.handles.count)
    var summaries: [Int: GenerationSummary] = [:]
    func deliver(_ index: Int, _ part: ChoiceReader.Part) async throws {
      switch part {
      case .text(let text, _): texts[index] += text
      case .reasoning: break
      case .finished(let summary, _):
        summaries[index] = summary
        if summary.stopReason != .cancelled { running.judge(texts[index]) }
      }
      if let value = writer.part(index, part) { try await output.write(event(value)) }
    }
    for try await (index, part) in merged(running) { try await deliver(index, part) }
    if let cause = scope.cause { throw scope.error(for: cause) }
    guard summaries.count == running.handles.count,
      summaries.values.allSatisfy({ $0.stopReason != .cancelled })
    else { throw CancellationError() }
    if let value = writer.closing(summaries.sorted { $0.key < $1.key }.map(\.value)) {
      try await output.write(event(value))
    }
    try await output.write(ByteBuffer(string: "data: [DONE]\n\n"))
  }

  /// The parts of all choices as they come.
  ///
  /// Read apart from the writing, so that a client that does not read keeps neither lanes nor its limits' rest. The
  /// reading goes on to the end of what was cancelled, too: what was generated until then is charged.
  private static func merged(_ running: RunningJob) -> AsyncThrowingStream<
    (Int, ChoiceReader.Part), any Error
  > {
    let (stream, continuation) = AsyncThrowingStream<(Int, ChoiceReader.Part), any Error>.makeStream()
    Task {
      do {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for (index, handle) in running.handles.enumerated() {
            group.addTask {
              var reader = running.reader(handle)
              while let part = try await reader.next(onToken: running.countToken) {
                if case .finished(let summary, _) = part { running.finished(summary) }
                continuation.yield((index, part))
              }
            }
          }
          try await group.waitForAll()
        }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    continuation.onTermination = { _ in running.cancel() }
    return stream
  }

  static func event(_ value: any Encodable & Sendable) -> ByteBuffer {
    var buffer = ByteBuffer()
    let data = APIJSON.data(value)
    buffer.reserveCapacity(data.count + 8)
    buffer.writeString("data: ")
    buffer.writeBytes(data)
    buffer.writeString("\n\n")
    return buffer
  }

  private struct Failure: Encodable, Sendable { let error: APIError }

  /// What a client that still listens is told about an error in the middle of a stream; `nil` for one that is
  /// gone.
  private static func failure(_ error: any Error, _ scope: RequestScope) -> Failure? {
    switch scope.cause {
    case .disconnected: nil
    case let cause?: Failure(error: scope.error(for: cause))
    case nil: Failure(error: APIError(engine: error))
    }
  }
}
