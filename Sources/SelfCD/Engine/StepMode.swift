/// How the lanes of one step reach the model.
public enum StepMode: String, Codable, Sendable, Hashable, CaseIterable {
  /// All lanes in one call: one pass over the weights serves every lane.
  case batched
  /// One call per lane, however many lanes there are: faster with two on some CPUs, whose kernels for single rows outrun
  /// those for small batches, and slower with many. What a lane computes then does not depend on what else is running.
  case separate
}

/// Times both ways of stepping two lanes and takes the faster one.
struct StepModeTrial {
  /// A difference smaller than this is noise; batched is then the better choice, since it scales to more lanes.
  private static let advantage = 1.1
  private static let repetitions = 3
  /// A model this slow shows its preference in one repetition.
  private static let slowStep = Duration.milliseconds(40)

  /// Uses lanes 0 and 1, which must be empty, and leaves them empty.
  static func run(on backend: any ModelBackend) throws -> StepMode {
    guard backend.capacity.lanes >= 2, backend.capacity.context >= 16, backend.capacity.batch >= 2 else {
      return .batched
    }
    let lanes = [LaneID(0), LaneID(1)]
    defer { lanes.forEach(backend.clearLane) }
    var rows = LogitRows(vocabularySize: backend.vocabulary.count)
    func decode(_ lanes: [LaneID]) throws -> Duration {
      rows.removeAll()
      let appends = lanes.map { LaneAppend(lane: $0, tokens: [0], logits: .last) }
      let start = ContinuousClock.now
      try backend.decode(appends, into: &rows)
      return start.duration(to: .now)
    }
    // The first call of each shape allocates and warms up.
    _ = try decode(lanes)
    _ = try decode([lanes[0]]) + decode([lanes[1]])
    var batched = Duration.seconds(3600)
    var separate = batched
    for _ in 0..<repetitions {
      batched = min(batched, try decode(lanes))
      separate = min(separate, try decode([lanes[0]]) + decode([lanes[1]]))
      if batched > slowStep { break }
    }
    return separate * advantage < batched ? .separate : .batched
  }
}
