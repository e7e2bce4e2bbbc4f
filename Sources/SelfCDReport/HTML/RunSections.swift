import SelfCDData
import SelfCDSupport

/// What the page shows of one run, section by section.
struct RunSections {
  let run: ReportRun
  /// Keeps the identifiers of several runs apart.
  let prefix: String
  /// Whether it is the page's only run: then its name is in the title already.
  let isAlone: Bool

  struct Section {
    let id: String
    let title: String
    let content: Markup
    /// Whether it is closed until a reader opens it: what few need.
    var isFolded = false
  }

  var sections: [Section] {
    [
      Section(id: "tradeoff", title: "The trade-off", content: tradeoff),
      Section(id: "rates", title: "Every condition", content: rates),
      run.comparisons.isEmpty
        ? nil : Section(id: "paired", title: "On the same prompts", content: comparisons),
      Section(id: "papers", title: "Beside the papers", content: papers, isFolded: true),
      run.categories.isEmpty
        ? nil
        : Section(
          id: "categories", title: "By category", content: CategorySection(run: run, prefix: prefix).markup),
      run.flips.isEmpty
        ? nil
        : Section(
          id: "flips", title: "Replies that changed sides",
          content: ExampleSection(run: run, isAlone: isAlone).markup),
      run.divergence.isEmpty
        ? nil
        : Section(id: "divergence", title: "Where the lanes part", content: divergence, isFolded: true),
      run.judgePairs.isEmpty
        ? nil
        : Section(
          id: "judges", title: "Do the judges agree?", content: JudgeSection(run: run).markup, isFolded: true),
      Section(
        id: "record", title: "The run record", content: RecordSection(run: run).markup, isFolded: true),
    ].compactMap { $0 }
  }

  /// Runs may be of one model.
  var name: String { "\(run.record.model), run \(run.record.id)" }

  var contents: Markup {
    tag("ul") {
      if !isAlone { tag("li") { tag("b") { name } } }
      for section in sections {
        tag("li") { tag("a", ["href": "#\(prefix)\(section.id)"]) { section.title } }
      }
    }
  }

  var markup: Markup {
    tag("article", ["aria-label": isAlone ? run.record.model : name]) {
      if !isAlone { tag("h2") { name } }
      summary
      for section in sections {
        tag("section", ["id": prefix + section.id]) {
          Self.headed(section.title, isFolded: section.isFolded) { section.content }
        }
      }
    }
  }

  /// A section's heading with what stands below it, folded where few need it.
  static func headed(_ title: String, isFolded: Bool, _ content: () -> Markup) -> Markup {
    guard isFolded else { return Markup([tag("h2") { title }, content()]) }
    return tag("details", ["class": "fold"]) {
      tag("summary") { tag("h2") { title } }
      content()
    }
  }

  // MARK: Summary

  var summary: Markup {
    Markup([
      tag("p", ["class": "lede"]) { Wording.measured(run) },
      tag("p", ["class": "lede"]) { tag("strong") { Wording.advice(run) } },
      tag("div", ["class": "figures"]) {
        for label in [Sample.Label.safe, .harmful] { headline(label) }
      },
      tag("p", ["class": "note"]) { Wording.counting },
      Markup(Wording.summary(run).map { sentence in tag("p") { sentence } }),
      Wording.selection(run).map { selection in tag("p", ["class": "note"]) { selection } } ?? .empty,
      Markup(run.remarks.map { remark in tag("p", ["class": "warn"]) { remark } }),
    ])
  }

  /// One axis in figures large enough to be seen first: the reference, and what it is compared with. Of several
  /// conditions none is picked by these prompts, so their range stands there.
  private func headline(_ label: Sample.Label) -> Markup {
    let candidates = run.candidates
    let before = run.pooled(run.baseline)?.headline(label).map { NumberFormat.percent($0.rate) }
    let after = Wording.range(candidates.compactMap { run.pooled($0.id)?.headline(label)?.rate })
    let kind = candidates.allSatisfy { $0.alpha != nil } ? "contrasting condition" : "other condition"
    let others =
      candidates.count > 1 ? NumberFormat.counted(candidates.count, kind) : candidates.first.map(\.title)
    let text = [before, after].compactMap { $0 }.joined(separator: " → ")
    let outcome =
      candidates.count == 1
      ? candidates.first.flatMap { run.comparison($0.id, label) }.map(Wording.outcome) : nil
    return tag("div") {
      tag("p", ["class": "mute"]) { "\(Wording.label(label)) prompts \(Wording.counted(label))" }
      tag("p", ["class": "big"]) { text.isEmpty ? "not measured" : text }
      tag("p", ["class": "mute"]) {
        [run.title(run.baseline), others].compactMap { $0 }.joined(separator: " → ")
      }
      if let outcome {
        tag("p", ["class": outcome.isGain.map { $0 ? "good" : "bad" } ?? "mute"]) { outcome.text }
      }
    }
  }

  // MARK: The trade-off

  private var tradeoff: Markup {
    Markup(([charts.frontier] + charts.sweeps).map { Markup.figure($0) })
  }

  private var charts: RunCharts { RunCharts(run: run, prefix: prefix) }

  // MARK: Rates

  private var rates: Markup {
    Markup([
      tag("p", ["class": "note"]) { Wording.conditions(run) },
      Markup.figure(charts.rates),
      RunTables(run: run).rates.markup,
      run.costs.isEmpty ? .empty : tag("p", ["class": "note"]) { Wording.costs },
    ])
  }

  // MARK: Paired comparisons

  private var comparisons: Markup {
    Markup([
      tag("p") { Wording.paired(run) },
      RunTables(run: run).comparisons?.markup ?? .empty,
    ])
  }

  private var papers: Markup {
    Markup([tag("p") { Wording.comparability }] + PaperTables(run: run).all.map(\.markup))
  }

  // MARK: Divergence

  private var divergence: Markup {
    Markup([
      tag("p") { Wording.lanes },
      tag("p") { charts.divergence.description },
      Markup.figure(charts.divergence),
    ])
  }
}
