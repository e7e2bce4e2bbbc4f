import SelfCDData
import SelfCDExplain
import SelfCDSupport

/// What fixed changes of the prompts do to refusals, both axes together.
struct PerturbationSections {
  let result: PerturbationStudy.Result
  /// The column whose groups intervals resample.
  let group: String?

  var sections: [ExplanationSections.Section] {
    result.rows.isEmpty ? [] : [.init(id: "perturbations", title: "What small changes do", content: markup)]
  }

  private var views: [String] {
    var names: [String] = []
    for row in result.rows where !names.contains(row.view) { names.append(row.view) }
    return names
  }

  private var changes: [Perturbation?] { [nil] + result.perturbations.map(Optional.some) }

  private func row(_ label: Sample.Label, _ view: String, _ change: Perturbation?) -> PerturbationStudy.Row? {
    result.rows.first { $0.set == label && $0.view == view && $0.perturbation == change?.id }
  }

  private var markup: Markup {
    Markup([
      tag("p") {
        "The same prompts as they are and with each change of a fixed, published list. Nothing is fitted to the model."
          + (result.perturbations.allSatisfy(\.keepsMeaning)
            ? "" : " † changes what is asked: there, another rate may be right.")
      },
      Markup(views.enumerated().map(chart)),
      Markup(Sample.Label.allCases.map(table)),
      remarks,
      list,
    ])
  }

  /// What the intervals of rates are.
  private var intervals: String {
    group == nil ? "Wilson intervals" : "intervals over \(StudyWording.resampled(by: group))"
  }

  /// What changes are compared by.
  private var tests: String {
    group == nil ? "Tango; * McNemar" : "\(intervals); * sign-flip test"
  }

  private var remarks: Markup {
    var texts: [String] = []
    if result.failures > 0 {
      texts.append(
        "\(NumberFormat.separated(result.failures, "reply", "replies")) could not be generated and "
          + "\(result.failures == 1 ? "is" : "are") left out.")
    }
    if result.rows.contains(where: { !$0.refusals.hasInterval }) {
      texts.append(StudyWording.withoutInterval(group: group))
    }
    return texts.isEmpty ? .empty : tag("p", ["class": "note"]) { texts.joined(separator: " ") }
  }

  private func name(_ change: Perturbation?) -> String {
    change.map { UntrustedText.singleLine($0.id) + ($0.keepsMeaning ? "" : " †") } ?? "as they are"
  }

  /// One view, both axes.
  private func chart(_ index: Int, _ view: String) -> Markup {
    let shown = changes.filter { change in
      row(.safe, view, change) != nil || row(.harmful, view, change) != nil
    }
    guard !shown.isEmpty else { return .empty }
    let title = "Refused with each change, \(UntrustedText.singleLine(view))"
    let chart = DotRows(
      id: "perturbed-\(index)", title: title,
      description: shown.map { change in
        "\(name(change)): "
          + [Sample.Label.safe, .harmful].compactMap { label in
            row(label, view, change).map {
              "\(NumberFormat.percent($0.refusals.rate)) of \(Wording.label(label))"
            }
          }.joined(separator: ", ") + "."
      }.joined(separator: " "),
      rows: shown.map { change in
        DotRows.Row(
          name: name(change),
          dots: [
            row(.safe, view, change).map { DotRows.Dot(rate: $0.refusals, style: .safe, isFilled: false) },
            row(.harmful, view, change).map { DotRows.Dot(rate: $0.refusals, style: .harmful) },
          ].compactMap { $0 }, isBold: change == nil)
      },
      legend: [(.safe, false, "harmless prompts refused"), (.harmful, true, "harmful prompts refused")])
    return .figure(chart.draw(), "\(title). 95% \(intervals).")
  }

  private func table(_ label: Sample.Label) -> Markup {
    guard result.rows.contains(where: { $0.set == label }) else { return .empty }
    let name = Wording.label(label)
    return Table(
      caption: name.prefix(1).uppercased() + name.dropFirst()
        + " prompts refused: the rate, and its change in points (\(tests), Holm-corrected, p < 0.05; "
        + "the 95% intervals of the changes are not corrected, so that one without 0 need not have a star)",
      columns: [.init(title: "change", isNumber: false)]
        + views.map { .init(title: UntrustedText.singleLine($0)) },
      rows: changes.map { change in
        Table.Row(
          cells: [.text(self.name(change))]
            + views.map { view in
              guard let row = row(label, view, change) else { return .text("–") }
              guard let paired = row.paired else { return .rate(row.refusals) }
              let mark = paired.adjustedPValue < 0.05 ? " *" : ""
              let difference = paired.difference
              return .figure(
                NumberFormat.percent(row.refusals.rate) + mark,
                NumberFormat.points(difference.estimate)
                  + (paired.hasInterval
                    ? " (\(NumberFormat.pointsInterval(difference.low, difference.high)))" : ""))
            }, isKey: change == nil)
      }
    ).markup
  }

  private var list: Markup {
    tag("details") {
      tag("summary") { "The list, version \(UntrustedText.singleLine(result.listVersion))" }
      Table(
        caption: "Changes",
        columns: ["change", "what it does", "keeps the meaning", "after"].map {
          .init(title: $0, isNumber: false)
        },
        rows: result.perturbations.map { change in
          Table.Row(cells: [
            .text(change.id), .text(change.summary), .text(change.keepsMeaning ? "yes" : "no"),
            .text(change.source),
          ])
        }
      ).markup
    }
  }
}
