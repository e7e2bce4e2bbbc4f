import Foundation

/// Seconds on the clock and on the CPU. On a busy machine, CPU time is the steadier one for a single thread; with
/// several threads it counts their waiting for each other too.
struct Elapsed {
  let seconds: Double
  let cpuSeconds: Double
}

struct Stopwatch {
  private let wall = ContinuousClock.now
  private let cpu = Stopwatch.cpuNow

  func elapsed() -> Elapsed {
    Elapsed(seconds: wall.duration(to: .now).inSeconds, cpuSeconds: Self.cpuNow - cpu)
  }

  /// Of all threads of the process.
  private static var cpuNow: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

extension [Double] {
  /// The lower one of the two in the middle, so that it is a value that was measured.
  var median: Double { isEmpty ? .nan : sorted()[(count - 1) / 2] }
}

/// Most memory the process has held, in bytes, mapped model files included.
func peakMemory() -> Int {
  var usage = rusage()
  #if canImport(Darwin)
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
  #else
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return usage.ru_maxrss * 1024
  #endif
}

extension Double {
  func fixed(_ places: Int) -> String { String(format: "%.\(places)f", self) }
}
