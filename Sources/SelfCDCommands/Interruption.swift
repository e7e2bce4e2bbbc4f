import Dispatch
import Foundation
import SelfCD
import Synchronization

/// Ctrl-C, and other signals where they are named: the first asks what is running to stop and keep its results, the
/// second ends the process at once. While a person is waited for, the first is only answered, and a second soon after it
/// ends the process.
enum Interruption {
  /// What is known of the signals that came.
  struct Requests {
    var isRequested = false
    /// Whether a person is waited for, so that nothing runs that could be stopped.
    var isIdle = false
    private var lastWhileIdle: ContinuousClock.Instant?
    /// Two within this time end a program that waits for a person.
    static let patience = Duration.seconds(1)

    /// Takes note of a signal.
    /// - Returns: Whether the process ends at once, if there is something else that could be done.
    mutating func receive(at now: ContinuousClock.Instant) -> Bool {
      guard isIdle else {
        defer { isRequested = true }
        return isRequested
      }
      defer { lastWhileIdle = now }
      return lastWhileIdle.map { $0.duration(to: now) <= Self.patience } ?? false
    }
  }

  private struct State {
    var requests = Requests()
    var handler: (@Sendable () -> Void)?
    var lastWords: (@Sendable () -> Void)?
    var sources: [Int32: any DispatchSourceSignal] = [:]
  }

  private static let state = Mutex(State())

  static var isRequested: Bool { state.withLock { $0.requests.isRequested } }

  /// Runs `body`; Ctrl-C meanwhile cancels the generations.
  static func cancelling<R: Sendable>(
    _ generations: [GenerationHandle],
    isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> R
  ) async throws -> R {
    try await handling({ for generation in generations { generation.cancel() } }, isolation: isolation, body)
  }

  /// Runs `body`; the first of the signals meanwhile calls `onInterrupt`, from another thread.
  static func handling<R: Sendable>(
    _ onInterrupt: @escaping @Sendable () -> Void, signals: [Int32] = [SIGINT],
    isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws -> R
  ) async throws -> R {
    install(signals)
    let already = state.withLock { state in
      state.handler = onInterrupt
      return state.requests.isRequested
    }
    if already { onInterrupt() }
    defer { state.withLock { $0.handler = nil } }
    return try await body()
  }

  /// Runs `body` as a task that Ctrl-C cancels.
  /// - Parameter lastWords: called from another thread before a second Ctrl-C ends the process.
  /// - Throws: `CommandError.interrupted` where it was, and what `body` throws.
  static func cancellable<R: Sendable>(
    lastWords: (@Sendable () -> Void)? = nil, _ body: @escaping @Sendable () async throws -> R
  ) async throws -> R {
    // It begins when Ctrl-C is looked after, or one in its first moment would end the process without a word.
    let (start, begin) = AsyncStream.makeStream(of: Void.self)
    let work = Task {
      for await _ in start {}
      return try await body()
    }
    state.withLock { $0.lastWords = lastWords }
    defer { state.withLock { $0.lastWords = nil } }
    do {
      let stop: @Sendable () -> Void = { work.cancel() }
      return try await handling(stop) {
        begin.finish()
        return try await work.value
      }
    } catch is CancellationError {
      throw CommandError.interrupted
    }
  }

  /// The same for something long with a progress line: says in one line what an interruption leaves.
  static func cancellable<R: Sendable>(
    _ meter: ProgressLine, leaving remark: String, _ body: @escaping @Sendable () async throws -> R
  ) async throws -> R {
    do {
      return try await cancellable(body)
    } catch let error as CommandError where error == .interrupted {
      meter.clear()
      Console.standard.note("interrupted; \(remark)")
      throw error
    }
  }

  /// Runs `body`, which waits for a person; Ctrl-C meanwhile calls `onInterrupt`, from another thread, and a second one
  /// within a second ends the process.
  static func waiting<R>(_ onInterrupt: @escaping @Sendable () -> Void, _ body: () throws -> R) rethrows -> R
  {
    install()
    state.withLock { state in
      state.handler = onInterrupt
      state.requests.isIdle = true
    }
    defer {
      state.withLock { state in
        state.handler = nil
        state.requests.isIdle = false
      }
    }
    return try body()
  }

  /// Takes back an interruption that was dealt with, so that an interactive program goes on.
  static func reset() { state.withLock { $0.requests.isRequested = false } }

  static func install(_ signals: [Int32] = [SIGINT]) {
    state.withLock { state in
      for number in signals where state.sources[number] == nil {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
        source.setEventHandler { received() }
        source.resume()
        state.sources[number] = source
      }
    }
  }

  private static func received() {
    let now = ContinuousClock.now
    let (ends, handler, lastWords) = state.withLock { state in
      let ends = state.requests.receive(at: now)
      return (ends, state.handler, state.lastWords)
    }
    if ends || handler == nil {
      lastWords?()
      // Not `exit`: the engine may be computing, and destructors would pull its memory away.
      _exit(ExitStatus.interrupted)
    }
    handler?()
  }
}
