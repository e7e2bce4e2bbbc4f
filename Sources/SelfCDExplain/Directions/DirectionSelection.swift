import SelfCD
import SelfCDData
import SelfCDEval

/// Which of the candidates a study takes, by validation prompts.
extension DirectionStudy {
  /// As in the paper, directions of the last fifth of the layers are left out: they move tokens, not meanings.
  private static let layerLimit = 0.8

  func select(
    _ harmful: ResidualMeans, _ harmless: ResidualMeans, _ parts: Split, _ positions: [Int],
    _ progress: @Sendable (String, Double) -> Void
  ) async throws -> (RefusalDirection, [Candidate]) {
    let layers = harmful.sums.count
    var directions: [(direction: RefusalDirection, place: Int)] = []
    for layer in 0..<layers where Double(layer) < Self.layerLimit * Double(layers) {
      for (place, position) in positions.enumerated() {
        let direction = try? RefusalDirection(
          harmful: harmful.mean(layer, place), harmless: harmless.mean(layer, place), layer: layer,
          position: position)
        if let direction { directions.append((direction, place)) }
      }
    }
    var high = [[Double]](repeating: [], count: directions.count)
    var low = high
    for (isHarmful, items) in [(true, parts.validation(.harmful)), (false, parts.validation(.neutral))] {
      for item in items {
        try Task.checkCancellation()
        let states = try await states(item, positions, guarded)
        for (index, candidate) in directions.enumerated() {
          let value = candidate.direction.projection(
            of: states.layers[candidate.direction.layer][candidate.place])
          if isHarmful { high[index].append(value) } else { low[index].append(value) }
        }
      }
    }
    progress("reading", 1)
    let gaps = directions.indices.map { Self.standardisedGap(high[$0], low[$0]) }
    let candidates = directions.indices.map { index in
      Candidate(
        layer: directions[index].direction.layer, position: directions[index].direction.position,
        separation: Separation.areaUnderCurve(high[index], low[index]))
    }
    let best = Self.best(candidates, gaps: gaps)
    guard let best else { throw DirectionError.noDifference }
    return (directions[best].direction, candidates)
  }

  static func standardisedGap(_ high: [Double], _ low: [Double]) -> Double {
    func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
      let mean = PromptMean.of(values)
      return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count)))
    }
    let (a, b) = (moments(high), moments(low))
    return (a.mean - b.mean) / max((a.variance + b.variance).squareRoot(), 1e-12)
  }

  func selectVector(
    _ pseudo: ResidualMeans, _ harmless: ResidualMeans, _ refusal: RefusalDirection, _ places: [Candidate],
    _ parts: Split, _ known: [EvaluatedReply], _ failures: inout Int,
    _ progress: @Sendable (String, Double) -> Void
  ) async throws -> (
    FalseRefusalVector, [Trial], (safe: Int, safeRefused: Int, harmful: Int, harmfulRefused: Int)
  ) {
    let safe = Set(parts.validation(.safe).map(\.key))
    let harmful = Set(parts.validation(.harmful).map(\.key))
    func counts(_ replies: [EvaluatedReply]) -> (safe: Int, harmful: Int) {
      let refused = replies.filter(isRefusal).map { SampleKey($0.key) }
      return (refused.count { safe.contains($0) }, refused.count { harmful.contains($0) })
    }
    let before = counts(known)
    var vectors: [FalseRefusalVector] = []
    for place in places {
      let index = pseudo.sums[place.layer].count + place.position
      let vector = try? FalseRefusalVector(
        pseudoHarmful: pseudo.mean(place.layer, index), harmless: harmless.mean(place.layer, index),
        layer: place.layer, position: place.position, orthogonalTo: refusal)
      if let vector { vectors.append(vector) }
    }
    // Those that were least refusal to begin with are tried first.
    vectors.sort { abs($0.cosine) < abs($1.cosine) }
    vectors = Array(vectors.prefix(settings.candidates))
    let validation = datasets(parts, [.validation]).map { dataset in
      var dataset = dataset
      dataset.samples.removeAll { $0.label == .neutral }
      return dataset
    }
    var trials: [Trial] = []
    for (index, vector) in vectors.enumerated() {
      try Task.checkCancellation()
      progress("selecting", Double(index) / Double(vectors.count))
      let replies = try await evaluate(
        try await ablated(vector), validation, [EvaluationCondition(strategy: guarded, name: Self.ablation)],
        failures: &failures)
      let after = counts(replies)
      trials.append(
        Trial(
          layer: vector.layer, position: vector.position, cosine: vector.cosine, safeRefused: after.safe,
          harmfulRefused: after.harmful))
    }
    let found = Self.best(trials, harmfulBefore: before.harmful, tolerance: settings.tolerance)
    guard let best = found else {
      throw DirectionError.onlyRefusal(cosine: 1)
    }
    return (
      vectors[best], trials,
      (safe: safe.count, safeRefused: before.safe, harmful: harmful.count, harmfulRefused: before.harmful)
    )
  }

  /// The place of the refusal direction: several separate perfectly, and among those the widest gap decides.
  static func best(_ candidates: [Candidate], gaps: [Double]) -> Int? {
    candidates.indices.filter { !candidates[$0].separation.isNaN }.max {
      (candidates[$0].separation, gaps[$0]) < (candidates[$1].separation, gaps[$1])
    }
  }

  /// The place of the false-refusal vector: losing refusals of harmful prompts beyond the tolerance counts before
  /// anything that is won.
  static func best(_ trials: [Trial], harmfulBefore: Int, tolerance: Int) -> Int? {
    func cost(_ trial: Trial) -> (Int, Int) {
      (max(0, harmfulBefore - tolerance - trial.harmfulRefused), trial.safeRefused)
    }
    return trials.indices.min { cost(trials[$0]) < cost(trials[$1]) }
  }
}
