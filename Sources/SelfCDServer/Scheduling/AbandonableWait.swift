import Synchronization

extension Task where Failure == any Error {
  /// The task's value, unless the one that waits for it is cancelled first: the task itself goes on, for others.
  ///
  /// - Throws: what the task throws; `CancellationError`.
  func valueUnlessCancelled() async throws -> Success {
    let wait = AbandonableWait<Success>()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        wait.begin(continuation)
        Task<Void, Never> { wait.end(await result) }
      }
    } onCancel: {
      wait.end(.failure(_Concurrency.CancellationError()))
    }
  }
}

/// A continuation that is resumed by whoever comes first.
final class AbandonableWait<Success: Sendable>: Sendable {
  private enum State {
    case notBegun
    case waiting(CheckedContinuation<Success, any Error>)
    /// Before anybody waited.
    case over(Result<Success, any Error>)
    case told
  }

  private let state = Mutex(State.notBegun)

  func begin(_ continuation: CheckedContinuation<Success, any Error>) {
    let result: Result<Success, any Error>? = state.withLock { state in
      if case .over(let result) = state {
        state = .told
        return result
      }
      state = .waiting(continuation)
      return nil
    }
    if let result { continuation.resume(with: result) }
  }

  func end(_ result: Result<Success, any Error>) {
    let continuation: CheckedContinuation<Success, any Error>? = state.withLock { state in
      switch state {
      case .over, .told: return nil
      case .notBegun:
        state = .over(result)
        return nil
      case .waiting(let continuation):
        // Whatever comes is theirs who waited: kept here, lanes would not be given back.
        state = .told
        return continuation
      }
    }
    continuation?.resume(with: result)
  }
}
