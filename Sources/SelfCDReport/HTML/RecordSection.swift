/// What has to be known to judge and repeat the run.
struct RecordSection {
  let record: ReportRecord
  let run: ReportRun

  /// The record's facts in order, as names and values.
  static func facts(_ run: ReportRun) -> [ReportRecord.Fact] {
    let record = run.record
    var facts: [ReportRecord.Fact] = [
      .init("Run", record.id), .init("Model", record.model), .init("Model SHA-256", record.modelSHA256),
      .init("Began", Figures.date(record.startedAt)),
    ]
    if let end = record.finishedAt {
      facts.append(
        .init("Took", Figures.duration(end.timeIntervalSince(record.startedAt))))
    } else {
      facts.append(.init("Ended", "not yet"))
    }
    facts.append(
      .init("Replies", "\(Figures.count(record.stored)) of \(Figures.count(record.planned)) planned"))
    facts.append(.init("Judge counted", run.judge))
    return facts + record.facts
  }

  var markup: Markup {
    Markup([
      tag("dl") {
        for fact in Self.facts(run) {
          tag("dt") { fact.name }
          tag("dd") {
            if fact.value.hasPrefix("{") || fact.name.hasSuffix("SHA-256") {
              tag("code") { fact.value }
            } else {
              fact.value
            }
          }
        }
      },
      Table(
        caption: "Sets of prompts",
        columns: [
          .init(title: "set", isNumber: false), .init(title: "version", isNumber: false),
          .init(title: "format", isNumber: false), .init(title: "harmless"), .init(title: "harmful"),
          .init(title: "neutral"), .init(title: "no label"), .init(title: "skipped"),
          .init(title: "SHA-256", isNumber: false),
        ],
        rows: record.sets.map { set in
          Table.Row(
            cells: [
              .text(UntrustedText.singleLine(set.name)), .text(set.version ?? "–"), .text(set.format),
            ]
              + [set.safe, set.harmful, set.neutral, set.unlabelled, set.skipped].map {
                .text(Figures.count($0))
              }
              + [Table.Cell(content: tag("code") { String(set.sha256.prefix(16)) })])
        }
      ).markup,
    ])
  }
}
