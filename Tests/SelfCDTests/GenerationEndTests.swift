import SelfCDTesting
import Synchronization
import Testing

@testable import SelfCD

/// `onEnd` comes once, whatever ended the generation, and finds its lanes free.
@Suite struct GenerationEndTests {
  /// The free lanes each time `onEnd` came.
  final class Ends: Sendable {
    private let seen = Mutex<[Int]>([])
    var freeLanes: [Int] { seen.withLock { $0 } }

    func request(
      on engine: Engine, _ prompts: [LaneRole: [TokenID]] = [.plain: [1, 2, 3]],
      rule: any DecodingRule = EndlessRule(), limit: Int = 1 << 18
    ) -> GenerationRequest {
      var request = GenerationRequest(prompts: prompts, rule: rule, options: .init(maximumTokens: limit))
      request.onEnd = { [weak engine] in
        // Traps anywhere but on the engine's thread.
        let free = engine?.assumeIsolated { $0.freeLanes } ?? -1
        self.seen.withLock { $0.append(free) }
      }
      return request
    }
  }

  static func engine(
    lanes: Int, hangsAtCall: Int? = nil, failsAtCall: Int? = nil, journal: DecodeJournal = .init()
  ) async throws -> Engine {
    try await EngineTests.engine(
      .init(lanes: lanes, context: 1 << 20, batch: 64),
      .init(failsAtCall: failsAtCall, hangsAtCall: hangsAtCall), journal: journal)
  }

  @Test func aReplyThatIsRead() async throws {
    let engine = try await Self.engine(lanes: 2)
    let ends = Ends()
    _ = try await engine.generate(ends.request(on: engine, limit: 3)).reply()
    #expect(ends.freeLanes == [2])
  }

  @Test func aReplyThatNobodyReads() async throws {
    let engine = try await Self.engine(lanes: 2)
    let ends = Ends()
    do { _ = engine.generate(ends.request(on: engine)) }
    while ends.freeLanes.isEmpty { await Task.yield() }
    // Whoever comes next would hear of a second one.
    _ = try await engine.generate(ends.request(on: engine, limit: 2)).reply()
    #expect(ends.freeLanes == [2, 2])
  }

  @Test(arguments: [0, 1]) func aFailure(call: Int) async throws {
    let engine = try await Self.engine(lanes: 2, failsAtCall: call)
    let ends = Ends()
    await #expect(throws: BackendError.failed("as told")) {
      try await engine.generate(ends.request(on: engine)).reply()
    }
    #expect(ends.freeLanes == [2])
  }

  @Test func aRequestThatIsRefused() async throws {
    let engine = try await Self.engine(lanes: 2)
    let ends = Ends()
    await #expect(throws: GenerationError.emptyPrompt(.plain)) {
      try await engine.generate(ends.request(on: engine, [.plain: []])).reply()
    }
    await engine.shutdown()
    await #expect(throws: GenerationError.engineStopped) {
      try await engine.generate(ends.request(on: engine)).reply()
    }
    #expect(ends.freeLanes == [2, 2])
  }

  /// A reader that goes must not free lanes that the running call still writes to.
  @Test func aReaderThatGoesDuringAStep() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(lanes: 2, hangsAtCall: 2, journal: journal)
    let ends = Ends()
    let handles = engine.generate((0..<2).map { _ in ends.request(on: engine) })
    let reader = Task { try await handles[0].reply() }
    while journal.calls.count < 3 { await Task.yield() }
    reader.cancel()
    await #expect(throws: CancellationError.self) { try await reader.value }
    #expect(ends.freeLanes.isEmpty, "the call goes on, with its lane")
    handles[1].cancel()
    #expect(try await handles[1].reply().stopReason == .cancelled)
    #expect(ends.freeLanes.sorted() == [1, 2])
  }

  @Test func aCancellationWhileItWaits() async throws {
    let journal = DecodeJournal()
    let engine = try await Self.engine(lanes: 1, journal: journal)
    let (busy, waiting) = (Ends(), Ends())
    let first = engine.generate(busy.request(on: engine))
    while journal.calls.isEmpty { await Task.yield() }
    let second = engine.generate(waiting.request(on: engine))
    second.cancel()
    #expect(try await second.reply().stopReason == .cancelled)
    #expect(waiting.freeLanes == [0] && busy.freeLanes.isEmpty)
    first.cancel()
    #expect(try await first.reply().stopReason == .cancelled)
    #expect(busy.freeLanes == [1])
  }

  @Test func theEnginesEnd() async throws {
    let engine = try await Self.engine(lanes: 2)
    let ends = Ends()
    let handles = engine.generate((0..<3).map { _ in ends.request(on: engine) })
    for try await event in handles[0].events { if case .token = event { break } }
    await engine.shutdown()
    for handle in handles.dropFirst() { #expect(try await handle.reply().stopReason == .cancelled) }
    #expect(ends.freeLanes.sorted() == [1, 2, 2])
    #expect(await engine.freeLanes == 2)
  }
}
