import Synchronization

/// Raised from any thread to make a backend give up the call it is in.
public final class AbortSignal: Sendable {
  private let raised = Atomic(false)

  public init() {}

  public var isRaised: Bool { raised.load(ordering: .relaxed) }
  public func raise() { raised.store(true, ordering: .relaxed) }
  public func reset() { raised.store(false, ordering: .relaxed) }
}
