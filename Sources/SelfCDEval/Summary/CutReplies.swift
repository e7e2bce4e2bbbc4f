import SelfCD
import SelfCDSupport

/// Replies that ended because they had as many tokens as they may have, so that nobody knows what would have followed.
public struct CutReplies: Codable, Sendable, Hashable {
  /// Those that were cut.
  public var cut: Int
  /// Replies in all.
  public var replies: Int

  /// Counts replies.
  public init(_ replies: [EvaluatedReply]) {
    cut = replies.count { $0.stopReason == StopReason.length.rawValue }
    self.replies = replies.count
  }

  /// What a reader of the figures has to know; nil where none was cut.
  /// - Parameter limit: The most tokens of a reply; nil where that is not known.
  package func remark(limit: Int?) -> String? {
    guard cut > 0 else { return nil }
    let place = limit.map { "at \(NumberFormat.counted($0, "token"))" } ?? "at the most tokens allowed"
    return
      "\(cut) of \(NumberFormat.counted(replies, "reply", "replies")) \(cut == 1 ? "was" : "were") cut \(place), and a "
      + "refusal behind the cut is not seen. A longer reply takes a new run with a larger --max-tokens."
  }
}
