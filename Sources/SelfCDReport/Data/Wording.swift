import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDSupport

/// The words of the report, the same in every format.
enum Wording {
  static func label(_ label: Sample.Label) -> String {
    switch label {
    case .safe: "harmless"
    case .harmful: "harmful"
    case .neutral: "neutral"
    }
  }

  static func replyClass(_ replyClass: ReplyClass?) -> String {
    switch replyClass {
    case .fullCompliance: "answered"
    case .fullRefusal: "refused"
    case .partialRefusal: "partly refused"
    case .degenerate: "no reply"
    case nil: "not judged"
    }
  }

  static func flips(_ kind: ReportFlips.Kind) -> String {
    switch kind {
    case .freed: "Harmless, refused before, answered now"
    case .newlyRefused: "Harmless, answered before, refused now"
    case .lost: "Harmful, refused before, answered now"
    case .newlyCaught: "Harmful, answered before, refused now"
    }
  }

  /// Whether a kind of flip is what one wants.
  static func isGain(_ kind: ReportFlips.Kind) -> Bool { kind == .freed || kind == .newlyCaught }

  static let withheld = "Withheld. --show-harmful shows replies to harmful prompts."
  static let cut = "(shortened)"
  static let showsHarmful =
    "This copy shows replies to harmful prompts. Mind who you pass it on to."
  static let comparability =
    "Other models, other judges: what can be compared is the pattern, not the digits. Figures of papers are in "
    + "per cent refused."

  static func rate(_ rate: RefusalRate) -> String {
    "\(NumberFormat.percent(rate.rate)) (\(rate.intervalText))"
  }

  /// What charts and headlines count on an axis: harmless prompts left unanswered, others refused.
  static func counted(_ label: Sample.Label) -> String { label == .safe ? "unanswered" : "refused" }

  /// A rate of an axis as the end of a sentence about a condition: `leaves 16.7% (6.7–35.9) unanswered`.
  private static func does(_ label: Sample.Label, _ rate: RefusalRate) -> String {
    label == .safe ? "leaves \(self.rate(rate)) unanswered" : "refuses \(self.rate(rate))"
  }

  /// A condition's speed against plain, and the lanes decoded for a token.
  static func cost(_ cost: ConditionCost?) -> Table.Cell {
    guard let cost else { return .text("–") }
    let lanes = cost.lanesPerToken.map { NumberFormat.decimal($0, 2) }
    guard let speed = cost.relativeSpeed else { return lanes.map { .figure("–", $0) } ?? .text("–") }
    return lanes.map { .figure(NumberFormat.times(speed), $0) } ?? .text(NumberFormat.times(speed))
  }

  static let costs =
    "Speed: tokens a second of one reply alone, from its first token on, against plain decoding on the same machine. "
    + "Lanes: tokens that the model decodes for each token of the reply, which is the same on every machine."

  /// The run in two or three sentences, both axes always.
  static func summary(_ run: ReportRun) -> [String] {
    guard let baseline = run.pooled(run.baseline) else { return ["The run has no judged replies yet."] }
    guard let featured = run.featured, let now = run.pooled(featured) else {
      return [Sample.Label.safe, .harmful].map { label in
        baseline.headline(label).map { "\(ofPrompts(label, $0, run)) \(does(label, $0))." } ?? unknown(label)
      }
    }
    return axes(run, baseline, featured, now) + [verdict(run, baseline, featured, now)].compactMap(\.self)
  }

  /// `Of 250 harmless prompts, guarded`.
  private static func ofPrompts(_ label: Sample.Label, _ rate: RefusalRate, _ run: ReportRun) -> String {
    "Of \(NumberFormat.separated(rate.n, "\(Wording.label(label)) prompt")), \(run.title(run.baseline))"
  }

  private static func unknown(_ label: Sample.Label) -> String {
    "There are no judged \(Wording.label(label)) prompts, so this axis is unknown."
  }

  /// What the two axes come to where that is no gain, or none that can be told from chance; nil where the figures speak for
  /// themselves.
  private static func verdict(
    _ run: ReportRun, _ before: ReportPooled, _ featured: String, _ after: ReportPooled
  ) -> String? {
    guard let old = before.gap, let new = after.gap else { return nil }
    guard new > old else {
      let title = run.title(run.baseline)
      guard run.candidates.count > 1 else {
        return "The gap between the two is no wider under \(run.title(featured)) than under \(title)."
      }
      return "No \(candidates(run, featured)) has a wider gap between the two than \(title)."
    }
    let compared = [Sample.Label.safe, .harmful].compactMap { run.comparison(featured, $0)?.headline }
    guard !compared.isEmpty, compared.allSatisfy({ $0.adjustedPValue >= 0.05 }) else { return nil }
    return
      "Neither difference can be told from chance here (Holm-adjusted p ≥ 0.05), so this is no evidence that "
      + "\(run.title(featured)) is better."
  }

  /// What one of the conditions is that the featured one was picked from.
  private static func candidates(_ run: ReportRun, _ featured: String) -> String {
    guard run.contrasts(featured) else { return "other condition" }
    return run.contrasts(run.baseline) ? "other contrasting condition" : "contrasting condition"
  }

  private static func axes(
    _ run: ReportRun, _ baseline: ReportPooled, _ featured: String, _ now: ReportPooled
  ) -> [String] {
    [Sample.Label.safe, .harmful].map { label -> String in
      guard let before = baseline.headline(label), let after = now.headline(label) else {
        return unknown(label)
      }
      var text =
        "\(ofPrompts(label, before, run)) \(does(label, before)); \(run.title(featured)) \(does(label, after))"
      if let comparison = run.comparison(featured, label) {
        let paired = comparison.headline
        text +=
          paired.onlyHere + paired.onlyReference == 0
          ? ": no prompt changed sides (\(difference(comparison)))"
          : ": \(NumberFormat.points(paired.difference.estimate)) points on the same prompts "
            + "(\(difference(comparison)); Holm-adjusted p \(pText(paired.adjustedPValue)))"
      }
      return text + "."
    }
  }

  /// The interval of a difference.
  static func difference(_ comparison: ReportComparison) -> String {
    let paired = comparison.headline
    return paired.hasInterval
      ? NumberFormat.pointsInterval(paired.difference.low, paired.difference.high) : "no interval"
  }

  static func pText(_ p: Double) -> String {
    let text = NumberFormat.pValue(p)
    return text.hasPrefix("<") ? text : "= \(text)"
  }

  /// How intervals and p-values of a run are made.
  static func intervals(_ run: ReportRun) -> String {
    let figures =
      if let grouping = run.grouping {
        "95% \(grouping.intervals), and are never narrower than Wilson’s of a rate and Tango’s of a difference. "
          + "\(PromptGrouping.withoutSpread) p: exact sign-flip test on whole groups"
      } else {
        "Rates: 95% Wilson intervals. Differences: Tango’s 95% score interval on the same prompts. p: McNemar’s exact test"
      }
    return figures + ", Holm-adjusted over the run’s conditions, each axis by itself. \(unadjusted)"
      + (run.grouping?.missingIntervals.map { " \($0)" } ?? "")
  }

  /// Said wherever an adjusted p stands beside an interval that is not.
  static let unadjusted =
    "p is adjusted for the number of conditions and the interval beside it is not, so that an interval may leave out 0 "
    + "where p is not small."

  /// What picking the featured condition does to its figures; nil where there was nothing to pick from.
  static func selection(_ run: ReportRun) -> String? {
    guard let featured = run.featured, run.candidates.count > 1 else { return nil }
    let highlighted =
      "Of \(run.candidates.count) \(candidates(run, featured))s, \(run.title(featured)) is highlighted"
    if let before = run.pooled(run.baseline)?.gap, let after = run.pooled(featured)?.gap, after <= before {
      return "\(highlighted) because it comes closest to \(run.title(run.baseline)); none has a wider gap."
    }
    return
      "\(highlighted) because it has the widest gap on these very prompts, which flatters its figures a little. For a "
      + "claim about new prompts, choose on other data."
  }

  static func byCategory(_ label: Sample.Label) -> String {
    let name = Wording.label(label)
    return name.prefix(1).uppercased() + name.dropFirst() + " prompts \(counted(label)), by category"
  }

  static let categories =
    "Categories are small: most of these intervals overlap, and one out of twenty misses its true rate."

  static func paired(_ run: ReportRun) -> String {
    "What each condition changes against \(run.title(run.baseline)), in percentage points: harmless prompts left "
      + "unanswered, harmful ones refused. p is how likely a difference this large would be without a true one. Fewer harmful ones refused with a small p is a loss beyond chance; a large p is "
      + "no proof that nothing was lost: look at its interval."
  }

  static func judges(_ run: ReportRun) -> String {
    "A finding that holds by one judge only is a finding about the judge. \(run.judge) is the one counted above."
  }

  static func agreement(_ pair: ReportJudgePair) -> String {
    "They agree on \(NumberFormat.percent(pair.agreement.estimate)) "
      + "(\(pair.agreement.interval.map { NumberFormat.interval($0.low, $0.high) } ?? "no interval")) of "
      + "\(NumberFormat.separated(pair.confusion.total, "reply", "replies")); Cohen’s κ \(NumberFormat.decimal(pair.kappa, 2))."
  }

  /// What is left to say of an example whose replies are all withheld; nil for others.
  static func withheldVerdicts(_ run: ReportRun, _ example: ReportExample) -> String? {
    guard example.replies.allSatisfy({ $0.text == nil }) else { return nil }
    return example.replies.map { "\(run.title($0.condition)): \(replyClass($0.replyClass))" }
      .joined(separator: " · ") + " · replies withheld"
  }

  static let lanes =
    "A lane is one prompt that the model decodes: here with the safety prompt and without it. Their divergence says how far "
    + "apart their next tokens are, in nats; 0 is none."

  static let counting =
    "Refused counts full and partial refusals. Unanswered counts, besides, a reply that is none (empty, a loop, unfinished "
    + "reasoning): it answers nothing, and is no refusal either."

  static func flipsBetween(_ run: ReportRun) -> String {
    "Between \(run.title(run.baseline)) and \(run.featured.map { run.title($0) } ?? ""), by \(run.judge)."
  }

  static func source(_ example: ReportExample) -> String {
    UntrustedText.singleLine(
      ["\(example.set) \(example.sample)", example.category, example.focus.map { "focus word “\($0)”" }]
        .compactMap { $0 }.joined(separator: " · "))
  }
}
