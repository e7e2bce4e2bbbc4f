import SelfCDData
import SelfCDStatistics

/// What the prompt analysis found.
public struct PromptAnalysis: Sendable, Hashable {
  /// The perplexity of each refusal behind the prompts of one set, then of all refusals together.
  public struct Perplexities: Sendable, Hashable {
    /// The set: prompts with this label.
    public var set: Sample.Label
    /// In the order of the plan's texts.
    public var texts: [RefusalPerplexity]
    /// The mean over the texts of each prompt.
    public var all: RefusalPerplexity
  }

  /// By set; empty sets are left out.
  public var perplexities: [Perplexities]
  /// Refusals by condition and set, with the lanes' divergence along the plain and the guarded reply.
  public var summary: EvaluationSummary
  /// Prompts that could not be put to the model, and why.
  public var failures: [EvaluationFailure]
  /// Whether it was cancelled before everything was tried.
  public var isInterrupted: Bool
}

/// The scores of one prompt: log-perplexity of each text, in nats.
struct ScoredPrompt: Sendable, Hashable {
  var set: Sample.Label
  /// Nil where prompts are not grouped.
  var group: String?
  var plain: [Double]
  var guarded: [Double]
}

extension PromptAnalysis.Perplexities {
  /// Averages the scores of one set; nil where it has none.
  /// - Parameters:
  ///   - texts: each with its number of tokens.
  init?(
    set: Sample.Label, prompts: [ScoredPrompt], texts: [(text: String, tokens: Int)]
  ) throws(StatisticsError) {
    let prompts = prompts.filter { $0.set == set }
    guard !prompts.isEmpty, !texts.isEmpty else { return nil }
    self.set = set
    let groups = prompts.compactMap(\.group)
    let names = groups.isEmpty ? nil : groups
    self.texts = []
    for (index, text) in texts.enumerated() {
      self.texts.append(
        try RefusalPerplexity(
          text: text.text, tokens: text.tokens, plain: prompts.map { $0.plain[index] },
          guarded: prompts.map { $0.guarded[index] }, groups: names))
    }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    all = try RefusalPerplexity(
      text: nil, tokens: texts.reduce(0) { $0 + $1.tokens }, plain: prompts.map { mean($0.plain) },
      guarded: prompts.map { mean($0.guarded) }, groups: names)
  }
}
