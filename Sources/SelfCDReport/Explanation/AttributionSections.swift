import SelfCDData
import SelfCDExplain
import SelfCDStatistics
import SelfCDSupport

/// Where attributions fall over a set of prompts.
struct AttributionSections {
  let result: AttributionStudy.Result
  /// The column whose groups intervals resample.
  let group: String?

  private var methods: [AttributionMethod] {
    AttributionMethod.allCases.filter { method in result.groups.contains { $0.method == method } }
  }

  var sections: [ExplanationSections.Section] {
    [
      result.groups.isEmpty
        ? nil : .init(id: "focus", title: "How much falls on the focus words", content: focus),
      result.contrasts.isEmpty ? nil : .init(id: "paired", title: "On the same prompts", content: contrasts),
      result.recalls.isEmpty
        ? nil : .init(id: "recall", title: "What is enough for a refusal", content: recalls),
      result.agreements.allSatisfy { $0.n == 0 }
        ? nil : .init(id: "agreement", title: "Do beginnings foretell the reply?", content: agreements),
    ].compactMap { $0 }
  }

  // MARK: Shares

  private var focus: Markup {
    Markup([
      tag("p") {
        "The part of each prompt’s attribution that falls on the words its set names, by what the view made of the prompt. "
          + "The stroke is what equal effects of all words would give."
      },
      Markup(methods.map(part)),
      remarks,
    ])
  }

  private var remarks: Markup {
    var texts: [String] = []
    if result.withoutFocus > 0 {
      texts.append(
        "\(NumberFormat.separated(result.withoutFocus, "prompt")) without a focus word, or of nothing else, "
          + "\(result.withoutFocus == 1 ? "is" : "are") left out."
      )
    }
    if result.failures > 0 {
      texts.append("\(NumberFormat.separated(result.failures, "prompt")) could not be answered.")
    }
    if result.means.contains(where: { $0.interval == nil }) {
      texts.append(StudyWording.withoutInterval(group: group))
    }
    return texts.isEmpty ? .empty : tag("p", ["class": "note"]) { texts.joined(separator: " ") }
  }

  private func part(_ method: AttributionMethod) -> Markup {
    let groups = result.groups.filter { $0.method == method }
    let title = "Share on focus words, \(ExplanationWording.method(method))"
    let chart = DotRows(
      id: "focus-\(method.rawValue)", title: title,
      description: groups.map { "\(name($0)): \(NumberFormat.percent($0.share.estimate))." }.joined(
        separator: " "),
      rows: groups.map { group in
        DotRows.Row(
          name: name(group),
          dots: [
            DotRows.Dot(
              mean: group.share, style: SeriesStyle(view: group.view), isFilled: group.refused != false)
          ], reference: group.uniform)
      },
      legend: views(groups).map { (SeriesStyle(view: $0), true, $0) })
    return Markup([
      tag("h3") { title },
      .figure(
        chart.draw(),
        "Hollow: answered. 95% bootstrap intervals over \(StudyWording.resampled(by: self.group))."),
      Table(
        caption: title,
        columns: [
          .init(title: "prompts", isNumber: false), .init(title: "n"), .init(title: "share on focus words"),
          .init(title: "equal effects"), .init(title: "effect of a focus word, nats"),
          .init(title: "of another word, nats"),
        ],
        rows: groups.map { group in
          Table.Row(cells: [
            .text(name(group)), .text(NumberFormat.count(group.n)), share(group.share),
            .text(NumberFormat.percent(group.uniform)), nats(group.focus), nats(group.others),
          ])
        }
      ).markup,
    ])
  }

  private func views(_ groups: [AttributionStudy.Group]) -> [String] {
    var names: [String] = []
    for group in groups where !names.contains(group.view) { names.append(group.view) }
    return names
  }

  private func name(_ group: AttributionStudy.Group) -> String {
    "\(Wording.label(group.set)), \(UntrustedText.singleLine(group.view)), \(StudyWording.outcome(group.refused))"
  }

  private func share(_ value: BootstrapMean) -> Table.Cell {
    .figure(
      NumberFormat.percent(value.estimate),
      value.interval.map { NumberFormat.interval($0.low, $0.high) } ?? "–")
  }

  private func nats(_ value: BootstrapMean) -> Table.Cell {
    .figure(
      ExplanationWording.nats(value.estimate),
      value.interval.map { "\(ExplanationWording.nats($0.low)) to \(ExplanationWording.nats($0.high))" }
        ?? "–")
  }

  // MARK: Pairs

  private var contrasts: Markup {
    let first = result.contrasts.first
    return Markup([
      tag("p") {
        "Prompts refused under \(first?.refusedUnder ?? "") and answered under \(first?.answeredUnder ?? ""): the first less "
          + "the second, each prompt with itself."
      },
      Table(
        caption: "Refused less answered, paired bootstrap",
        columns: [
          .init(title: "prompts", isNumber: false), .init(title: "n"), .init(title: "refused"),
          .init(title: "answered"),
          .init(title: "equal effects"), .init(title: "share, points"), .init(title: "focus word, nats"),
          .init(title: "other word, nats"),
        ],
        rows: result.contrasts.map { row in
          Table.Row(cells: [
            .text("\(Wording.label(row.set)), \(ExplanationWording.method(row.method))"),
            .text(NumberFormat.count(row.n)),
            .text(NumberFormat.percent(row.refusedShare)), .text(NumberFormat.percent(row.answeredShare)),
            .text(NumberFormat.percent(row.uniform)),
            .figure(
              NumberFormat.points(row.share.estimate),
              row.share.interval.map { NumberFormat.pointsInterval($0.low, $0.high) } ?? "–"),
            nats(row.focus), nats(row.others),
          ])
        }
      ).markup,
    ])
  }

  // MARK: Triggers

  private var recalls: Markup {
    let first = result.recalls.first
    let chart = DotRows(
      id: "recall-chart", title: "What the smallest refused part holds",
      description: result.recalls.flatMap {
        parts($0).map { "\($0.name): \(NumberFormat.percent($0.value.estimate))." }
      }
      .joined(separator: " "),
      rows: result.recalls.flatMap { recall in
        parts(recall).map { part in
          DotRows.Row(name: part.name, dots: [DotRows.Dot(mean: part.value, style: style(recall.set))])
        }
      }, legend: [])
    return Markup([
      tag("p") {
        "Refused prompts, shrunk as long as \(first.map { $0.criterion.meaning } ?? "") under "
          + "\(first?.view ?? ""). A refusal of a harmful prompt that hangs on task and object together is signal-aware; one "
          + "that a single word is enough for is a shortcut, right by luck."
      },
      .figure(
        chart.draw(),
        "Shares of the shrunk prompts, with 95% \(group == nil ? "Wilson" : "grouped") intervals."),
      Table(
        caption: "Smallest parts still refused",
        columns: [
          .init(title: "prompts", isNumber: false), .init(title: "n"), .init(title: "words left"),
          .init(title: "hold a focus word"), .init(title: "focus words alone"),
          .init(title: "task and object"),
          .init(title: "prompts asked, each"),
        ],
        rows: result.recalls.map { row in
          Table.Row(cells: [
            .text(Wording.label(row.set)), .text(NumberFormat.count(row.n)),
            .figure(NumberFormat.decimal(row.words, 1), "of \(NumberFormat.decimal(row.promptWords, 1))"),
            share(row.withTask),
            share(row.taskAlone),
            row.signalAware.map {
              Table.Cell.figure(
                NumberFormat.percent($0.estimate),
                ($0.interval.map { "\(NumberFormat.interval($0.low, $0.high)), " } ?? "")
                  + "n \(NumberFormat.count(row.withObjectNamed))")
            } ?? .text("–"),
            .figure(NumberFormat.decimal(row.prompts, 1), "in \(NumberFormat.decimal(row.calls, 1)) calls"),
          ])
        }
      ).markup,
    ])
  }

  private func parts(_ recall: SignalRecall) -> [(name: String, value: BootstrapMean)] {
    let label = Wording.label(recall.set)
    return [("\(label): focus words alone", recall.taskAlone)]
      + (recall.signalAware.map { [("\(label): task and object", $0)] } ?? [])
  }

  private func style(_ label: Sample.Label) -> SeriesStyle {
    switch label {
    case .safe: .safe
    case .harmful: .harmful
    case .neutral: SeriesStyle(2)
    }
  }

  private var agreements: Markup {
    Table(
      caption: "What was learned of beginnings against the judge’s word on the greedy reply",
      columns: [
        .init(title: "view", isNumber: false), .init(title: "refused means", isNumber: false),
        .init(title: "n"),
        .init(title: "agree"),
        .init(title: "refusals found"),
      ],
      rows: result.agreements.map { row in
        Table.Row(cells: [
          .text(row.view), .text(row.criterion.meaning), .text(NumberFormat.count(row.n)),
          .figure(
            NumberFormat.count(row.agreeing),
            NumberFormat.percent(Double(row.agreeing) / Double(max(1, row.n)))),
          .figure(NumberFormat.count(row.refusalsFound), "of \(NumberFormat.count(row.refusals))"),
        ])
      }
    ).markup
  }
}

extension DotRows.Dot {
  /// A mean with its interval; without one the dot stands alone.
  fileprivate init(mean: BootstrapMean, style: SeriesStyle, isFilled: Bool = true) {
    self.init(
      share: mean.interval
        ?? ConfidenceInterval(
          estimate: mean.estimate, low: mean.estimate, high: mean.estimate, confidence: mean.confidence),
      style: style, isFilled: isFilled)
  }
}
