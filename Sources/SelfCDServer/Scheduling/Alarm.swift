import NIOCore

/// Something to be done later unless it is cancelled before.
///
/// A sleeping task that is cancelled leaves its timer behind until the time has come: with minutes of it for every
/// request, a fast client would fill the memory. The event loop forgets at once.
struct Alarm: Sendable {
  private let scheduled: Scheduled<Void>

  init(after delay: Duration, on eventLoop: any EventLoop, _ action: @escaping @Sendable () -> Void) {
    scheduled = eventLoop.scheduleTask(in: TimeAmount(delay), action)
  }

  func cancel() { scheduled.cancel() }
}

/// Something to be done at intervals until it is cancelled.
struct Metronome: Sendable {
  private let repeated: RepeatedTask

  init(every interval: Duration, on eventLoop: any EventLoop, _ action: @escaping @Sendable () -> Void) {
    let interval = TimeAmount(interval)
    repeated = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in action() }
  }

  func cancel() { repeated.cancel() }
}
