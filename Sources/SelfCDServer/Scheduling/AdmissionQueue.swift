import Foundation
import Synchronization

/// Who may use a model's lanes next. Clients take turns, so that one with a hundred requests does not keep
/// another with one waiting behind all of them.
///
/// Within a client the order is that of arrival. The head of the line is never passed over by a smaller
/// request behind it, so that requests of many lanes are not starved.
final class AdmissionQueue: Sendable {
  private struct Waiter {
    let id: UInt64
    let lanes: Int
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var free: Int
    var nextID: UInt64 = 0
    /// Waiting requests by client; a client without any is not in it.
    var waiting: [String: [Waiter]] = [:]
    /// Clients with waiting requests, the next one to be served first.
    var turns: [String] = []
    var count = 0
    /// Asked for and not in line yet, and those of them that were cancelled meanwhile.
    var arriving: Set<UInt64> = []
    var cancelledEarly: Set<UInt64> = []
    /// Seconds a request holds its lanes, smoothed.
    var usualHold = 1.0
    var isClosed = false
  }

  let lanes: Int
  let limit: Int
  private let state: Mutex<State>

  /// - Parameters:
  ///   - lanes: lanes to give out.
  ///   - limit: requests that may wait.
  init(lanes: Int, limit: Int) {
    self.lanes = lanes
    self.limit = limit
    state = Mutex(State(free: lanes))
  }

  var waitingCount: Int { state.withLock { $0.count } }
  var lanesInUse: Int { state.withLock { lanes - $0.free } }

  /// Waits for lanes.
  ///
  /// - Parameters:
  ///   - lanes: at most all of them.
  ///   - client: whose turn it is to be.
  /// - Throws: ``APIError`` (429) where too many wait already, (503) during shutdown; `CancellationError`.
  func acquire(lanes wanted: Int, client: String) async throws -> LaneTicket {
    let wanted = min(wanted, lanes)
    let id = state.withLock { state in
      state.nextID += 1
      state.arriving.insert(state.nextID)
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let outcome: Result<Void, any Error>? = state.withLock { state in
          state.arriving.remove(id)
          if state.cancelledEarly.remove(id) != nil { return .failure(CancellationError()) }
          if state.isClosed { return .failure(Self.closing) }
          if state.count == 0, state.free >= wanted {
            state.free -= wanted
            return .success(())
          }
          guard state.count < limit else { return .failure(full(state, wanted)) }
          if state.waiting[client] == nil { state.turns.append(client) }
          state.waiting[client, default: []].append(
            Waiter(id: id, lanes: wanted, continuation: continuation))
          state.count += 1
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      cancel(id)
    }
    return LaneTicket(queue: self, lanes: wanted)
  }

  /// Turns away who waits and who comes.
  func close() {
    let waiters = state.withLock { state in
      state.isClosed = true
      defer {
        state.waiting = [:]
        state.turns = []
        state.count = 0
      }
      return state.waiting.values.flatMap(\.self)
    }
    for waiter in waiters { waiter.continuation.resume(throwing: Self.closing) }
  }

  fileprivate func giveBack(_ count: Int, heldFor seconds: Double) {
    let admitted = state.withLock { state in
      state.free += count
      state.usualHold += 0.2 * (seconds - state.usualHold)
      return Self.admit(&state)
    }
    for waiter in admitted { waiter.continuation.resume() }
  }

  private func cancel(_ id: UInt64) {
    let (cancelled, admitted) = state.withLock { state -> (Waiter?, [Waiter]) in
      for (client, waiters) in state.waiting {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { continue }
        let waiter = waiters[index]
        Self.remove(index, of: client, from: &state)
        // Whoever stood behind a large request may fit now.
        return (waiter, Self.admit(&state))
      }
      if state.arriving.contains(id) { state.cancelledEarly.insert(id) }
      return (nil, [])
    }
    cancelled?.continuation.resume(throwing: CancellationError())
    for waiter in admitted { waiter.continuation.resume() }
  }

  private static func admit(_ state: inout State) -> [Waiter] {
    var admitted: [Waiter] = []
    while let client = state.turns.first, let waiter = state.waiting[client]?.first,
      waiter.lanes <= state.free
    {
      state.free -= waiter.lanes
      remove(0, of: client, from: &state)
      if state.turns.first == client {
        state.turns.removeFirst()
        state.turns.append(client)
      }
      admitted.append(waiter)
    }
    return admitted
  }

  private static func remove(_ index: Int, of client: String, from state: inout State) {
    state.waiting[client]?.remove(at: index)
    state.count -= 1
    if state.waiting[client]?.isEmpty == true {
      state.waiting[client] = nil
      state.turns.removeAll { $0 == client }
    }
  }

  private func full(_ state: State, _ wanted: Int) -> APIError {
    let rounds = Double(state.count + 1) * Double(wanted) / Double(lanes)
    return .rateLimited(
      "\(limit) requests are waiting already. Try again later.", code: "queue_full",
      retryAfter: min(60, Int((rounds * state.usualHold).rounded(.up))))
  }

  private static let closing = APIError.unavailable(
    "The server is shutting down.", code: "shutting_down", retryAfter: 5)
}

/// Lanes that a request may use; given back once, at the latest when nobody holds the ticket any more.
final class LaneTicket: Sendable {
  private let queue: AdmissionQueue
  private let lanes: Int
  private let start = ContinuousClock.now
  private let isReleased = Atomic(false)

  fileprivate init(queue: AdmissionQueue, lanes: Int) {
    self.queue = queue
    self.lanes = lanes
  }

  deinit { release() }

  func release() {
    guard !isReleased.exchange(true, ordering: .relaxed) else { return }
    queue.giveBack(lanes, heldFor: start.duration(to: .now).seconds)
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
