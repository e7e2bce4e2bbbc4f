import Synchronization

/// Cancellations, which come from any thread while the engine's own is busy in a model call.
///
/// A running call is aborted only when every generation that takes part in it was cancelled: one caller that
/// leaves must not cost the others their work.
final class CancellationBoard: Sendable {
  private struct State {
    var nextID = 0
    var active: Set<Int> = []
    var cancelled: Set<Int> = []
    var inCall: Set<Int> = []
  }

  private let state = Mutex(State())
  private let abort: AbortSignal

  init(abort: AbortSignal) {
    self.abort = abort
  }

  func makeID() -> Int {
    state.withLock { state in
      state.nextID += 1
      state.active.insert(state.nextID)
      return state.nextID
    }
  }

  /// Has no effect on a generation that is over.
  func cancel(_ id: Int) {
    state.withLock { state in
      guard state.active.contains(id) else { return }
      state.cancelled.insert(id)
      if !state.inCall.isEmpty, state.inCall.isSubset(of: state.cancelled) { abort.raise() }
    }
  }

  func isCancelled(_ id: Int) -> Bool {
    state.withLock { $0.cancelled.contains(id) }
  }

  func forget(_ id: Int) {
    state.withLock { state in
      state.active.remove(id)
      state.cancelled.remove(id)
    }
  }

  /// Those of `ids` that were cancelled; they are forgotten with it.
  ///
  /// A cancellation may come before its generation does; it stays on the board until then.
  func takeCancelled(among ids: Set<Int>) -> Set<Int> {
    state.withLock { state in
      let taken = state.cancelled.intersection(ids)
      state.active.subtract(taken)
      state.cancelled.subtract(taken)
      return taken
    }
  }

  /// Runs a model call on behalf of `ids`.
  func during<R>(_ ids: [Int], _ call: () throws -> R) rethrows -> R {
    state.withLock { state in
      state.inCall = Set(ids)
      abort.reset()
      if !state.inCall.isEmpty, state.inCall.isSubset(of: state.cancelled) { abort.raise() }
    }
    defer { state.withLock { $0.inCall = [] } }
    return try call()
  }
}
