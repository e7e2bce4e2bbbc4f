import Dispatch
import Foundation
import SelfCD
import Synchronization

/// Ctrl-C, and other signals where they are named: the first asks what is running to stop and keep its results, the
/// second ends the process at once.
enum Interruption {
  private struct State {
    var isRequested = false
    var handler: (@Sendable () -> Void)?
    var sources: [Int32: any DispatchSourceSignal] = [:]
  }

  private static let state = Mutex(State())

  static var isRequested: Bool { state.withLock { $0.isRequested } }

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
      return state.isRequested
    }
    if already { onInterrupt() }
    defer { state.withLock { $0.handler = nil } }
    return try await body()
  }

  /// Runs `body` as a task that Ctrl-C cancels.
  /// - Throws: `CommandError.interrupted` where it was, and what `body` throws.
  static func cancellable<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
    let work = Task { try await body() }
    do {
      let stop: @Sendable () -> Void = { work.cancel() }
      return try await handling(stop) { try await work.value }
    } catch is CancellationError {
      throw CommandError.interrupted
    }
  }

  /// Takes back an interruption that was dealt with, so that an interactive program goes on.
  static func reset() { state.withLock { $0.isRequested = false } }

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
    let (isSecond, handler) = state.withLock { state in
      defer { state.isRequested = true }
      return (state.isRequested, state.handler)
    }
    // Not `exit`: the engine may be computing, and destructors would pull its memory away.
    if isSecond || handler == nil { _exit(ExitStatus.interrupted) }
    handler?()
  }
}
