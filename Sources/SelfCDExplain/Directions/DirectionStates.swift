import SelfCD
import SelfCDData
import SelfCDEval

/// The states of prompts that directions are made of and measured by.
extension DirectionStudy {
  private func tokens(_ item: Item, _ strategy: any DecodingStrategy) throws -> [TokenID] {
    let chat = plan([], []).chat(for: item.sample)
    guard let lane = strategy.lanes(for: chat).first else { return [] }
    return try model.renderer.render(lane.chat).tokens
  }

  /// Positions from the end that every prompt fills alike: the template's, behind the question.
  func sharedEnd(of items: [Item]) throws -> [Int] {
    var shared: [TokenID]?
    for item in items {
      let tokens = try tokens(item, guarded)
      let end = Array(tokens.suffix(settings.positions))
      guard let known = shared else {
        shared = end
        continue
      }
      let common = zip(known.reversed(), end.reversed()).prefix { $0 == $1 }.count
      shared = Array(known.suffix(common))
    }
    // A template that ends in the question leaves the last token at least.
    let count = max(1, shared?.count ?? 1)
    return (1...count).map { -$0 }.reversed()
  }

  func states(
    _ item: Item, _ positions: [Int], _ strategy: any DecodingStrategy
  ) async throws -> ResidualStates {
    let tokens = try tokens(item, strategy)
    return try await inspector.residuals(of: tokens, at: positions.map { tokens.count + $0 })
  }

  func means(_ items: [Item], _ positions: [Int]) async throws -> ResidualMeans {
    var means = ResidualMeans()
    for item in items {
      try Task.checkCancellation()
      means.add(try await states(item, positions, guarded))
    }
    return means
  }
}
