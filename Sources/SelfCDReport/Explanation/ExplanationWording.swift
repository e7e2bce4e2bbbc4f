import SelfCDEval
import SelfCDExplain

/// The words of the pages of explanations.
enum ExplanationWording {
  static func method(_ method: AttributionMethod) -> String {
    switch method {
    case .leaveOneOut: "left out"
    case .replacement: "replaced by a neutral word"
    case .shapley: "Shapley value"
    }
  }

  static func methodLong(_ method: AttributionMethod) -> String {
    switch method {
    case .leaveOneOut: "The prompt’s score less its score without the word."
    case .replacement: "The prompt’s score less its mean score with a neutral word in the word’s place."
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
    let text = Figures.decimal(value, digits)
    return value > 0 && text != Figures.decimal(0, digits) ? "+" + text : text
  }

  static let effects =
    "Each word is followed by its effect in nats of log-odds: + pushes towards a refusal (solid line below), − away from "
    + "it (dotted line). All replies use one scale. Point at a word for its figure; every figure is in the table below."

  static let withheld =
    "The prompt is labelled harmful: the model’s replies and their tokens are withheld. --show-harmful shows them."

  static func limits(_ explanation: Explanation) -> String {
    "How this model’s refusals and answers begin was learned from \(explanation.beginnings.source), judged by "
      + "\(explanation.beginnings.judge). The probability is that of a drawn reply that begins as its refusals do, among "
      + "beginnings that were learned; the score is its log-odds in nats. The greedy reply may be another. A word’s effect "
      + "is what changing it does to this model on this prompt, and no more: prompts with a word missing can be odd ones, "
      + "and words act together."
  }

  /// A few sentences: what happens, which word weighs most, how little is enough.
  static func summary(_ page: ExplanationPage) -> [String] {
    let explanation = page.explanation
    return [views(explanation), heaviest(explanation), trigger(explanation)].compactMap { $0 }
  }

  static func replyClass(of view: String, in explanation: Explanation) -> ReplyClass? {
    explanation.replies?.first { $0.view == view }?.replyClass
      ?? explanation.uncertainties.first { $0.view == view }?.replyClass
  }

  private static func views(_ explanation: Explanation) -> String? {
    let parts = explanation.views.map {
      "\(name($0)) with a probability of \(Figures.percent($0.probability))"
    }
    guard !parts.isEmpty else { return nil }
    return "The reply begins as a refusal: \(list(parts))."
  }

  private static func name(_ view: Explanation.View) -> String {
    switch view.name {
    case "guarded": "under the safety prompt"
    case "plain": "without it"
    default: "under \(UntrustedText.singleLine(view.title))"
    }
  }

  private static func list(_ parts: [String]) -> String {
    parts.count < 2
      ? parts.joined() : parts.dropLast().joined(separator: ", ") + " and " + (parts.last ?? "")
  }

  /// The word that weighs most where the refusal is strongest, and what the other views make of it.
  private static func heaviest(_ explanation: Explanation) -> String? {
    guard let method = explanation.attributions.first?.method,
      let first = explanation.views.first(where: { $0.name == "guarded" }) ?? explanation.views.first,
      let effects = explanation.attribution(method, in: first.name)?.effects,
      let index = effects.indices.max(by: { abs(effects[$0]) < abs(effects[$1]) }),
      explanation.words.indices.contains(index), abs(effects[index]) >= 0.005
    else { return nil }
    let word = UntrustedText.singleLine(explanation.words[index].text)
    var text =
      "“\(word)” weighs most: \(nats(effects[index])) nats \(name(first)), measured by \(by(method))"
    let others = explanation.views.filter { $0.name != first.name }.compactMap { view in
      explanation.attribution(method, in: view.name).map { "\(nats($0.effects[index])) \(name(view))" }
    }
    if !others.isEmpty { text += "; \(list(others))" }
    text += "."
    if first.name == "guarded", let plain = explanation.attribution(method, in: "plain") {
      let added = effects[index] - plain.effects[index]
      text +=
        abs(added) < 0.005
        ? " The safety prompt does not change that."
        : " The safety prompt \(added > 0 ? "adds" : "takes off") \(Figures.decimal(abs(added), 2)) of them."
    }
    return text
  }

  static func by(_ method: AttributionMethod) -> String {
    switch method {
    case .leaveOneOut: "leaving it out"
    case .replacement: "replacing it"
    case .shapley: "its Shapley value"
    }
  }

  private static func trigger(_ explanation: Explanation) -> String? {
    guard let trigger = explanation.trigger else { return nil }
    let words = explanation.words.count
    if trigger.kept.isEmpty {
      return "Even without any of its \(words) words the prompt is refused (\(trigger.view))."
    }
    return
      "\(trigger.kept.count) of \(words) words \(trigger.kept.count == 1 ? "is" : "are") enough for a refusal "
      + "(\(trigger.view)): “\(UntrustedText.singleLine(trigger.text))”."
  }

  static func criterion(_ criterion: RefusalCriterion) -> String {
    switch criterion {
    case .greedy: "the greedy reply begins as this model’s refusals do"
    case .score: "the refusal score is above 0"
    case .judged: "the greedy reply is judged to refuse"
    }
  }
}
