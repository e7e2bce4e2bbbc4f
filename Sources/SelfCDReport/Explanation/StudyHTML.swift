import SelfCDData
import SelfCDExplain
import SelfCDStatistics
import SelfCDSupport

/// What an explanation of many prompts found, as one self-contained HTML page.
public enum StudyHTML {
  /// Renders a page; the same data gives the same bytes.
  public static func render(_ page: StudyPage) -> String {
    let sections = StudySections(page: page)
    return HTMLPage(
      title: "\(title(page)) \(ExplanationWording.modelName(page.model))",
      sheets: [Stylesheet.css, ExplanationStylesheet.css],
      header: tag("header") {
        tag("h1") { title(page) }
        tag("p", ["class": "mute"]) {
          UntrustedText.singleLine(ExplanationWording.modelName(page.model))
          " · "
          NumberFormat.date(page.createdAt)
        }
        tag("nav", ["aria-label": "Contents"]) {
          tag("ul") {
            for section in sections.sections {
              tag("li") { tag("a", ["href": "#\(section.id)"]) { section.title } }
            }
          }
        }
      },
      main: sections.markup,
      footer: tag("footer") {
        tag("p") { StudyWording.limits(group: page.group) }
        tag("p") { "Self-CD: arXiv 2401.17633. Made by selfcd." }
      }
    ).html
  }

  private static func title(_ page: StudyPage) -> String {
    page.attribution == nil ? "What small changes do" : "Which words does it refuse for?"
  }
}

/// The page's sections; what was not measured has none.
struct StudySections {
  let page: StudyPage

  var sections: [ExplanationSections.Section] {
    var sections: [ExplanationSections.Section] = []
    if let result = page.attribution {
      sections += AttributionSections(result: result, group: page.group).sections
    }
    if let result = page.perturbations {
      sections += PerturbationSections(result: result, group: page.group).sections
    }
    return sections + [.init(id: "record", title: "The record", content: record)]
  }

  var markup: Markup {
    Markup([
      Markup(summary.map { sentence in tag("p", ["class": "lede"]) { sentence } }),
      Markup(
        sections.map { section in
          tag("section", ["id": section.id]) {
            tag("h2") { section.title }
            section.content
          }
        }),
    ])
  }

  private var summary: [String] {
    (page.attribution.map(StudyWording.summary) ?? []) + (page.perturbations.map(StudyWording.summary) ?? [])
  }

  private var record: Markup {
    Markup([
      FactList(facts: page.facts).markup,
      Table(
        caption: "Sets of prompts",
        columns: [
          .init(title: "set", isNumber: false), .init(title: "prompts"),
          .init(title: "SHA-256", isNumber: false),
        ],
        rows: page.sets.map { set in
          Table.Row(cells: [
            .text(set.name), .text(NumberFormat.count(set.prompts)),
            Table.Cell(text: set.sha256, isCode: true),
          ])
        }
      ).markup,
    ])
  }
}

/// The words of pages about many prompts.
enum StudyWording {
  /// - Parameter group: The column whose groups intervals resample.
  static func limits(group: String?) -> String {
    "Shares: the part of the sum of absolute effects that falls on the words a set names as its focus; 95% bootstrap "
      + "intervals over \(resampled(by: group))\(group == nil ? ", Wilson intervals for shares of prompts" : ""). "
      + "Attributions are of this model on these prompts. "
      + "A trigger is the smallest part that is still refused; no prompt that is answered was sought."
  }

  /// What is resampled, for a sentence.
  static func resampled(by group: String?) -> String {
    group.map { "groups of “\(UntrustedText.singleLine($0))”" } ?? "prompts"
  }

  /// Why a figure has no interval.
  static func withoutInterval(group: String?) -> String {
    group == nil
      ? "A figure of one prompt has no interval: it says nothing about others."
      : "A figure of the prompts of one group has no interval: it says nothing about others."
  }

  static func summary(_ result: AttributionStudy.Result) -> [String] {
    guard !result.groups.isEmpty else {
      return [
        "No prompt has focus words beside others, so there is nothing to compare. Files name them in a column “focus”."
      ]
    }
    return result.contrasts.filter { $0.method == result.contrasts.first?.method }.map { contrast in
      "On the \(NumberFormat.count(contrast.n)) \(Wording.label(contrast.set)) prompts that \(contrast.refusedUnder) refuses and "
        + "\(contrast.answeredUnder) answers, focus words carry \(NumberFormat.percent(contrast.refusedShare)) of the attribution "
        + "under \(contrast.refusedUnder) and \(NumberFormat.percent(contrast.answeredShare)) under "
        + "\(contrast.answeredUnder) (\(difference(contrast.share)) points); equal effects of all words would give "
        + "\(NumberFormat.percent(contrast.uniform))."
    }
      + result.recalls.filter { $0.set == .harmful }.compactMap { recall in
        recall.signalAware.map {
          "Of the harmful prompts that are refused and name an object, \(share($0)) are still refused for task and object "
            + "together when shrunk to the smallest part; \(share(recall.taskAlone)) of all come down to focus words alone."
        }
      }
  }

  static func summary(_ result: PerturbationStudy.Result) -> [String] {
    guard !result.rows.isEmpty else { return ["There are no judged replies, so nothing can be compared."] }
    var views: [String] = []
    for row in result.rows where !views.contains(row.view) { views.append(row.view) }
    return views.compactMap { view in
      let parts = [Sample.Label.safe, .harmful].compactMap { label -> String? in
        let rows = result.rows.filter { row in
          row.view == view && row.set == label && row.paired != nil
            && result.perturbations.first { $0.id == row.perturbation }?.keepsMeaning == true
        }
        guard let most = rows.max(by: { magnitude($0) < magnitude($1) }), let paired = most.paired else {
          return nil
        }
        return
          "\(Wording.label(label)) prompts at most \(NumberFormat.points(paired.difference.estimate)) points "
          + "(\(UntrustedText.singleLine(most.perturbation ?? "")))"
      }
      return parts.isEmpty
        ? nil
        : "Under \(UntrustedText.singleLine(view)), changes that keep the meaning move refusals of \(parts.joined(separator: " and of "))."
    }
  }

  private static func magnitude(_ row: PerturbationStudy.Row) -> Double {
    abs(row.paired?.difference.estimate ?? 0)
  }

  static func share(_ value: BootstrapMean) -> String {
    NumberFormat.percent(value.estimate)
      + (value.interval.map { " (\(NumberFormat.interval($0.low, $0.high)))" } ?? "")
  }

  static func difference(_ value: BootstrapMean) -> String {
    NumberFormat.points(value.estimate)
      + (value.interval.map { " (\(NumberFormat.pointsInterval($0.low, $0.high)))" } ?? "")
  }

  static func outcome(_ refused: Bool?) -> String { refused.map { $0 ? "refused" : "answered" } ?? "all" }
}
