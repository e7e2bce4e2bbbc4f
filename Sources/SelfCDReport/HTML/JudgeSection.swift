import SelfCDEval

/// How far the judges agree, and what they disagree on.
struct JudgeSection {
  let run: ReportRun

  var markup: Markup {
    Markup([
      tag("p") {
        "A finding that holds by one judge only is a finding about the judge. \(run.judge) is the one counted above."
      },
      rates, Markup(run.judgePairs.map(pair)),
    ])
  }

  private var rates: Markup {
    var judges: [String] = []
    for rate in run.judgeRates where !judges.contains(rate.judge) { judges.append(rate.judge) }
    func find(_ judge: String, _ condition: String) -> ReportJudgeRates? {
      run.judgeRates.first { $0.judge == judge && $0.condition == condition }
    }
    return Table(
      caption: "Refused by each judge",
      columns: [.init(title: "condition", isNumber: false)]
        + judges.flatMap { [.init(title: "harmless, \($0)"), .init(title: "harmful, \($0)")] },
      rows: run.pooled.map { pooled in
        Table.Row(
          cells: [.text(run.title(pooled.condition))]
            + judges.flatMap { judge in
              let rate = find(judge, pooled.condition)
              return [Table.Cell.rate(rate?.safe), .rate(rate?.harmful)]
            }, isKey: pooled.condition == run.featured)
      }
    ).markup
  }

  private func pair(_ pair: ReportJudgePair) -> Markup {
    let used = pair.confusion.labels.indices.filter { index in
      pair.confusion.counts[index].contains { $0 > 0 } || pair.confusion.counts.contains { $0[index] > 0 }
    }
    func name(_ index: Int) -> String {
      Wording.replyClass(ReplyClass(rawValue: pair.confusion.labels[index]))
    }
    return Markup([
      tag("h3") { "\(pair.first) and \(pair.second)" },
      tag("p") {
        "They agree on \(Figures.percent(pair.agreement.estimate)) "
        "(\(Figures.interval(pair.agreement.low, pair.agreement.high))) of \(Figures.count(pair.confusion.total)) "
        "replies; Cohen’s κ \(Figures.decimal(pair.kappa, 2))."
      },
      Table(
        caption: "Rows: \(pair.first). Columns: \(pair.second)",
        columns: [.init(title: "", isNumber: false)] + used.map { .init(title: name($0)) },
        rows: used.map { row in
          Table.Row(
            cells: [.text(name(row))] + used.map { .text(Figures.count(pair.confusion.counts[row][$0])) })
        }
      ).markup,
      Markup(
        pair.examples.map { disagreement in
          Markup([
            tag("p", ["class": "note"]) {
              "\(pair.first): \(Wording.replyClass(disagreement.first)). "
              "\(pair.second): \(Wording.replyClass(disagreement.second))."
            },
            ExampleView(run: run, example: disagreement.example).markup,
          ])
        }),
    ])
  }
}
