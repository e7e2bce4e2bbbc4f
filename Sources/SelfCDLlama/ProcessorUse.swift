import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the processors have done so far: in all, and for this process.
struct ProcessorUse: Equatable {
  /// Seconds that the machine's processors were busy, added up over all of them.
  let busy: Double
  /// Seconds of it that this process used.
  let own: Double
  /// The machine's processors, which may be more than this process is allowed to use.
  let processors: Int
  /// When that was, on a clock that only goes forward, in seconds.
  let time: Double

  /// Cores that other programs kept busy on average since `earlier`; nil where no time has passed.
  func othersBusy(since earlier: ProcessorUse) -> Double? {
    let elapsed = time - earlier.time
    guard elapsed > 0 else { return nil }
    return max((busy - earlier.busy - (own - earlier.own)) / elapsed, 0)
  }

  /// The present state; nil where the system does not say (everywhere but on Linux).
  static func now() -> ProcessorUse? {
    #if os(Linux)
      let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
      guard ticks > 0, let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
        let busy = busyTicks(stat: text), let processors = processors(stat: text)
      else { return nil }
      var used = timespec()
      guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0 else { return nil }
      let own = Double(used.tv_sec) + Double(used.tv_nsec) / 1e9
      return ProcessorUse(
        busy: busy / ticks, own: own, processors: processors, time: ProcessInfo.processInfo.systemUptime)
    #else
      return nil
    #endif
  }

  /// The lines `cpu0`, `cpu1`, … of `/proc/stat`; nil where there are none.
  static func processors(stat: String) -> Int? {
    let count = stat.split(separator: "\n").count { line in
      line.hasPrefix("cpu") && line.dropFirst(3).first?.isNumber == true
    }
    return count > 0 ? count : nil
  }

  /// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal. Idle and iowait are not busy;
  /// steal is, since another machine has that core. What follows is counted in user and nice already.
  static func busyTicks(stat: String) -> Double? {
    let fields = stat.prefix { $0 != "\n" }.split(separator: " ")
    guard fields.count >= 5, fields[0] == "cpu" else { return nil }
    let numbers = fields[1...].prefix(8).map { Double($0) }
    guard !numbers.contains(nil) else { return nil }
    return numbers.enumerated().reduce(0) { $0 + ([3, 4].contains($1.offset) ? 0 : $1.element ?? 0) }
  }
}
