import SelfCDExplain
import SelfCDSupport

/// How sure the model was: along its greedy replies, and over drawn ones.
struct UncertaintySection {
  let page: ExplanationPage

  private var explanation: Explanation { page.explanation }
  private var views: [RefusalUncertainty] { explanation.uncertainties }

  private func title(_ view: RefusalUncertainty) -> String {
    ExplanationWording.title(of: view.view, in: explanation)
  }

  var markup: Markup {
    Markup([charts, steps, samples])
  }

  // MARK: Along the greedy replies

  private struct Measure: Sendable {
    let id: String
    let title: String
    let axis: String
    var isShare = false
    let value: @Sendable (RefusalUncertainty.Step) -> Double?
  }

  private static let measures = [
    Measure(
      id: "refusal", title: "Probability that the reply is a refusal, before each token", axis: "refusal",
      isShare: true, value: { $0.refusal }),
    Measure(id: "entropy", title: "Entropy before each token", axis: "entropy (nats)", value: { $0.entropy }),
    Measure(
      id: "margin", title: "Margin of the best token over the second", axis: "margin (nats)",
      value: { $0.margin }),
  ]

  private var charts: Markup {
    Markup([
      tag("p") {
        "Along each greedy reply, token by token. "
          + (explanation.beginnings.origin == .learned
            ? "The probability of a refusal ends where the reply has left the beginnings that were learned."
            : "The probability of a refusal is 0 from where the reply has begun as none of the listed refusals does.")
      },
      Markup(
        Self.measures.map { measure in
          let chart = StepChart(
            id: "sure-\(measure.id)", title: measure.title, axis: measure.axis, isShare: measure.isShare,
            top: measure.isShare ? 1 : nil,
            series: views.map { view in
              StepChart.Series(
                name: title(view), style: SeriesStyle(view: view.view), values: view.steps.map(measure.value))
            })
          return .figure(chart.draw(), "\(measure.title).")
        }),
    ])
  }

  private var steps: Markup {
    let table = Table(
      caption: "The first tokens of each greedy reply",
      columns: [
        .init(title: "view", isNumber: false), .init(title: "token", isNumber: false),
        .init(title: "entropy"),
        .init(title: "margin"), .init(title: "refusal"), .init(title: "divergence of the lanes"),
      ],
      rows: views.flatMap { view in
        view.steps.map { step in
          Table.Row(cells: [
            .text(title(view)),
            Table.Cell(text: page.withholdsReplies ? "withheld" : StepSection.token(step.text), isCode: true),
            .text(NumberFormat.decimal(step.entropy, 2)),
            .text(step.margin.map { NumberFormat.decimal($0, 2) } ?? "–"),
            .text(step.refusal.map { NumberFormat.percent($0) } ?? "–"),
            .text(step.divergence.map { NumberFormat.decimal($0, 3) } ?? "–"),
          ])
        }
      })
    return tag("details") {
      tag("summary") { "Every figure" }
      table.markup
    }
  }

  // MARK: Over drawn replies

  private var samples: Markup {
    let drawn = views.compactMap { view in view.samples.map { (view, $0) } }
    guard let first = drawn.first?.1 else { return .empty }
    let chart = DotRows(
      id: "sure-samples", title: "Drawn replies that refuse",
      description: drawn.map { view, samples in
        "\(title(view)): \(samples.refusals.refused) of \(samples.n)."
      }.joined(separator: " "),
      rows: drawn.map { view, samples in
        DotRows.Row(
          name: title(view), dots: [DotRows.Dot(rate: samples.refusals, style: SeriesStyle(view: view.view))])
      }, legend: [])
    let table = Table(
      caption:
        "Replies drawn at temperature \(NumberFormat.parameter(first.temperature)), seed \(first.seed)",
      columns: [
        .init(title: "view", isNumber: false), .init(title: "replies"), .init(title: "refuse"),
        .init(title: "by class", isNumber: false), .init(title: "semantic entropy, nats"),
      ],
      rows: drawn.map { view, samples in
        Table.Row(cells: [
          .text(title(view)), .text(NumberFormat.count(samples.n)), .rate(samples.refusals),
          .text(
            samples.classes.map { "\($0.count) \(Wording.replyClass($0.replyClass))" }.joined(separator: ", ")
          ),
          .text(NumberFormat.decimal(samples.semanticEntropy, 2)),
        ])
      })
    return Markup([
      tag("h3") { "Drawn replies" },
      .figure(chart.draw(), "The share of drawn replies that refuse, with 95% Wilson intervals."),
      table.markup,
      tag("p", ["class": "note"]) {
        "Semantic entropy over the judge’s classes: 0 where all replies do the same, \(NumberFormat.decimal(0.6931, 2)) where "
          + "half refuse and half answer."
      },
    ])
  }
}
