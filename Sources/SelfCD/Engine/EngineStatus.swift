/// What an engine is doing, at one moment between two steps.
public struct EngineStatus: Sendable, Hashable {
  /// Lanes there are, and those that no generation holds.
  public let lanes: Int
  public let freeLanes: Int
  /// Tokens kept in lanes that no generation holds: prefixes that a later prompt may start from.
  public let cachedTokens: Int
  /// Tokens the model has computed since the engine was started, prompts included.
  public let computedTokens: Int
}

extension Engine {
  /// What the engine is doing; waits for the end of the running step.
  public var status: EngineStatus {
    EngineStatus(
      lanes: table.slots.count, freeLanes: table.freeCount,
      cachedTokens: table.freeLanes.reduce(0) { $0 + table[$1].count }, computedTokens: computedTokens)
  }
}
