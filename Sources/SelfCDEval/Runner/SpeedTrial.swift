import SelfCD
import SelfCDStatistics

/// Times each condition's decoding by itself: one reply at a time, so that no lane is shared.
///
/// Conditions take turns prompt by prompt, so that a machine that slows down slows all of them. A reply's speed
/// counts from its first token on: what the prompt costs depends on what the cache still holds. A condition's speed
/// is the median over its replies, which one interruption by other work does not move. A median that is not known to
/// ±``tolerance`` is left out: on a busy machine, or after too few replies, it says more of the machine than of the
/// condition.
public struct SpeedTrial: Sendable {
  /// The condition against which speeds are quoted.
  public static let plain = Plain.name

  /// How long a timed reply is at most: long enough for a rate, short enough for large models.
  static let maximumTokens = 64

  /// How far the ends of a speed's interval may lie from it, as a share of it.
  public static let tolerance = 0.1

  private let model: ChatModel
  private let plan: EvaluationPlan

  /// Makes a trial of the plan's conditions, and of the plain model if it is none of them.
  public init(model: ChatModel, plan: EvaluationPlan) {
    self.model = model
    self.plan = plan
  }

  /// Times until every condition has had `seconds` on average, at least one reply each.
  /// - Parameter progress: Told the share that is done.
  /// - Returns: Tokens a second by condition, where they are known well enough.
  /// - Throws: `CancellationError`, and what the engine throws. Prompts that are too long are passed over.
  public func run(
    seconds: Double, progress: @Sendable (Double) -> Void = { _ in }
  ) async throws -> [String: Double] {
    try await rates(seconds: seconds, progress: progress).compactMapValues(Self.speed)
  }

  /// The rate of each reply, by condition; without replies that had one token only.
  func rates(
    seconds: Double, progress: @Sendable (Double) -> Void = { _ in }
  ) async throws -> [String: [Double]] {
    var conditions = plan.conditions
    if !conditions.contains(where: { $0.id == Self.plain }) {
      conditions.append(EvaluationCondition(strategy: Plain()))
    }
    var options = plan.options
    options.maximumTokens = min(options.maximumTokens, Self.maximumTokens)
    options.summarizedSteps = 0
    let samples = plan.datasets.flatMap(\.samples)
    // Spread over the sets: refusals and answers differ in length.
    let stride = max(1, samples.count / 16)
    let order = (0..<samples.count).sorted { ($0 % stride, $0) < ($1 % stride, $1) }
    let limit = Duration.seconds(seconds * Double(conditions.count))
    let start = ContinuousClock.now
    var rates: [String: [Double]] = [:]
    for (round, index) in order.enumerated() {
      for turn in conditions.indices {
        try Task.checkCancellation()
        let condition = conditions[(turn + round) % conditions.count]
        if let rate = try await rate(condition, plan.chat(for: samples[index]), options) {
          rates[condition.id, default: []].append(rate)
        }
      }
      let elapsed = start.duration(to: .now)
      progress(min(1, elapsed / limit))
      if elapsed >= limit { break }
    }
    return rates
  }

  private func rate(
    _ condition: EvaluationCondition, _ chat: Chat, _ options: GenerationOptions
  ) async throws -> Double? {
    let request: GenerationRequest
    do { request = try model.request(chat, strategy: condition.strategy, options: options) } catch {
      return nil
    }
    guard let handle = model.engine.generate([request]).first else { return nil }
    let summary: GenerationSummary
    do {
      summary = try await withTaskCancellationHandler {
        try await handle.reply().summary
      } onCancel: {
        handle.cancel()
      }
    } catch is GenerationError {
      return nil
    }
    let time = (summary.totalTime - summary.timeToFirstToken) / .seconds(1)
    return summary.generatedTokens > 1 && time > 0 ? Double(summary.generatedTokens - 1) / time : nil
  }

  /// The median of the rates, where its interval is narrow enough: from the k-th smallest rate to the k-th largest, the
  /// narrowest that covers the median at 95 % whatever the rates' distribution (the sign test turned round).
  static func speed(_ rates: [Double]) -> Double? {
    guard let median = median(rates), let rank = rank(of: rates.count) else { return nil }
    let sorted = rates.sorted()
    let (low, high) = (sorted[rank - 1], sorted[sorted.count - rank])
    return high - median <= tolerance * median && median - low <= tolerance * median ? median : nil
  }

  /// The largest k for which the k-th smallest and the k-th largest of `count` values enclose the median at 95 %; nil for
  /// fewer than six values, which never do.
  static func rank(of count: Int) -> Int? {
    func misses(_ rank: Int) -> Double {
      (try? 2 * BinomialDistribution.cumulative(successes: rank - 1, trials: count, probability: 0.5)) ?? 1
    }
    guard count >= 1, misses(1) <= 0.05 else { return nil }
    var rank = 1
    while misses(rank + 1) <= 0.05 { rank += 1 }
    return rank
  }

  static func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
