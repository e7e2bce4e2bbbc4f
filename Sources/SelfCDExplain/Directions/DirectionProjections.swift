import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDStatistics

/// Where test prompts lie along the refusal direction.
extension DirectionStudy {
  func project(
    _ refusal: RefusalDirection, _ parts: Split, _ replies: [EvaluatedReply], _ positions: Int,
    _ progress: @Sendable (Double) -> Void
  ) async throws -> [Projection] {
    var refused: [ReplyKey: Bool] = [:]
    for reply in replies { refused[reply.key] = isRefusal(reply) }
    let views: [(String, any DecodingStrategy)] = [(Guarded.name, guarded), (Plain.name, Plain())]
    var result: [Projection] = []
    for (place, set) in Sample.Label.allCases.enumerated() {
      for (name, strategy) in views {
        var values: [(refused: Bool?, value: Double, group: String?)] = []
        for item in parts.test(set).prefix(Self.projected) {
          try Task.checkCancellation()
          let states = try await states(item, [refusal.position], strategy)
          let key = ReplyKey(dataset: item.key.dataset, sample: item.key.sample, condition: name)
          let value = refusal.projection(of: states.layers[refusal.layer][0])
          values.append((refused[key], value, item.group))
        }
        for outcome in [nil, true, false] as [Bool?] {
          let part = values.filter { outcome == nil || $0.refused == outcome }
          guard !part.isEmpty else { continue }
          let groups = settings.group.map { _ in part.compactMap(\.group) }
          result.append(
            Projection(
              set: set, view: name, refused: outcome, n: part.count, groups: groups.map { Set($0).count },
              mean: try BootstrapMean(
                of: part.map(\.value), groups: groups, resamples: 2_000, seed: settings.seed)))
        }
      }
      progress(Double(place + 1) / 3)
    }
    return result
  }

  private static let projected = 200
}
