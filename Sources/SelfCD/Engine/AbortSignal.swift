import Synchronization

/// Raised from any thread to make a backend give up the call it is in.
public final class AbortSignal: Sendable {
  private let raised = Atomic(false)

  /// A signal that is not raised.
  public init() {}

  /// Whether the running call is to be given up; asked by the backend in the middle of its work, so it never blocks.
  public var isRaised: Bool { raised.load(ordering: .relaxed) }
  /// Makes the call that runs now, or the next one, give up; stays raised until ``reset()``.
  public func raise() { raised.store(true, ordering: .relaxed) }
  /// Lowers the signal, so that the next call runs to its end.
  public func reset() { raised.store(false, ordering: .relaxed) }
}
