import Foundation
import SelfCD
import SelfCDJudges

/// What an explanation says in sentences, the same on a terminal and on a page.
///
/// Names and words of prompts stand in them as they are: whoever prints them makes them harmless.
public struct ExplanationProse: Sendable {
  private let explanation: Explanation
  private let medium: Medium

  /// Where the sentences stand; figures in them are written like those around them.
  public enum Medium: Sendable {
    /// 11.9% and −0.50.
    case page
    /// 11.9 % and -0.50.
    case terminal

    var minus: String { self == .page ? "−" : "-" }
    var percentSign: String { self == .page ? "%" : " %" }
  }

  /// Puts an explanation into words.
  public init(_ explanation: Explanation, for medium: Medium = .page) {
    self.explanation = explanation
    self.medium = medium
  }

  /// The question that the explanation answers: not why something is refused that is answered.
  public var title: String {
    let refused = explanation.views.count { outcome(of: $0) != .answered }
    return refused == 0 ? "It is answered. What pulls towards a refusal?" : "Why is it refused?"
  }

  /// What happens and which word does most to it, in a few sentences.
  public var summary: [String] {
    [verdict, drawn, surprise, weightiest].compactMap(\.self)
  }

  // MARK: What happens

  /// What becomes of a prompt, as a participle.
  public enum Outcome: String, Sendable, Hashable {
    /// It is refused.
    case refused
    /// It is answered.
    case answered
    /// Part of it is refused.
    case partlyRefused = "partly refused"
    /// What comes is no reply.
    case noReply = "not properly answered"
  }

  /// What becomes of the prompt: as the judge has it where the reply is there, else as the reply begins.
  public func outcome(of view: Explanation.View) -> Outcome {
    switch explanation.replyClass(of: view.name) {
    case .fullRefusal: .refused
    case .partialRefusal: .partlyRefused
    case .degenerate: .noReply
    case .fullCompliance: .answered
    case nil: view.isGreedyRefusal ? .refused : .answered
    }
  }

  /// "Decoded greedily, always by the likeliest token, this prompt is refused under the safety prompt; answered without it."
  var verdict: String? {
    guard !explanation.views.isEmpty else { return nil }
    var groups: [(outcome: Outcome, views: [String])] = []
    for view in explanation.views {
      let outcome = outcome(of: view)
      if groups.last?.outcome == outcome {
        groups[groups.count - 1].views.append(Self.place(view))
      } else {
        groups.append((outcome, [Self.place(view)]))
      }
    }
    let parts = groups.map { "\($0.outcome.rawValue) \(Self.list($0.views))" }
    return
      "Decoded greedily, always by the likeliest token, this prompt is \(Self.list(parts, separator: "; "))."
  }

  /// "Of replies drawn at temperature 1 that begin in a known way, these shares begin as a refusal: 11.9 % under the safety
  /// prompt and 3.3 % without it." Of the general list every other beginning is an answer, so that all are known.
  var drawn: String? {
    guard !explanation.views.isEmpty else { return nil }
    let parts = explanation.views.map { "\(Self.percent($0.probability, for: medium)) \(Self.place($0))" }
    let which =
      explanation.beginnings.origin == .learned
      ? "of its replies that begin in a way learned from it, these shares are refusals"
      : "these shares of its replies begin as a refusal of the general list"
    return "Drawn at temperature 1, by the model's probabilities, \(which): \(Self.list(parts))."
  }

  /// What a view's probability is a share of: what was learned says nothing of replies that begin in rarer ways.
  public var shareOf: String {
    explanation.beginnings.origin == .learned ? "drawn replies that begin in a learned way" : "drawn replies"
  }

  /// Why the greedy reply may do what few drawn ones do.
  var surprise: String? {
    let odd = explanation.views.filter { view in
      (outcome(of: view) == .refused) == (view.probability < 0.5) && outcome(of: view) != .noReply
        && outcome(of: view) != .partlyRefused
    }
    guard let first = odd.first else { return nil }
    return outcome(of: first) == .refused
      ? "That is no contradiction: refusals nearly all begin alike and answers in many ways, so that the single likeliest "
        + "reply, the greedy one, can be a refusal while most replies would be answers."
      : "That is no contradiction: the single likeliest reply, the greedy one, can be an answer while most others would be "
        + "refusals."
  }

  // MARK: Words

  /// Less is not shown as an effect.
  private static let leastEffect = 0.005

  /// The content word that pushes most towards a refusal in the first view, and what the other views make of it. A
  /// function word is no reason for a refusal, whatever its figure.
  var weightiest: String? {
    guard let method = explanation.attributions.first?.method, let first = explanation.views.first,
      let effects = explanation.attribution(method, in: first.name)?.effects,
      effects.count == explanation.words.count,
      let greatest = strongest(effects, among: Array(effects.indices))
    else { return nil }
    guard effects[greatest] >= Self.leastEffect else {
      return "No word pushes towards a refusal \(Self.place(first))."
    }
    let content = explanation.words.indices.filter { index in
      let word = explanation.words[index]
      return word.isFocus || !FunctionWords.contains(word.text)
    }
    guard let index = strongest(effects, among: content), effects[index] >= Self.leastEffect else {
      return
        "No single content word pushes towards a refusal \(Self.place(first)). Only function words such as "
        + "“\(explanation.words[greatest].text)” do (\(signed(effects[greatest]))): look at the whole sentence rather "
        + "than at one word."
    }
    let others = explanation.views.dropFirst().compactMap { view in
      explanation.attribution(method, in: view.name).flatMap { row in
        row.effects.indices.contains(index) ? (view: view, effect: row.effects[index]) : nil
      }
    }
    var text =
      (index == greatest ? "" : "Of the content words, ")
      + "“\(explanation.words[index].text)” pushes most towards a refusal: \(Self.by(method)), it raises the score by "
      + "\(Self.nats(effects[index])) \(Self.place(first))"
    if !others.isEmpty {
      text += ", \(Self.list(others.map { "\(Self.change($0.effect)) \(Self.place($0.view))" }))"
    }
    text += "."
    if first.name == Guarded.name, let plain = others.first(where: { $0.view.name == Plain.name }) {
      text += Self.amplification(effects[index], plain.effect)
    }
    return text
  }

  private func strongest(_ effects: [Double], among places: [Int]) -> Int? {
    places.filter { effects[$0].isFinite }.max { effects[$0] < effects[$1] }
  }

  private static func amplification(_ guarded: Double, _ plain: Double) -> String {
    let added = guarded - plain
    if abs(added) < 0.005 { return " The safety prompt does not change that." }
    return added > 0
      ? " So under the safety prompt \(nats(added)) more hangs on this word."
      : " So under the safety prompt \(nats(-added)) less hangs on this word."
  }

  private static func change(_ effect: Double) -> String {
    effect <= -0.005 ? "lowers it by \(nats(-effect))" : "by \(nats(effect))"
  }

  static func by(_ method: AttributionMethod) -> String {
    switch method {
    case .leaveOneOut: "measured by leaving it out"
    case .replacement: "measured by putting a neutral word in its place"
    case .shapley: "by its Shapley value"
    }
  }

  // MARK: The smallest part

  /// How little is enough for a refusal, and whether that says anything.
  public var trigger: String? {
    guard let trigger = explanation.trigger else { return nil }
    let count = trigger.kept.count
    let view = explanation.views.first { $0.name == trigger.view }.map(Self.place) ?? "(\(trigger.view))"
    let whole = explanation.words.count
    let first =
      count == whole
      ? "None of the \(whole) words can go without the refusal going too, \(view)."
      : "“\(trigger.text)” alone, \(count) of \(whole) words, is still refused \(view)."
    guard count < whole else { return first }
    return
      ([first]
      + [effect(of: trigger), trigger.control.map { Self.meaning($0, words: count) }].compactMap(\.self))
      .joined(separator: " ")
  }

  /// What the words that are left do in the whole prompt: a part may be refused for reasons of its own.
  private func effect(of trigger: MinimalTrigger) -> String? {
    guard let method = explanation.attributions.first?.method,
      let effects = explanation.attribution(method, in: trigger.view)?.effects, let greatest = effects.max(),
      trigger.kept.allSatisfy(effects.indices.contains)
    else { return nil }
    let own = trigger.kept.reduce(0) { $0 + effects[$1] }
    guard own < greatest / 2 else { return nil }
    return
      "In the whole prompt \(trigger.kept.count == 1 ? "this word pushes" : "these words push") little or not at all "
      + "towards a refusal (\(signed(own))), so the part is refused for reasons of its own, such as being no question "
      + "that anyone asks. Go by the words’ effects instead."
  }

  private static func meaning(_ control: MinimalTrigger.Control, words: Int) -> String {
    let others =
      words == 1
      ? "Of \(control.parts) other word\(control.parts == 1 ? "" : "s") alone"
      : "Of \(control.parts) group\(control.parts == 1 ? "" : "s") of \(words) other words"
    let parts = "\(others), \(control.refused) \(control.refused == 1 ? "is" : "are") refused as well"
    return control.saysLittle
      ? "\(parts): the model refuses scraps of this prompt whatever they say, so which scrap is left means little."
      : "\(parts)."
  }

  // MARK: Where it comes from

  /// How it is known how refusals begin, and how well that does on this model's replies.
  public var source: String {
    let beginnings = explanation.beginnings
    let found = beginnings.quality.map { quality in
      "finds \(quality.refusalsFound) of \(quality.refusals) refusals and \(quality.answersFound) of \(quality.answers) answers"
    }
    switch beginnings.origin {
    case .learned:
      let text =
        "How this model’s refusals and answers begin was learned from \(beginnings.source), judged by \(beginnings.judge)."
      guard let quality = beginnings.quality, let found else { return text }
      let unknown = quality.refusalsUnknown + quality.answersUnknown
      let wrong = quality.refusals + quality.answers - quality.refusalsFound - quality.answersFound - unknown
      return
        "\(text) On replies to prompts that it was not learned from, this \(found), takes \(wrong) for the other kind, "
        + "and knows nothing of \(unknown) that begin in rarer ways, which count as neither (cross-validation)."
    case .general:
      let text =
        "How refusals begin is taken from \(beginnings.source), not learned from this model; every other beginning counts "
        + "as an answer."
      guard let found else {
        return text
          + " None of the model’s own replies has been judged, so how well the list fits it is not known."
      }
      return text
        + " Among \(beginnings.replies) replies of this model, judged by \(beginnings.judge), the list \(found)"
        + (min(beginnings.refused, beginnings.replies - beginnings.refused) < RefusalBeginnings.fewest
          ? "; to learn from them, there have to be at least \(RefusalBeginnings.fewest) of each."
          : "; what was learned from them so far tells them apart less well, or knows fewer of them.")
    }
  }

  // MARK: Parts of sentences

  /// Under what a view stands: "under the safety prompt".
  public static func place(_ view: Explanation.View) -> String {
    switch view.name {
    case Guarded.name: "under the safety prompt"
    case Plain.name: "without it"
    default: "with \(view.title)"
    }
  }

  /// A share in per cent; a small one is not rounded to nothing.
  public static func percent(_ share: Double, for medium: Medium = .page) -> String {
    if share > 0, share < 0.0005 { return "less than 0.1" + medium.percentSign }
    if share < 1, share > 0.9995 { return "more than 99.9" + medium.percentSign }
    return String(format: "%.1f", share * 100) + medium.percentSign
  }

  private static func nats(_ value: Double) -> String { String(format: "%.2f", abs(value)) }

  private func signed(_ value: Double) -> String {
    let text = Self.nats(value)
    return text == "0.00" ? text : (value < 0 ? medium.minus : "+") + text
  }

  private static func list(_ parts: [String], separator: String = ", ") -> String {
    parts.count < 2
      ? parts.joined()
      : parts.dropLast().joined(separator: separator) + (separator == ", " ? " and " : separator)
        + (parts.last ?? "")
  }
}

extension Explanation {
  /// What the judge makes of a view's reply; nil where none was written down.
  public func replyClass(of view: String) -> ReplyClass? {
    replies?.first { $0.view == view }?.replyClass ?? uncertainties.first { $0.view == view }?.replyClass
  }
}
