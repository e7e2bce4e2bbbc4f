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
    let wait: AbandonableWait<LaneTicket>
  }

  private struct State {
    var free: Int
    var nextID: UInt64 = 0
    /// Waiting requests by client; a client without any is not in it.
    var waiting: [String: [Waiter]] = [:]
    /// Clients with waiting requests, the next one to be served first.
    var turns: [String] = []
    var count = 0
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

  /// Takes a place in line, which is the first one where there are lanes.
  ///
  /// - Parameters:
  ///   - lanes: at most all of them.
  ///   - client: whose turn it is to be.
  /// - Throws: ``APIError`` (429) where too many wait already, (503) during shutdown.
  func enter(lanes wanted: Int, client: String) throws(APIError) -> LanePlace {
    let wanted = min(wanted, lanes)
    let wait = AbandonableWait<LaneTicket>()
    let outcome: Result<(id: UInt64, isAdmitted: Bool), APIError> = state.withLock { state in
      if state.isClosed { return .failure(Self.closing) }
      state.nextID += 1
      if state.count == 0, state.free >= wanted {
        state.free -= wanted
        return .success((state.nextID, true))
      }
      guard state.count < limit else { return .failure(full(state, wanted)) }
      if state.waiting[client] == nil { state.turns.append(client) }
      state.waiting[client, default: []].append(Waiter(id: state.nextID, lanes: wanted, wait: wait))
      state.count += 1
      return .success((state.nextID, false))
    }
    let (id, isAdmitted) = try outcome.get()
    if isAdmitted { wait.end(.success(LaneTicket(queue: self, lanes: wanted))) }
    return LanePlace(queue: self, id: id, wait: wait)
  }

  /// Takes a place in line and waits for its lanes.
  ///
  /// - Throws: as ``enter(lanes:client:)`` and ``LanePlace/ticket()``.
  func acquire(lanes: Int, client: String) async throws -> LaneTicket {
    try await enter(lanes: lanes, client: client).ticket()
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
    for waiter in waiters { waiter.wait.end(.failure(Self.closing)) }
  }

  fileprivate func giveBack(_ count: Int, heldFor seconds: Double) {
    let admitted = state.withLock { state in
      state.free += count
      state.usualHold += 0.2 * (seconds - state.usualHold)
      return Self.admit(&state)
    }
    admit(admitted)
  }

  /// Leaves the line, where it still stands in it.
  fileprivate func leave(_ id: UInt64) {
    let (cancelled, admitted) = state.withLock { state -> (Waiter?, [Waiter]) in
      for (client, waiters) in state.waiting {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { continue }
        let waiter = waiters[index]
        Self.remove(index, of: client, from: &state)
        // Whoever stood behind a large request may fit now.
        return (waiter, Self.admit(&state))
      }
      return (nil, [])
    }
    cancelled?.wait.end(.failure(CancellationError()))
    admit(admitted)
  }

  private func admit(_ waiters: [Waiter]) {
    for waiter in waiters { waiter.wait.end(.success(LaneTicket(queue: self, lanes: waiter.lanes))) }
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
    let waiting =
      switch limit {
      case 0: "All lanes are in use, and no request may wait for one."
      case 1: "1 request is waiting already."
      default: "\(limit) requests are waiting already."
      }
    return .rateLimited(
      waiting + " Try again later.", code: "queue_full",
      retryAfter: min(60, Int((rounds * state.usualHold).rounded(.up))))
  }

  private static let closing = APIError.unavailable(
    "The server is shutting down.", code: "shutting_down", retryAfter: 5)
}

/// A request's place in line; given up when nobody holds it any more.
final class LanePlace: Sendable {
  private let queue: AdmissionQueue
  private let id: UInt64
  /// Holds the ticket until it is taken, so that one that nobody takes is given back.
  private let wait: AbandonableWait<LaneTicket>

  fileprivate init(queue: AdmissionQueue, id: UInt64, wait: AbandonableWait<LaneTicket>) {
    self.queue = queue
    self.id = id
    self.wait = wait
  }

  deinit { leave() }

  /// Waits for the lanes; to be called once.
  ///
  /// - Throws: ``APIError`` (503) during shutdown; `CancellationError` for who left, or was cancelled.
  func ticket() async throws -> LaneTicket {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { wait.begin($0) }
    } onCancel: {
      leave()
    }
  }

  /// Gives the place up; nothing where the lanes are there already.
  func leave() { queue.leave(id) }
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
