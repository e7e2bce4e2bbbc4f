/// How far the judges agree, and what they disagree on.
struct JudgeSection {
  let run: ReportRun

  var markup: Markup {
    Markup([
      tag("p") { Wording.judges(run) },
      RunTables(run: run).judges?.markup ?? .empty, Markup(run.judgePairs.map(pair)),
    ])
  }

  private func pair(_ pair: ReportJudgePair) -> Markup {
    Markup([
      tag("h3") { "\(pair.first) and \(pair.second)" },
      tag("p") { Wording.agreement(pair) },
      RunTables(run: run).confusion(pair).markup,
      Markup(
        pair.examples.map { disagreement in
          ExampleView(
            run: run, example: disagreement.example,
            remark: " · \(pair.first): \(Wording.replyClass(disagreement.first)), "
              + "\(pair.second): \(Wording.replyClass(disagreement.second))"
          ).markup
        }),
    ])
  }
}
