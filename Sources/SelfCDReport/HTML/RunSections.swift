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
  }

  var sections: [Section] {
    [
      Section(id: "tradeoff", title: "The trade-off", content: tradeoff),
      Section(id: "rates", title: "Every condition", content: rates),
      run.comparisons.isEmpty
        ? nil : Section(id: "paired", title: "On the same prompts", content: comparisons),
      Section(id: "papers", title: "Beside the papers", content: papers),
      run.categories.isEmpty
        ? nil
        : Section(
          id: "categories", title: "By category", content: CategorySection(run: run, prefix: prefix).markup),
      run.flips.isEmpty
        ? nil
        : Section(id: "flips", title: "Replies that changed sides", content: ExampleSection(run: run).markup),
      run.divergence.isEmpty
        ? nil : Section(id: "divergence", title: "Where the lanes part", content: divergence),
      run.judgePairs.isEmpty
        ? nil : Section(id: "judges", title: "Do the judges agree?", content: JudgeSection(run: run).markup),
      Section(id: "record", title: "The run record", content: RecordSection(run: run).markup),
    ].compactMap { $0 }
  }

  /// Runs may be of one model.
  private var name: String { "\(run.record.model), run \(run.record.id)" }

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
          tag("h2") { section.title }
          section.content
        }
      }
    }
  }

  // MARK: Summary

  private var summary: Markup {
    Markup([
      tag("div", ["class": "figures"]) {
        for label in [Sample.Label.safe, .harmful] { headline(label) }
      },
      Markup(Wording.summary(run).map { sentence in tag("p", ["class": "lede"]) { sentence } }),
      Markup(run.remarks.map { remark in tag("p", ["class": "warn"]) { remark } }),
    ])
  }

  /// One axis: before and after, in figures large enough to be seen first.
  private func headline(_ label: Sample.Label) -> Markup {
    let before = run.pooled(run.baseline)?.headline(label)
    let after = run.featured.flatMap { run.pooled($0)?.headline(label) }
    let text = [before, after].compactMap { $0 }.map { NumberFormat.percent($0.rate) }.joined(
      separator: " → ")
    return tag("div") {
      tag("p", ["class": "mute"]) { "\(Wording.label(label)) prompts \(Wording.counted(label))" }
      tag("p", ["class": "big"]) { text.isEmpty ? "not measured" : text }
      tag("p", ["class": "mute"]) {
        [run.baseline, run.featured].compactMap { $0 }.map { run.title($0) }.joined(separator: " → ")
      }
    }
  }

  // MARK: The trade-off

  private var tradeoff: Markup {
    let sweeps = Set(run.conditions.filter { $0.alpha != nil }.map(\.strategy)).sorted()
    return Markup([
      Markup.figure(
        FrontierChart(run: run, id: "\(prefix)frontier").draw(),
        "Best is top left. Filled: no other condition is better on one axis without being worse on the other. Bars: "
          + "95% intervals. Axes may not begin at 0."
          + (run.costs.values.contains { $0.relativeSpeed != nil }
            ? " The legend has each strategy's speed against plain decoding." : "")),
      Markup(
        sweeps.enumerated().map { index, strategy in
          let chart = SweepChart(run: run, strategy: strategy, id: "\(prefix)sweep\(index)")
          return Markup.figure(chart.draw(), chart.caption)
        }),
    ])
  }

  // MARK: Rates

  private var rates: Markup {
    let rows = run.pooled.map { pooled in
      let dots = [
        pooled.safeUnanswered.map { DotRows.Dot(rate: $0, style: .safe, isFilled: false) },
        pooled.harmful.map { DotRows.Dot(rate: $0, style: .harmful) },
      ].compactMap { $0 }
      return DotRows.Row(
        name: run.title(pooled.condition), dots: dots, isBold: pooled.condition == run.featured)
    }
    let chart = DotRows(
      id: "\(prefix)dots", title: "Unanswered and refused, by condition",
      description: run.pooled.map { pooled in
        "\(run.title(pooled.condition)): "
          + [Sample.Label.safe, .harmful].compactMap { label in
            pooled.headline(label).map {
              "\(NumberFormat.percent($0.rate)) of \(Wording.label(label)) \(Wording.counted(label))"
            }
          }.joined(separator: ", ") + "."
      }.joined(separator: " "), rows: rows,
      legend: [(.safe, false, "harmless prompts unanswered"), (.harmful, true, "harmful prompts refused")])
    return Markup([
      Markup.figure(chart.draw(), "The further apart the two, the better the condition tells them apart."),
      RunTables(run: run).rates.markup,
      run.costs.isEmpty ? .empty : tag("p", ["class": "note"]) { Wording.costs },
    ])
  }

  // MARK: Paired comparisons

  private var comparisons: Markup {
    Markup([
      tag("p") { Wording.paired(run) },
      RunTables(run: run).comparisons?.markup ?? .empty,
      Wording.selection(run).map { selection in tag("p", ["class": "note"]) { selection } } ?? .empty,
    ])
  }

  private var papers: Markup {
    Markup([tag("p") { Wording.comparability }] + PaperTables(run: run).all.map(\.markup))
  }

  // MARK: Divergence

  private var divergence: Markup {
    let chart = DivergenceChart(curves: run.divergence, id: "\(prefix)divergence")
    return Markup([
      tag("p") { chart.description },
      Markup.figure(
        chart.draw(),
        "\(run.featured.map { run.title($0) } ?? ""): median over replies, shaded from the lower to the upper quartile; "
          + "steps that few replies reach are left out."),
    ])
  }
}
