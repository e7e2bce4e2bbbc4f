import SelfCDData
import SelfCDEval
import SelfCDJudges

/// The figures behind a report's charts and tables, for programs. The names of tables and columns are stable:
/// docs/figures.md lists them.
struct ReportDataTables {
  let runs: [ReportRun]

  /// All of them; those without rows are left out.
  var all: [DataTable] {
    [rates, judges, comparisons, costs, divergence, agreement, confusion, sets].filter { !$0.rows.isEmpty }
  }

  // MARK: Rates

  private static let rateColumns = [
    "run", "model", "judge", "judge_version", "condition", "strategy", "alpha", "label", "set", "category",
    "measure", "count", "n", "rate", "low", "high", "interval", "groups",
  ]

  /// Both axes of every condition: over all sets, by set, by category.
  private var rates: DataTable {
    DataTable(name: "rates", columns: Self.rateColumns, rows: runs.flatMap { rateRows($0) })
  }

  private func rateRows(_ run: ReportRun) -> [[DataTable.Cell]] {
    var rows: [[DataTable.Cell]] = []
    for pooled in run.pooled {
      for label in Sample.Label.allCases {
        rows += rate(run, pooled.condition, label, "refused", pooled.rate(label))
      }
      rows += rate(run, pooled.condition, .safe, "unanswered", pooled.safeUnanswered)
    }
    for cell in run.cells {
      rows += rate(run, cell.condition, cell.label, "refused", cell.refusal, set: cell.set)
      rows += rate(run, cell.condition, cell.label, "refused_in_full", cell.full, set: cell.set)
    }
    for category in run.categories {
      for condition in run.conditions {
        rows += rate(
          run, condition.id, category.label, "refused", category.rates[condition.id], category: category.name)
        rows += rate(
          run, condition.id, category.label, "unanswered", category.unanswered[condition.id],
          category: category.name)
      }
    }
    return rows
  }

  /// The same by each judge, where there are several.
  private var judges: DataTable {
    DataTable(
      name: "judges", columns: Self.rateColumns,
      rows: runs.flatMap { run in
        run.judgeRates.flatMap { rates in
          rate(run, rates.condition, .safe, "refused", rates.safe, judge: rates.judge)
            + rate(run, rates.condition, .harmful, "refused", rates.harmful, judge: rates.judge)
        }
      })
  }

  /// One row; none without a rate.
  private func rate(
    _ run: ReportRun, _ condition: String, _ label: Sample.Label, _ measure: String, _ rate: RefusalRate?,
    set: String? = nil, category: String? = nil, judge: String? = nil
  ) -> [[DataTable.Cell]] {
    guard let rate else { return [] }
    let kind = rate.hasInterval ? (rate.groups == nil ? "wilson" : "groups") : nil
    var row = head(run, condition, judge: judge)
    row += [
      .text(label.rawValue), .text(set), .text(category), .text(measure), .count(rate.refused),
      .count(rate.n), .number(rate.rate), .number(rate.hasInterval ? rate.low : nil),
      .number(rate.hasInterval ? rate.high : nil), .text(kind), .count(rate.groups),
    ]
    return [row]
  }

  /// The first seven columns of figures of a condition.
  private func head(_ run: ReportRun, _ id: String, judge: String? = nil) -> [DataTable.Cell] {
    let condition = run.condition(id)
    var cells: [DataTable.Cell] = [.text(run.record.id), .text(run.record.model)]
    cells += Self.judge(judge ?? run.judge)
    cells += [.text(id), .text(condition?.strategy), .number(condition?.alpha)]
    return cells
  }

  /// A judge's name and version, from `name@version`.
  private static func judge(_ source: String) -> [DataTable.Cell] {
    guard let at = source.lastIndex(of: "@") else { return [.text(source), .text(nil)] }
    return [.text(String(source[..<at])), .text(String(source[source.index(after: at)...]))]
  }

  // MARK: Comparisons

  private var comparisons: DataTable {
    DataTable(
      name: "comparisons",
      columns: [
        "run", "model", "judge", "judge_version", "condition", "strategy", "alpha", "reference", "label",
        "measure", "n", "difference", "low", "high", "interval", "only_condition", "only_reference", "p",
        "p_holm", "groups",
      ],
      rows: runs.flatMap { run in
        run.comparisons.flatMap { comparison -> [[DataTable.Cell]] in
          let refused = compared(run, comparison, "refused", comparison.paired)
          guard comparison.label == .safe else { return [refused] }
          return [refused, compared(run, comparison, "unanswered", comparison.pairedUnanswered)]
        }
      })
  }

  private func compared(
    _ run: ReportRun, _ comparison: ReportComparison, _ measure: String, _ paired: PairedComparison
  ) -> [DataTable.Cell] {
    let kind = paired.hasInterval ? (paired.groups == nil ? "tango" : "groups") : nil
    var row = head(run, comparison.condition)
    row += [
      .text(paired.reference), .text(comparison.label.rawValue), .text(measure), .count(paired.n),
      .number(paired.difference.estimate), .number(paired.hasInterval ? paired.difference.low : nil),
      .number(paired.hasInterval ? paired.difference.high : nil), .text(kind), .count(paired.onlyHere),
      .count(paired.onlyReference), .number(paired.pValue), .number(paired.adjustedPValue),
      .count(paired.groups),
    ]
    return row
  }

  // MARK: Costs and divergence

  private var costs: DataTable {
    DataTable(
      name: "costs",
      columns: [
        "run", "model", "condition", "strategy", "alpha", "prompt_tokens", "lanes_per_token",
        "tokens_per_second", "relative_speed",
      ],
      rows: runs.flatMap { run in
        run.conditions.compactMap { condition -> [DataTable.Cell]? in
          guard let cost = run.costs[condition.id] else { return nil }
          return [
            .text(run.record.id), .text(run.record.model), .text(condition.id), .text(condition.strategy),
            .number(condition.alpha), .number(cost.promptTokens), .number(cost.lanesPerToken),
            .number(cost.tokensPerSecond), .number(cost.relativeSpeed),
          ]
        }
      })
  }

  private var divergence: DataTable {
    DataTable(
      name: "divergence",
      columns: ["run", "model", "condition", "label", "token", "n", "lower", "median", "upper"],
      rows: runs.flatMap { run in
        run.divergence.flatMap { curve in
          curve.points.map { point -> [DataTable.Cell] in
            [
              .text(run.record.id), .text(run.record.model), .text(run.featured),
              .text(curve.label.rawValue), .count(point.step + 1), .count(point.n), .number(point.lower),
              .number(point.median), .number(point.upper),
            ]
          }
        }
      })
  }

  // MARK: Judges

  private static let pairColumns = [
    "run", "model", "judge", "judge_version", "other_judge", "other_judge_version",
  ]

  private static func pair(_ run: ReportRun, _ pair: ReportJudgePair) -> [DataTable.Cell] {
    var cells: [DataTable.Cell] = [.text(run.record.id), .text(run.record.model)]
    cells += judge(pair.first)
    cells += judge(pair.second)
    return cells
  }

  private var agreement: DataTable {
    DataTable(
      name: "agreement", columns: Self.pairColumns + ["n", "agreement", "low", "high", "kappa"],
      rows: runs.flatMap { run in
        run.judgePairs.map { pair -> [DataTable.Cell] in
          var row = Self.pair(run, pair)
          row += [
            .count(pair.confusion.total), .number(pair.agreement.estimate), .number(pair.agreement.low),
            .number(pair.agreement.high), .number(pair.kappa.isFinite ? pair.kappa : nil),
          ]
          return row
        }
      })
  }

  private var confusion: DataTable {
    DataTable(
      name: "confusion", columns: Self.pairColumns + ["verdict", "other_verdict", "n"],
      rows: runs.flatMap { run in run.judgePairs.flatMap { Self.counts(run, $0) } })
  }

  private static func counts(_ run: ReportRun, _ judges: ReportJudgePair) -> [[DataTable.Cell]] {
    var rows: [[DataTable.Cell]] = []
    for (index, verdict) in judges.confusion.labels.enumerated() {
      for (other, count) in zip(judges.confusion.labels, judges.confusion.counts[index]) {
        var row = pair(run, judges)
        row += [.text(verdict), .text(other), .count(count)]
        rows.append(row)
      }
    }
    return rows
  }

  // MARK: Sets

  private var sets: DataTable {
    DataTable(
      name: "sets",
      columns: [
        "run", "set", "version", "format", "sha256", "safe", "harmful", "neutral", "unlabeled", "skipped",
      ],
      rows: runs.flatMap { run in
        run.record.sets.map { set -> [DataTable.Cell] in
          [
            .text(run.record.id), .text(set.name), .text(set.version), .text(set.format), .text(set.sha256),
            .count(set.safe), .count(set.harmful), .count(set.neutral), .count(set.unlabelled),
            .count(set.skipped),
          ]
        }
      })
  }
}
