import SelfCDData
import SelfCDSupport

/// The report as Markdown for a repository, an issue or a model card.
public enum MarkdownReport {
  /// Renders a document; the same data gives the same bytes.
  public static func render(_ data: ReportData) -> String {
    var blocks = [
      "# \(MarkdownText.inline(data.title))",
      MarkdownText.inline(data.subject)
        + " · \(NumberFormat.date(data.createdAt))",
    ]
    if data.showsHarmful { blocks.append("**\(Wording.showsHarmful)**") }
    if data.runs.count > 1 { blocks += ["## The runs", RunTables.overview(data.runs).markdown] }
    for run in data.runs {
      if data.runs.count > 1 {
        blocks.append("## \(MarkdownText.inline(run.record.model + ", " + run.record.id))")
      }
      blocks += MarkdownRun(run: run, heading: data.runs.count > 1 ? "###" : "##").blocks
    }
    blocks += data.intervals.map(MarkdownText.inline) + [Wording.counting]
    return blocks.joined(separator: "\n\n") + "\n"
  }
}

/// One run as blocks of Markdown.
private struct MarkdownRun {
  let run: ReportRun
  let heading: String

  var blocks: [String] {
    let tables = RunTables(run: run)
    var blocks = ([Wording.measured(run), Wording.advice(run)] + Wording.summary(run)).map(
      MarkdownText.inline)
    blocks += run.remarks.map { "**\(MarkdownText.inline($0))**" }
    blocks += ["\(heading) Every condition", tables.rates.markdown]
    if !run.costs.isEmpty { blocks.append(Wording.costs) }
    if let comparisons = tables.comparisons {
      blocks += [
        "\(heading) On the same prompts", MarkdownText.inline(Wording.paired(run)), comparisons.markdown,
      ]
      if let selection = Wording.selection(run) { blocks.append(MarkdownText.inline(selection)) }
    }
    blocks += ["\(heading) Beside the papers", Wording.comparability]
    blocks += PaperTables(run: run).all.map(\.markdown)
    let categories = [Sample.Label.safe, .harmful].compactMap { tables.categories($0)?.markdown }
    if !categories.isEmpty { blocks += ["\(heading) By category"] + categories + [Wording.categories] }
    if !run.flips.isEmpty {
      blocks += ["\(heading) Replies that changed sides", MarkdownText.inline(Wording.flipsBetween(run))]
      blocks += run.flips.flatMap(flips)
    }
    if !run.divergence.isEmpty {
      blocks += [
        "\(heading) Where the lanes part", DivergenceChart(curves: run.divergence, id: "").description,
      ]
    }
    if let judges = tables.judges {
      blocks += [
        "\(heading) Do the judges agree?", MarkdownText.inline(Wording.judges(run)), judges.markdown,
      ]
      for pair in run.judgePairs {
        blocks += [
          "\(heading)# \(MarkdownText.inline("\(pair.first) and \(pair.second)"))", Wording.agreement(pair),
          tables.confusion(pair).markdown,
        ]
      }
    }
    blocks += ["\(heading) The run record", record, tables.sets.markdown]
    return blocks
  }

  private func flips(_ flips: ReportFlips) -> [String] {
    ["\(heading)# \(Wording.flips(flips.kind)): \(NumberFormat.count(flips.total))"]
      + flips.examples.flatMap(example)
  }

  private func example(_ example: ReportExample) -> [String] {
    let head = "**\(MarkdownText.inline(example.prompt))** (\(MarkdownText.inline(Wording.source(example))))"
    if let verdicts = Wording.withheldVerdicts(run, example) { return [head, MarkdownText.inline(verdicts)] }
    return [head]
      + example.replies.flatMap { reply in
        [
          "\(MarkdownText.inline(run.title(reply.condition))), \(Wording.replyClass(reply.replyClass)):",
          MarkdownText.quotation(reply.text.map { $0 + (reply.isCut ? "…" : "") } ?? Wording.withheld),
        ]
      }
  }

  private var record: String {
    RecordSection.facts(run).map { "- \(MarkdownText.inline($0.name)): \(MarkdownText.inline($0.value))" }
      .joined(separator: "\n")
  }
}

extension Table {
  /// The table in GitHub's notation, its caption above it.
  var markdown: String {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
    let head = line(columns.map { MarkdownText.inline($0.title) })
    let rule = line(columns.map { $0.isNumber ? "--:" : ":--" })
    let body = rows.map { row in
      line(
        row.cells.enumerated().map { index, cell in
          let text = MarkdownText.inline(cell.text)
          let marked = row.isKey && index == 0 ? "**\(text)**" : text
          return cell.detail.map { "\(marked) (\(MarkdownText.inline($0)))" } ?? marked
        })
    }
    return ([MarkdownText.inline(caption) + ":", ""] + [head, rule] + body).joined(separator: "\n")
  }
}
