import HTTPTypes
import Hummingbird
import SelfCD

/// Writes a job's events as server-sent events (`text/event-stream`), ended by `[DONE]`.
///
/// The head is sent as soon as the job stands in line, and a comment where there is nothing to say for long, so that
/// neither the client nor a proxy takes the stream for dead.
struct EventStream: Sendable {
  /// What is written at each part of a choice, and at the end.
  struct Writer: Sendable {
    /// The first events, before anything is generated.
    var opening: @Sendable () -> [any Encodable & Sendable]
    var part: @Sendable (_ index: Int, ChoiceReader.Part) -> (any Encodable & Sendable)?
    var closing: @Sendable ([GenerationSummary]) -> (any Encodable & Sendable)?
  }

  let service: GenerationService
  let scope: RequestScope
  /// Makes what is written for a job.
  let writer: @Sendable (GenerationService.Job) -> Writer

  /// Ignored by readers of event streams, and by proxies taken for life.
  private static let comment = ByteBuffer(string: ": keep-alive\n\n")

  /// Answers with what `prepare` puts in line.
  ///
  /// - Parameter prepare: checks the request and takes its place.
  /// - Throws: ``APIError``, and what `prepare` throws before the head has to be sent.
  func response(
    preparing prepare: @escaping @Sendable () async throws -> WaitingJob
  ) async throws -> Response {
    let cancellation = Cancellation()
    let preparation = Task {
      let job = try await prepare()
      cancellation.onCancel { job.cancel() }
      return job
    }
    cancellation.onCancel { preparation.cancel() }
    scope.onEnd { _ in cancellation.cancel() }
    try await waitWithStatus(preparation)
    let body = ResponseBody { output in
      defer { cancellation.cancel() }
      do {
        try await write(events(preparation, cancellation), to: &output)
      } catch {
        cancellation.cancel()
        guard let failure = failure(error) else { throw error }
        try await output.write(Self.event(failure))
      }
      try await output.finish(nil)
    }
    var headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"]
    // Proxies that collect a response before they pass it on would undo the streaming.
    if let buffering = HTTPField.Name("X-Accel-Buffering") { headers[buffering] = "no" }
    return Response(status: .ok, headers: headers, body: body)
  }

  /// Waits for the place in line: what goes wrong until then is told by the response's status. A model that takes long to
  /// load is not waited for to the end, since no stream may be silent for so long.
  private func waitWithStatus(_ preparation: Task<WaitingJob, any Error>) async throws {
    let wait = Task { _ = try await preparation.valueUnlessCancelled() }
    let patience = scope.alarm(after: service.keepAlive) { wait.cancel() }
    defer { patience.cancel() }
    do {
      try await wait.value
    } catch {
      if let cause = scope.cause { throw scope.error(for: cause) }
      guard error is CancellationError else { throw error }
    }
  }

  // MARK: - Writing

  private func write(
    _ events: AsyncThrowingStream<Event, any Error>, to output: inout any ResponseBodyWriter
  ) async throws {
    var written: Writer?
    var running: RunningJob?
    var texts: [Int: String] = [:]
    var summaries: [Int: GenerationSummary] = [:]
    var silence = Silence(limit: service.keepAlive)
    for try await event in events {
      var values: [any Encodable & Sendable] = []
      switch event {
      case .entered(let job):
        let writer = writer(job)
        values = writer.opening()
        written = writer
      case .started(let job): running = job
      case .part(let index, let part):
        switch part {
        case .text(let text, _): texts[index, default: ""] += text
        case .reasoning: break
        case .finished(let summary, _):
          summaries[index] = summary
          if summary.stopReason != .cancelled { running?.judge(texts[index] ?? "", summary.stopReason) }
        }
        values = [written?.part(index, part)].compactMap(\.self)
      case .tick:
        guard silence.isLong() else { continue }
        try await output.write(Self.comment)
        silence.end()
      }
      for value in values {
        try await output.write(Self.event(value))
        silence.end()
      }
    }
    if let cause = scope.cause { throw scope.error(for: cause) }
    guard let running, summaries.count == running.handles.count,
      summaries.values.allSatisfy({ $0.stopReason != .cancelled })
    else { throw CancellationError() }
    if let value = written?.closing(summaries.sorted { $0.key < $1.key }.map(\.value)) {
      try await output.write(Self.event(value))
    }
    try await output.write(ByteBuffer(string: "data: [DONE]\n\n"))
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
  private func failure(_ error: any Error) -> Failure? {
    switch scope.cause {
    case .disconnected: nil
    case let cause?: Failure(error: scope.error(for: cause))
    case nil: Failure(error: APIError(engine: error))
    }
  }

  // MARK: - Reading

  private enum Event: Sendable {
    /// The job stands in line for its lanes.
    case entered(GenerationService.Job)
    case started(RunningJob)
    case part(Int, ChoiceReader.Part)
    /// Time has passed.
    case tick
  }

  /// What becomes of a job, and the parts of all choices as they come.
  ///
  /// Read apart from the writing, so that a client that does not read keeps neither lanes nor its limits' rest. The
  /// reading goes on to the end of what was cancelled, too: what was generated until then is charged.
  private func events(
    _ preparation: Task<WaitingJob, any Error>, _ cancellation: Cancellation
  ) -> AsyncThrowingStream<Event, any Error> {
    let (stream, continuation) = AsyncThrowingStream<Event, any Error>.makeStream()
    let metronome = scope.every(service.keepAlive) { continuation.yield(.tick) }
    Task {
      var model = "a model"
      do {
        let waiting = try await preparation.value
        model = waiting.job.lease.name
        continuation.yield(.entered(waiting.job))
        let running = try await waiting.start()
        cancellation.onCancel { running.cancel() }
        continuation.yield(.started(running))
        try await read(running) { continuation.yield(.part($0, $1)) }
        continuation.finish()
      } catch {
        if scope.cause == nil { service.logFailure(error, of: model) }
        continuation.finish(throwing: error)
      }
    }
    continuation.onTermination = { _ in
      metronome.cancel()
      cancellation.cancel()
    }
    return stream
  }

  private func read(
    _ running: RunningJob, _ deliver: @escaping @Sendable (Int, ChoiceReader.Part) -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, handle) in running.handles.enumerated() {
        group.addTask {
          var reader = running.reader(handle)
          while let part = try await reader.next(onToken: running.countToken) {
            if case .finished(let summary, _) = part { running.finished(summary) }
            deliver(index, part)
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
