import SelfCD
import SelfCDData

// What a plan asks of a model's memory.
extension EvaluationPlan {
  /// Chosen after comparing 32, 48, 64 and 128 by hand; no benchmark settles it yet.
  private static let mostUsefulLanes = 64
  /// Tokens of template text that a chat may get besides its messages.
  private static let templateAllowance = 256
  private static let templatePerMessage = 16

  /// The lanes that a run can use: the fewest are those of its widest condition, without which it cannot be run, the
  /// most those of all its replies at once, or 64 where that is less.
  public var usefulLanes: ClosedRange<Int> {
    let all = lanesPerSample * datasets.reduce(0) { $0 + $1.samples.count }
    return widestCondition...max(widestCondition, min(Self.mostUsefulLanes, all))
  }

  /// Tokens of a lane that every prompt of the plan fits into, with its reply and the text of a chat template. It is known
  /// without a tokenizer, since no token is shorter than a byte.
  public var contextNeeded: Int {
    var longest = 0
    for sample in datasets.lazy.flatMap(\.samples) {
      let chat = chat(for: sample)
      for condition in conditions {
        let strategy = condition.strategy
        for prompt in strategy.lanes(for: chat).map(\.chat) + strategy.probes(for: chat) {
          let bytes = prompt.messages.reduce(0) { $0 + $1.content.utf8.count + Self.templatePerMessage }
          longest = max(longest, bytes)
        }
      }
    }
    let total = longest + Self.templateAllowance + options.maximumTokens
    return (total + 255) / 256 * 256
  }
}
