import ArgumentParser
import SelfCDExplain
import SelfCDSupport

/// How long an explanation may learn from the model's own replies before it answers.
struct LearnTime: ExpressibleByArgument {
  /// Nil for as long as there is something to learn from.
  let limit: Duration?

  /// Enough for a small model on one core to show a few dozen replies, short enough to wait for.
  static let usual = 20
  static let question = LearnTime(limit: .seconds(usual))
  static let all = LearnTime(limit: nil)

  init(limit: Duration?) { self.limit = limit }

  init?(argument: String) {
    if argument == "all" {
      self = .all
    } else if let seconds = Double(argument), seconds >= 0, seconds <= 1e9 {
      limit = .milliseconds(Int(seconds * 1000))
    } else {
      return nil
    }
  }

  /// How far learning is, and how long it still takes: to the end of what there is to learn, or of the time.
  static func progress(_ state: BeginningsLearner.Progress, within limit: Duration?) -> String {
    var text = "\(state.done) of \(NumberFormat.counted(state.planned, "reply", "replies"))"
    guard state.generated > 0 else { return text }
    var left = state.elapsed * (Double(state.planned - state.done) / Double(state.generated))
    if let limit {
      guard state.elapsed < limit else {
        return text + ", time is up: the prompts that were begun are finished"
      }
      left = min(left, limit - state.elapsed)
    }
    text += ", \(NumberFormat.duration(left)) left"
    return text
  }
}
