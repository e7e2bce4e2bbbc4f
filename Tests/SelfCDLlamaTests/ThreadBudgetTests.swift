import Foundation
import Testing

@testable import SelfCDLlama

/// How many threads a step takes beside other programs.
@Suite struct ThreadBudgetTests {
  static func use(
    _ busy: Double, own: Double, at time: Double, processors: Int = 0
  ) -> ProcessorUse {
    ProcessorUse(busy: busy, own: own, processors: processors == 0 ? 8 : processors, time: time)
  }

  @Test func idleAndWaitingProcessorsAreNotBusy() {
    let stat = "cpu  100 20 30 5000 700 1 2 3 40 50\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n"
    #expect(ProcessorUse.busyTicks(stat: stat) == 156)
    #expect(ProcessorUse.busyTicks(stat: "cpu  1 2 3 4\n") == 6)
    for bad in ["", "cpu0 1 2 3 4 5\n", "cpu a b c d e\n", "cpu 1 2\n"] {
      #expect(ProcessorUse.busyTicks(stat: bad) == nil)
    }
  }

  /// Cores 4, a window of one second: what others used is what is missing.
  @Test(arguments: [(0.0, 4), (0.4, 4), (0.6, 3), (1, 3), (2.2, 2), (3.9, 1), (9, 1)])
  func threadsAreTheCoresThatOthersLeave(others: Double, expected: Int) {
    var budget = ThreadBudget(most: 4, cores: 4, since: Self.use(100, own: 50, at: 10, processors: 4))
    #expect(
      budget.threads(uptime: 11) { Self.use(102 + others, own: 52, at: 11, processors: 4) } == expected)
  }

  /// Eight cores of a machine of 64: others may be busy on those that are not ours.
  @Test(arguments: [(20.0, 8), (56, 8), (60, 4), (64, 1)])
  func coresThatAreNotOursMayBeBusy(others: Double, expected: Int) {
    var budget = ThreadBudget(most: 8, cores: 8, since: Self.use(0, own: 0, at: 0, processors: 64))
    #expect(budget.threads(uptime: 1) { Self.use(others, own: 0, at: 1, processors: 64) } == expected)
  }

  @Test func processorsAreCounted() {
    #expect(ProcessorUse.processors(stat: "cpu  1 2\ncpu0 1\ncpu1 2\ncpu10 3\nintr 5\ncpufreq 1\n") == 3)
    #expect(ProcessorUse.processors(stat: "cpu  1 2\n") == nil)
  }

  @Test func aSecondLookComesAfterAWhileAndThreadsComeBack() {
    var budget = ThreadBudget(most: 2, cores: 2, since: Self.use(0, own: 0, at: 0, processors: 2))
    #expect(
      budget.threads(uptime: 0.04) { Self.use(1, own: 0, at: 0.04, processors: 2) } == 2, "too soon to tell")
    #expect(budget.threads(uptime: 0.1) { Self.use(0.1, own: 0.1, at: 0.1, processors: 2) } == 2)
    #expect(
      budget.threads(uptime: 0.2) { Self.use(1, own: 0, at: 0.2, processors: 2) } == 2, "too soon again")
    #expect(budget.threads(uptime: 1) { Self.use(2, own: 1, at: 1, processors: 2) } == 1)
    #expect(budget.threads(uptime: 2) { Self.use(4, own: 2, at: 2, processors: 2) } == 1)
    #expect(budget.threads(uptime: 3) { Self.use(5, own: 3, at: 3, processors: 2) } == 2)
  }

  @Test func withoutAnAnswerThreadsStay() {
    var silent = ThreadBudget(most: 8, cores: 8, since: nil)
    #expect(silent.threads(uptime: 9) { Self.use(9, own: 0, at: 9) } == 8)
    var deaf = ThreadBudget(most: 8, cores: 8, since: Self.use(0, own: 0, at: 0))
    #expect(deaf.threads(uptime: 9) { nil } == 8)
    var fixed = ThreadBudget(fixed: 3)
    #expect(fixed.threads(uptime: 9) { Self.use(99, own: 0, at: 9) } == 3, "somebody asked for it")
  }

  @Test func aContainersQuotaCounts() {
    func quota(_ files: [String: String]) -> Int? { ThreadBudget.quota { files[$0] } }
    #expect(quota(["/sys/fs/cgroup/cpu.max": "250000 100000\n"]) == 2)
    #expect(quota(["/sys/fs/cgroup/cpu.max": "50000 100000\n"]) == 1)
    #expect(quota(["/sys/fs/cgroup/cpu.max": "max 100000\n"]) == nil)
    let first = [
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    ]
    #expect(quota(first) == nil)
    #expect(
      quota(first.merging(["/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n"]) { $1 }) == 4)
    #expect(quota([:]) == nil && quota(["/sys/fs/cgroup/cpu.max": "nonsense"]) == nil)
  }

  #if os(Linux)
    @Test func theSystemSaysWhatItsProcessorsDo() throws {
      let before = try #require(ProcessorUse.now())
      var sum = 0.0
      while ProcessInfo.processInfo.systemUptime < before.time + 0.3 { sum += sum.squareRoot() + 1 }
      let after = try #require(ProcessorUse.now())
      #expect(sum > 0 && after.own > before.own && after.busy > before.busy && after.time > before.time)
    }
  #endif
}
