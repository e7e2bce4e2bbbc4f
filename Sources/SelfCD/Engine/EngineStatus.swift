import Synchronization

/// What an engine is doing, at one moment between two steps.
public struct EngineStatus: Sendable, Hashable {
  /// Lanes there are, and those that no generation holds.
  public let lanes: Int
  /// Lanes that no generation holds, of ``lanes``; they may still keep tokens, see ``cachedTokens``.
  public let freeLanes: Int
  /// Tokens kept in lanes that no generation holds: prefixes that a later prompt may start from.
  public let cachedTokens: Int
  /// Tokens the model has computed since the engine was started, prompts included.
  public let computedTokens: Int
}

extension Engine {
  /// What the engine was doing when a step or a generation last ended; does not wait for the running step.
  public nonisolated var status: EngineStatus { statusBoard.status }

  func publishStatus() {
    statusBoard.publish(
      EngineStatus(
        lanes: table.slots.count, freeLanes: table.freeCount,
        cachedTokens: table.freeLanes.reduce(0) { $0 + table[$1].count }, computedTokens: computedTokens))
  }
}

/// The latest status, for whoever asks from another thread.
final class StatusBoard: Sendable {
  private let current = Mutex(EngineStatus(lanes: 0, freeLanes: 0, cachedTokens: 0, computedTokens: 0))

  var status: EngineStatus { current.withLock { $0 } }

  func publish(_ status: EngineStatus) { current.withLock { $0 = status } }
}
