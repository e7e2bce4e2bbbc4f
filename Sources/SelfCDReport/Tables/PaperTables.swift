import SelfCD
import SelfCDData
import SelfCDJudges
import SelfCDSupport

/// The papers' tables with a column or row of this run.
struct PaperTables {
  let run: ReportRun

  var all: [Table] { named.map(\.table) }

  /// The tables with what their files are called.
  var named: [(name: String, table: Table)] {
    let tables: [(name: String, table: Table?)] = [
      ("published-self-cd", selfCD), ("published-reruns", reruns), ("published-ada-cd", adaCD),
    ]
    return tables.compactMap { entry in entry.table.map { (name: entry.name, table: $0) } }
  }

  /// Harmless sets of the run; the paper's set alone if the run has it.
  private var safeSets: [String] {
    let names = run.record.sets.map(\.name).filter { name in
      run.cells.contains { $0.set == name && $0.label == .safe }
    }
    let same = names.filter { $0.lowercased().contains("xstest") }
    return same.isEmpty ? names : same
  }

  private func rate(_ condition: String, _ set: String, _ label: Sample.Label) -> RefusalRate? {
    run.cells.first { $0.condition == condition && $0.set == set && $0.label == label }?.refusal
  }

  private var selfCD: Table {
    let sets = safeSets
    var rows: [Table.Row] = PublishedResults.selfCD.map { published in
      let own = run.conditions.first {
        $0.strategy == published.strategy && $0.alpha == published.alpha
      }
      return Table.Row(
        cells: [.text(published.name), .text(NumberFormat.decimal(published.rate, 1))]
          + sets.map { set in .rate(own.flatMap { rate($0.id, set, .safe) }) },
        isKey: own != nil && own?.id == run.featured)
    }
    let known = PublishedResults.selfCD
    for condition in run.conditions
    where !known.contains(where: { $0.strategy == condition.strategy && $0.alpha == condition.alpha }) {
      rows.append(
        Table.Row(
          cells: [.text(condition.title), .text("–")] + sets.map { .rate(rate(condition.id, $0, .safe)) },
          isKey: condition.id == run.featured))
    }
    return Table(
      caption:
        "Harmless prompts refused. Paper: Shi et al., arXiv 2401.17633, LLaMA2-7B-chat on XSTest-Safe (quoted "
        + "second-hand). Beside it: \(run.record.model)",
      columns: [.init(title: "condition", isNumber: false), .init(title: "paper")]
        + sets.map { .init(title: "this run, \(UntrustedText.singleLine($0))") }, rows: rows
    )
  }

  private func change(_ before: Double?, _ after: Double?) -> String {
    guard let before, let after else { return "–" }
    return "\(NumberFormat.decimal(before, 1)) → \(NumberFormat.decimal(after, 1))"
  }

  /// What the papers call "default": the baseline, unless that contrasts itself; then the guarded model, or the plain one.
  private var usual: ReportCondition? {
    if !run.contrasts(run.baseline), let baseline = run.condition(run.baseline) { return baseline }
    return [Guarded.name, Plain.name].lazy.compactMap { name in
      run.conditions.first { $0.strategy == name && run.pooled($0.id) != nil }
    }.first
  }

  /// The usual condition's rate and that of the best condition of a strategy, in per cent.
  private func own(_ strategy: String, _ matches: String, _ label: Sample.Label) -> String {
    guard let usual, let condition = condition(strategy) else { return "–" }
    let cells = run.cells.filter { $0.label == label && $0.set.lowercased().contains(matches) }
    func rate(_ id: String) -> Double? { cells.first { $0.condition == id }.map { $0.refusal.rate * 100 } }
    return change(rate(usual.id), rate(condition.id))
  }

  /// The featured condition if it is of that strategy, else the strategy's one with the widest gap.
  private func condition(_ strategy: String) -> ReportCondition? {
    func gap(_ condition: ReportCondition) -> Double {
      let pooled = run.pooled(condition.id)
      return (pooled?.harmful?.rate ?? 0) - (pooled?.safeUnanswered?.rate ?? 0)
    }
    return run.conditions.filter { $0.strategy == strategy && run.pooled($0.id) != nil }.max {
      gap($0) < gap($1)
    }
  }

  private func pooledChange(_ strategy: String, _ label: Sample.Label) -> String {
    change(
      usual.flatMap { run.pooled($0.id)?.rate(label) }.map { $0.rate * 100 },
      condition(strategy).flatMap { run.pooled($0.id)?.rate(label) }.map { $0.rate * 100 })
  }

  private var reruns: Table? {
    guard let usual, let condition = condition(SelfContrastive.name) else { return nil }
    let published = PublishedResults.reruns.map { rerun in
      Table.Row(
        cells: [.text(rerun.model)] + rerun.pairs.map { .text(change($0.before, $0.after)) }
          + [.text("–"), .text("–")])
    }
    let ours = Table.Row(
      cells: [.text("this run: \(usual.title) → \(condition.title)")]
        + PublishedResults.rerunSets.map {
          .text(own(SelfContrastive.name, $0.matches, $0.isHarmful ? .harmful : .safe))
        }
        + [
          .text(pooledChange(SelfContrastive.name, .safe)),
          .text(pooledChange(SelfContrastive.name, .harmful)),
        ], isKey: true)
    return Table(
      caption:
        "Self-CD rerun by others: SCANS, arXiv 2408.11491, default → Self-CD. Two of four models lose harmful "
        + "refusals by 8 points or more",
      columns: [.init(title: "model", isNumber: false)]
        + PublishedResults.rerunSets.map { .init(title: "\($0.title) \($0.isHarmful ? "↑" : "↓")") }
        + [.init(title: "all harmless ↓"), .init(title: "all harmful ↑")],
      rows: published + [ours]
    )
  }

  private var adaCD: Table? {
    guard let usual, let condition = condition(AdaCD.name) else { return nil }
    let published = Table.Row(
      cells: [.text("Qwen3-8B")] + PublishedResults.adaCD.map { .text(change($0.before, $0.after)) }
        + [.text("–"), .text("–")])
    let ours = Table.Row(
      cells: [.text("this run: \(usual.title) → \(condition.title)")]
        + PublishedResults.adaCD.map { .text(own(AdaCD.name, $0.matches, .safe)) }
        + [.text(pooledChange(AdaCD.name, .safe)), .text(pooledChange(AdaCD.name, .harmful))], isKey: true)
    return Table(
      caption: "AdaCD, arXiv 2604.17132, default → AdaCD",
      columns: [.init(title: "model", isNumber: false)]
        + PublishedResults.adaCD.map { .init(title: "\($0.set) ↓") }
        + [.init(title: "all harmless ↓"), .init(title: "all harmful ↑")], rows: [published, ours]
    )
  }
}
