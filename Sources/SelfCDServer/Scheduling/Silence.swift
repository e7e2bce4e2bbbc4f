/// How long a stream has said nothing.
///
/// Looked at once in each ``limit``: what is over half of it then would be over all of it before the next look. No
/// silence is longer than one and a half.
struct Silence {
  let limit: Duration
  private var start: ContinuousClock.Instant

  init(limit: Duration, since start: ContinuousClock.Instant = .now) {
    self.limit = limit
    self.start = start
  }

  func isLong(at now: ContinuousClock.Instant = .now) -> Bool { start.duration(to: now) > limit / 2 }

  mutating func end(at now: ContinuousClock.Instant = .now) { start = now }
}
