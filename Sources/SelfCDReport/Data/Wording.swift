import SelfCDEval

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

  static let withheld = "Withheld: the prompt is labelled harmful. --show-harmful shows replies to such prompts."
  static let withheldUnlabelled = "Withheld: the prompt has no label. --show-harmful shows replies to such prompts."
  static let cut = "(shortened)"

  static func rate(_ rate: RefusalRate) -> String {
    "\(Figures.percent(rate.rate)) (\(Figures.interval(rate.low, rate.high)))"
  }

  /// The run in two or three sentences, both axes always.
  static func summary(_ run: ReportRun) -> [String] {
    guard let baseline = run.pooled(run.baseline) else { return ["The run has no judged replies yet."] }
    guard let featured = run.featured, let now = run.pooled(featured) else {
      return [
        "\(run.title(run.baseline)) refuses "
          + [Sample.Label.safe, .harmful].compactMap { label in
            baseline.rate(label).map {
              "\(rate($0)) of \(Figures.count($0.n)) \(Wording.label(label)) prompts"
            }
          }.joined(separator: " and ") + "."
      ]
    }
    return [Sample.Label.safe, .harmful].compactMap { label in
      guard let before = baseline.rate(label), let after = now.rate(label) else {
        return "There are no judged \(Wording.label(label)) prompts, so this axis is unknown."
      }
      var text =
        "Of \(Figures.count(before.n)) \(Wording.label(label)) prompts, \(run.title(run.baseline)) refuses "
        + "\(rate(before)) and \(run.title(featured)) \(rate(after))"
      if let comparison = run.comparison(featured, label) {
        let d = comparison.difference
        text +=
          ": \(Figures.points(d.estimate)) points on the same prompts "
          + "(\(Figures.pointsInterval(d.low, d.high)); p \(pText(comparison.adjusted)))"
      }
      return text + "."
    }
  }

  static func pText(_ p: Double) -> String {
    let text = Figures.pValue(p)
    return text.hasPrefix("<") ? text : "= \(text)"
  }

  static let intervals =
    "Brackets: 95% Wilson intervals. Differences: paired bootstrap on the same prompts. p: McNemar's exact test, "
    + "Holm-corrected over all comparisons of the run."

  static let selection =
    "The condition was picked for the widest gap on these very prompts, so its gain is a little flattered. "
    + "For a claim about new prompts, choose α on other data."
}
