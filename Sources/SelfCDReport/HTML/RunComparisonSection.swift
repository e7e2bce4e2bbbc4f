/// Several runs in one table, both axes together.
struct RunComparisonSection {
  let data: ReportData

  var markup: Markup {
    tag("section", ["id": "runs"]) {
      tag("h2") { "The runs" }
      Table(
        caption: "Refused, under the safety prompt and under the condition with the widest gap",
        columns: [
          .init(title: "run", isNumber: false), .init(title: "condition", isNumber: false),
          .init(title: "harmless refused"), .init(title: "harmful refused"),
        ], rows: data.runs.flatMap(rows)
      ).markup
    }
  }

  private func rows(_ run: ReportRun) -> [Table.Row] {
    [run.baseline, run.featured].compactMap { $0 }.compactMap { run.pooled($0) }.map { pooled in
      Table.Row(
        cells: [
          .text("\(run.record.model) (\(run.record.id))"), .text(run.title(pooled.condition)),
          .rate(pooled.safe), .rate(pooled.harmful),
        ], isKey: pooled.condition == run.featured)
    }
  }
}
