import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDSupport

/// The tables of a run, the same in every format.
struct RunTables {
  let run: ReportRun

  private func isKey(_ condition: String) -> Bool { condition == run.featured }

  /// Rates per condition and set.
  var rates: Table {
    var groups: [(set: String, label: Sample.Label)] = []
    for cell in run.cells where !groups.contains(where: { $0.set == cell.set && $0.label == cell.label }) {
      groups.append((cell.set, cell.label))
    }
    func cells(_ group: (set: String, label: Sample.Label)) -> [EvaluationSummary.DatasetRow] {
      run.cells.filter { $0.set == group.set && $0.label == group.label }
    }
    let columns = groups.map { group in
      Table.Column(
        title: "\(group.set), \(Wording.label(group.label)) "
          + "(n \(NumberFormat.count(cells(group).map(\.refusal.n).max() ?? 0)))")
    }
    let hasCost = !run.costs.isEmpty
    let rows = run.pooled.map { pooled in
      let rates = groups.map { group in
        Table.Cell.rate(cells(group).first { $0.condition == pooled.condition }?.refusal)
      }
      let share = Double(pooled.degenerate) / Double(max(1, pooled.judged))
      return Table.Row(
        cells: [.text(run.title(pooled.condition))] + rates
          + [.figure("\(pooled.degenerate)", NumberFormat.percent(share))]
          + (hasCost ? [Wording.cost(run.costs[pooled.condition])] : []), isKey: isKey(pooled.condition))
    }
    return Table(
      caption: "Refused in per cent, with 95% intervals, by \(run.judge)",
      columns: [.init(title: "condition", isNumber: false)] + columns + [.init(title: "no reply")]
        + (hasCost ? [.init(title: "speed (lanes)")] : []), rows: rows
    )
  }

  /// Each condition against the baseline; nil where nothing was compared.
  var comparisons: Table? {
    guard !run.comparisons.isEmpty else { return nil }
    func cells(_ comparison: ReportComparison?) -> [Table.Cell] {
      guard let comparison else { return [.text("–"), .text("–")] }
      let paired = comparison.headline
      return [
        .figure(NumberFormat.points(paired.difference.estimate), Wording.difference(comparison)),
        .text(NumberFormat.pValue(paired.adjustedPValue)),
      ]
    }
    let rows = run.conditions.filter { $0.id != run.baseline && run.pooled($0.id) != nil }.map { condition in
      Table.Row(
        cells: [.text(condition.title)] + cells(run.comparison(condition.id, .safe))
          + cells(run.comparison(condition.id, .harmful)), isKey: isKey(condition.id))
    }
    return Table(
      caption:
        "Against \(run.title(run.baseline)) on the same prompts, with 95% intervals that are not adjusted",
      columns: [
        .init(title: "condition", isNumber: false), .init(title: "harmless unanswered, points"),
        .init(title: "p, Holm-adjusted"), .init(title: "harmful refused, points"),
        .init(title: "p, Holm-adjusted"),
      ], rows: rows)
  }

  /// Baseline, plain and featured condition by category; nil for a label without categories.
  func categories(_ label: Sample.Label) -> Table? {
    let categories = run.categories.filter { $0.label == label }
    guard !categories.isEmpty else { return nil }
    let shown = [run.baseline, run.plain, run.featured].compactMap { $0 }
    return Table(
      caption: Wording.byCategory(label),
      columns: [.init(title: "category", isNumber: false), .init(title: "n")]
        + shown.map { .init(title: run.title($0)) },
      rows: categories.map { category in
        Table.Row(
          cells: [
            .text(category.name), .text(NumberFormat.count(category.headline.values.map(\.n).max() ?? 0)),
          ]
            + shown.map { .rate(category.headline[$0]) })
      })
  }

  /// Pooled rates by each judge; nil for a single one.
  var judges: Table? {
    guard !run.judgeRates.isEmpty else { return nil }
    var judges: [String] = []
    for rate in run.judgeRates where !judges.contains(rate.judge) { judges.append(rate.judge) }
    let rows = run.pooled.map { pooled in
      let cells = judges.flatMap { judge -> [Table.Cell] in
        let rate = run.judgeRates.first { $0.judge == judge && $0.condition == pooled.condition }
        return [.rate(rate?.safe), .rate(rate?.harmful)]
      }
      return Table.Row(cells: [.text(run.title(pooled.condition))] + cells, isKey: isKey(pooled.condition))
    }
    return Table(
      caption: "Refused, by each judge",
      columns: [.init(title: "condition", isNumber: false)]
        + judges.flatMap { [.init(title: "harmless, \($0)"), .init(title: "harmful, \($0)")] }, rows: rows)
  }

  /// Who said what; classes that neither used are left out.
  func confusion(_ pair: ReportJudgePair) -> Table {
    let matrix = pair.confusion
    let used = matrix.labels.indices.filter { index in
      matrix.counts[index].contains { $0 > 0 } || matrix.counts.contains { $0[index] > 0 }
    }
    func name(_ index: Int) -> String { Wording.replyClass(ReplyClass(rawValue: matrix.labels[index])) }
    return Table(
      caption: "Rows: \(pair.first). Columns: \(pair.second)",
      columns: [.init(title: "replies", isNumber: false)] + used.map { .init(title: name($0)) },
      rows: used.map { row in
        Table.Row(cells: [.text(name(row))] + used.map { .text(NumberFormat.count(matrix.counts[row][$0])) })
      })
  }

  /// The sets of prompts.
  var sets: Table {
    Table(
      caption: "Sets of prompts",
      columns: [
        .init(title: "set", isNumber: false), .init(title: "version", isNumber: false),
        .init(title: "format", isNumber: false), .init(title: "harmless"), .init(title: "harmful"),
        .init(title: "neutral"), .init(title: "no label"), .init(title: "skipped"),
        .init(title: "SHA-256", isNumber: false),
      ],
      rows: run.record.sets.map { set in
        let counts = [set.safe, set.harmful, set.neutral, set.unlabelled, set.skipped]
        return Table.Row(
          cells: [.text(set.name), .text(set.version ?? "–"), .text(set.format)]
            + counts.map { .text(NumberFormat.count($0)) }
            + [Table.Cell(text: String(set.sha256.prefix(16)), isCode: true)])
      })
  }

  /// Several runs in one table, both axes together.
  static func overview(_ runs: [ReportRun]) -> Table {
    Table(
      caption: "Under the reference, and under the condition with the widest gap of the others",
      columns: [
        .init(title: "run", isNumber: false), .init(title: "condition", isNumber: false),
        .init(title: "harmless unanswered"), .init(title: "harmful refused"),
      ],
      rows: runs.flatMap { run in
        [run.baseline, run.featured].compactMap { $0 }.compactMap { run.pooled($0) }.map { pooled in
          Table.Row(
            cells: [
              .text("\(run.record.model) (\(run.record.id))"), .text(run.title(pooled.condition)),
              .rate(pooled.safeUnanswered), .rate(pooled.harmful),
            ], isKey: pooled.condition == run.featured)
        }
      })
  }
}
