import SelfCDSupport

/// What has to be known to judge and repeat the run.
struct RecordSection {
  let run: ReportRun

  /// The record's facts in order, as names and values.
  static func facts(_ run: ReportRun) -> [ReportRecord.Fact] {
    let record = run.record
    var facts: [ReportRecord.Fact] = [
      .init("Run", record.id), .init("Model", record.model), .init("Model SHA-256", record.modelSHA256),
      .init("Began", NumberFormat.date(record.startedAt)),
    ]
    if let end = record.finishedAt {
      facts.append(
        .init("Took", NumberFormat.duration(end.timeIntervalSince(record.startedAt))))
    } else {
      facts.append(.init("Ended", "not yet"))
    }
    facts.append(
      .init(
        "Replies", "\(NumberFormat.count(record.stored)) of \(NumberFormat.count(record.planned)) planned"))
    facts.append(.init("Judge counted", run.judge))
    return facts + record.facts
  }

  var markup: Markup {
    Markup([FactList(facts: Self.facts(run)).markup, RunTables(run: run).sets.markup])
  }
}
