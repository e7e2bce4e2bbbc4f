import Dispatch
import Synchronization

/// Runs an action after some time, unless it is canceled first.
///
/// It has a dispatch queue of its own: a sleeping task waits for a free thread of Swift's pool, so a program that
/// computes on all of them would never see its requests time out.
final class Deadline: Sendable {
  private static let queue = DispatchQueue(label: "selfcd.http.deadlines", qos: .userInitiated)
  private let action: Mutex<(@Sendable () -> Void)?>

  /// Starts the clock.
  /// - Parameters:
  ///   - seconds: How long to wait.
  ///   - action: What to do then. It must not block.
  init(after seconds: Double, action: @escaping @Sendable () -> Void) {
    self.action = Mutex(action)
    Self.queue.asyncAfter(deadline: .now() + seconds) { [weak self] in self?.run() }
  }

  /// Stops the clock. An action that has begun ends by itself.
  func cancel() { action.withLock { $0 = nil } }

  private func run() {
    let action = action.withLock { action in
      defer { action = nil }
      return action
    }
    action?()
  }
}
