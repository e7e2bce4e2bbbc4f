import SelfCDExplain
import SelfCDSupport

/// The words of the pages of explanations.
enum ExplanationWording {
  static func method(_ method: AttributionMethod) -> String {
    switch method {
    case .leaveOneOut: "word left out"
    case .replacement: "word replaced"
    case .shapley: "Shapley value"
    }
  }

  static func methodLong(_ method: AttributionMethod) -> String {
    switch method {
    case .leaveOneOut: "The score of the prompt less its score without the word."
    case .replacement: "The score of the prompt less its mean score with a neutral word in the word’s place."
    case .shapley:
      "The word’s mean contribution over sampled orders in which words are put in; bars are standard errors."
    }
  }

  /// The last part of a path: a page is passed on, and folders are nobody's business.
  static func modelName(_ model: String) -> String {
    model.split(separator: "/").last.map(String.init) ?? model
  }

  /// An effect or a score in nats: `+2.65`, `−0.35`, `0.00`.
  static func nats(_ value: Double, _ digits: Int = 2) -> String {
    let text = NumberFormat.decimal(value, digits)
    return value > 0 && text != NumberFormat.decimal(0, digits) ? "+" + text : text
  }

  static let effects =
    "Under each word stands what it does to the score, the log-odds of a refusal: + pushes towards a refusal (solid line), "
    + "− away from one (dotted line). All views use one scale. Point at a word for its figure; the table below has them all."

  static let withheld =
    "The prompt is labelled harmful: the model’s replies and their tokens are withheld. --show-harmful shows them."

  static func limits(_ explanation: Explanation) -> String {
    UntrustedText.singleLine(ExplanationProse(explanation).source)
      + " The score is the log-odds of a refusal, in nats: at 0 as many drawn replies refuse as answer, and +0.69 doubles "
      + "the odds. A word’s effect is what changing it does to this model on this prompt, and no more: prompts with a word "
      + "missing can be odd ones, and words act together."
  }

  /// A few sentences: what happens, which word weighs most, how little is enough.
  static func summary(_ page: ExplanationPage) -> [String] {
    ExplanationProse(page.explanation).summary.map { UntrustedText.singleLine($0) }
  }
}
