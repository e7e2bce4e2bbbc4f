import Foundation
import Synchronization
import Testing

@testable import SelfCDHTTP

@Suite struct DeadlineTests {
  private final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
  }

  @Test func itPassesWhileEveryThreadOfThePoolIsBusy() async {
    let (passed, sawIt) = (Flag(), Flag())
    let deadline = Deadline(after: 0.2) { passed.set() }
    defer { deadline.cancel() }
    let end = Date.now.addingTimeInterval(20)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<(2 * ProcessInfo.processInfo.activeProcessorCount) {
        group.addTask {
          while !passed.isSet && Date.now < end {}
          if passed.isSet { sawIt.set() }
        }
      }
    }
    #expect(sawIt.isSet)
  }

  @Test func aCanceledOneNeverPasses() async throws {
    let (canceled, later) = (Flag(), Flag())
    let first = Deadline(after: 0.1) { canceled.set() }
    first.cancel()
    let second = Deadline(after: 0.2) { later.set() }
    while !later.isSet { await Task.yield() }
    second.cancel()
    #expect(!canceled.isSet)
  }
}
