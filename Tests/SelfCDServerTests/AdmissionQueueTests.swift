import SelfCD
import Synchronization
import Testing

@testable import SelfCDServer

@Suite("Admission queue")
struct AdmissionQueueTests {
  /// Starts to wait, and returns once it stands in line.
  static func wait(
    _ queue: AdmissionQueue, _ client: String, lanes: Int = 1,
    then note: @escaping @Sendable (LaneTicket) -> Void
  ) async throws -> Task<Void, any Error> {
    let before = queue.waitingCount
    let task = Task { note(try await queue.acquire(lanes: lanes, client: client)) }
    while queue.waitingCount == before { await Task.yield() }
    return task
  }

  @Test("clients take turns")
  func fairness() async throws {
    let queue = AdmissionQueue(lanes: 1, limit: 100)
    let order = Mutex<[String]>([])
    var ticket: LaneTicket? = try await queue.acquire(lanes: 1, client: "first")
    var tasks: [Task<Void, any Error>] = []
    for name in ["a1", "a2", "a3", "b1", "c1", "b2"] {
      tasks.append(
        try await Self.wait(queue, String(name.prefix(1))) { ticket in
          order.withLock { $0.append(name) }
          ticket.release()
        })
    }
    ticket?.release()
    ticket = nil
    for task in tasks { try await task.value }
    #expect(order.withLock { $0 } == ["a1", "b1", "c1", "a2", "b2", "a3"])
    #expect(queue.lanesInUse == 0)
  }

  @Test("the head of the line is not passed over, and cancelling it lets the next in")
  func headOfLine() async throws {
    let queue = AdmissionQueue(lanes: 2, limit: 2)
    let held = try await queue.acquire(lanes: 1, client: "x")
    let large = try await Self.wait(queue, "a", lanes: 2) { _ in }
    let kept = Mutex<LaneTicket?>(nil)
    let small = try await Self.wait(queue, "b", lanes: 1) { ticket in kept.withLock { $0 = ticket } }
    #expect(queue.waitingCount == 2)
    let error = await #expect(throws: APIError.self) { _ = try await queue.acquire(lanes: 1, client: "c") }
    #expect(error?.status == .tooManyRequests && (error?.retryAfter ?? 0) >= 1)
    large.cancel()
    await #expect(throws: CancellationError.self) { try await large.value }
    try await small.value
    #expect(queue.lanesInUse == 2)
    held.release()
    held.release()
    #expect(queue.lanesInUse == 1)
    kept.withLock { $0 = nil }
    #expect(queue.lanesInUse == 0)
  }

  @Test("a closed queue turns everybody away")
  func closing() async throws {
    let queue = AdmissionQueue(lanes: 1, limit: 5)
    let held = try await queue.acquire(lanes: 1, client: "a")
    let waiting = try await Self.wait(queue, "b") { _ in }
    queue.close()
    await #expect(throws: APIError.self) { try await waiting.value }
    await #expect(throws: APIError.self) { _ = try await queue.acquire(lanes: 1, client: "c") }
    held.release()
  }

  /// Random arrivals, releases and cancellations: lanes are never given out twice nor lost.
  @Test("keeps count whatever happens")
  func invariants() async throws {
    let queue = AdmissionQueue(lanes: 5, limit: 1000)
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<400 {
        let task = Task {
          let ticket = try await queue.acquire(lanes: index % 5 + 1, client: "\(index % 7)")
          #expect(queue.lanesInUse <= 5)
          await Task.yield()
          ticket.release()
        }
        if index % 3 == 0 { task.cancel() }
        group.addTask { _ = try? await task.value }
      }
    }
    #expect(queue.lanesInUse == 0)
    #expect(queue.waitingCount == 0)
  }
}
