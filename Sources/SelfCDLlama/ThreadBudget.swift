import Foundation

/// How many threads a step takes where nobody says: as many as there are cores that other programs leave.
///
/// libllama's threads wait for each other by spinning, after every operation. Where another program holds one of the
/// cores, the others spin until it gives way: measured on two cores, a step takes 5 to 20 times as long with two threads
/// as with one (docs/benchmarks.md).
struct ThreadBudget {
  /// Seconds between two looks: long enough for the kernel's ticks of 10 ms to tell, short enough to notice soon.
  static let interval = 0.25
  /// Seconds after which the first look may be taken: loading a small model takes no longer.
  static let firstInterval = 0.05

  private let most: Int
  private let cores: Int
  private var current: Int
  /// The last look at the processors; nil where the number is fixed or the system does not say.
  private var last: ProcessorUse?
  private var wait = ThreadBudget.firstInterval

  /// As many as somebody asked for, whatever others do.
  init(fixed threads: Int) {
    most = threads
    cores = threads
    current = threads
  }

  /// At most `most` of the threads that `cores` can carry.
  /// - Parameter use: The processors before the model was loaded, which the first look compares with.
  init(most: Int, cores: Int, since use: ProcessorUse?) {
    self.most = most
    self.cores = cores
    current = most
    last = most > 1 ? use : nil
  }

  /// The threads to use now; looks at the processors where the last look is long enough ago.
  mutating func threads(
    uptime: Double = ProcessInfo.processInfo.systemUptime, _ now: () -> ProcessorUse? = ProcessorUse.now
  ) -> Int {
    if let last, uptime - last.time >= wait, let use = now(), let others = use.othersBusy(since: last) {
      self.last = use
      wait = Self.interval
      // Others may keep cores busy that this process is not allowed to use.
      let free = min(Double(cores), Double(use.processors) - others)
      current = min(max(Int(free.rounded()), 1), most)
    }
    return current
  }

  /// Cores that this process may use: the machine's, those it is bound to, and no more than a container's quota.
  static var cores: Int {
    let bound = ProcessInfo.processInfo.activeProcessorCount
    return min(bound, quota(read: { try? String(contentsOfFile: $0, encoding: .utf8) }) ?? bound)
  }

  /// Whole cores of a container's quota, by cgroup 2 or 1, at least one; nil without a quota.
  static func quota(read: (String) -> String?) -> Int? {
    let pair: (String, String)?
    if let text = read("/sys/fs/cgroup/cpu.max") {
      let fields = text.split(whereSeparator: \.isWhitespace).map(String.init)
      pair = fields.count == 2 ? (fields[0], fields[1]) : nil
    } else if let quota = read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
      let period = read("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
    {
      pair = (quota, period)
    } else {
      pair = nil
    }
    guard let pair, let quota = Double(pair.0.trimmingCharacters(in: .whitespacesAndNewlines)),
      let period = Double(pair.1.trimmingCharacters(in: .whitespacesAndNewlines)), quota > 0, period > 0,
      quota / period < 4096
    else { return nil }
    return max(Int(quota / period), 1)
  }
}
