import Synchronization

/// Keeps an evaluation's replies in memory, for what is done with them at once and then forgotten.
public final class ReplyCollector: EvaluationSink {
  private let replies = Mutex<[EvaluatedReply]>([])

  /// Makes an empty collector.
  public init() {}

  /// Keeps replies.
  public func store(_ replies: [EvaluatedReply]) { self.replies.withLock { $0 += replies } }

  /// All replies so far, in the order in which they came.
  public var all: [EvaluatedReply] { replies.withLock(\.self) }
}
