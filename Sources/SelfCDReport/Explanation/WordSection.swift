import SelfCD
import SelfCDExplain
import SelfCDSupport

/// Words and what they do: the prompt tinted for each view, a chart for each method, every figure in a table.
struct WordSection {
  let explanation: Explanation

  /// Methods that were computed, in their own order.
  private var methods: [AttributionMethod] {
    AttributionMethod.allCases.filter { method in
      explanation.attributions.contains { $0.method == method }
    }
  }

  /// The methods of the page beyond the first have charts and columns; the tinted prompts show the first.
  var markup: Markup {
    guard let main = methods.first else { return .empty }
    return Markup([
      tag("p") { ExplanationWording.effects },
      tinted(main),
      Markup(methods.map(chart)),
      table,
    ])
  }

  private func rows(_ method: AttributionMethod) -> [WordAttribution] {
    explanation.views.compactMap { explanation.attribution(method, in: $0.name) }
      .filter { $0.effects.count == explanation.words.count }
  }

  private func greatest(_ method: AttributionMethod) -> Double {
    rows(method).flatMap(\.effects).map(abs).filter(\.isFinite).max() ?? 0
  }

  // MARK: The prompt, tinted

  private func tinted(_ method: AttributionMethod) -> Markup {
    let greatest = greatest(method)
    return tag("div", ["class": "views"]) {
      for row in rows(method) {
        tag("div", ["class": "view"]) {
          tag("h4") {
            ExplanationWording.title(of: row.view, in: explanation)
            tag("span") { score(of: row.view) }
          }
          tag("p", ["class": "words", "dir": "auto"]) {
            prompt { index in word(index, row.effects[index], greatest) }
          }
        }
      }
    }
  }

  private func score(of view: String) -> String {
    explanation.views.first { $0.name == view }.map {
      "\(ExplanationProse.percent($0.probability)) of \(ExplanationProse(explanation).shareOf) refuse, score "
        + "\(ExplanationWording.nats($0.score))"
    } ?? ""
  }

  private func word(_ index: Int, _ effect: Double, _ greatest: Double) -> Markup {
    let word = explanation.words[index]
    let heat = Heat(effect, of: greatest)
    let style = "w \(heat.style)\(word.isFocus ? " f" : "")"
    let figure = "\(ExplanationWording.nats(effect)) nats"
    guard heat.level != 0 else {
      return tag("span", ["class": style, "data-e": figure]) { word.text }
    }
    let span = tag("span", ["class": style, "data-e": figure, "tabindex": "0"]) { word.text }
    // A word with a figure below is not broken over lines, so very long ones have none.
    guard abs(heat.level) > 1, word.text.count <= 24 else { return span }
    return tag("ruby") {
      span
      tag("rt") { ExplanationWording.nats(effect, 1) }
    }
  }

  /// The prompt with each word as `render` makes it, and what stands between them as it is.
  private func prompt(_ render: (Int) -> Markup) -> Markup {
    let bytes = Array(explanation.question.utf8)
    func text(_ from: Int, _ to: Int) -> Markup {
      guard from < to, bytes.indices.contains(from), to <= bytes.count else { return .empty }
      return .text(String(decoding: bytes[from..<to], as: UTF8.self))
    }
    var parts: [Markup] = []
    var position = 0
    for (index, word) in explanation.words.enumerated() {
      parts += [text(position, word.start), render(index)]
      position = word.end
    }
    return Markup(parts + [text(position, bytes.count)])
  }

  // MARK: Charts and figures

  private func chart(_ method: AttributionMethod) -> Markup {
    let chart = EffectChart(
      id: "effects-\(method.rawValue)", title: "Effect of each word, \(ExplanationWording.method(method))",
      words: labels,
      series: rows(method).map {
        EffectChart.Series(
          name: ExplanationWording.title(of: $0.view, in: explanation), style: SeriesStyle(view: $0.view),
          effects: $0.effects, standardErrors: $0.standardErrors)
      })
    return .figure(chart.draw(), "\(ExplanationWording.methodLong(method)) \(chart.caption)")
  }

  private var labels: [String] { ExplanationWording.labels(of: explanation.words) }

  /// More rows than this are folded away.
  private static let openRows = 40

  private var table: Markup {
    let table = Table(
      caption: "What each word does to the score, in nats; + towards a refusal"
        + (explanation.words.contains(where: \.isFocus) ? "; ◆ focus words" : ""),
      groups: [.init(title: "", span: 1)]
        + methods.map { .init(title: ExplanationWording.method($0), span: rows($0).count) }
        + (added.isEmpty ? [] : [.init(title: "added by the safety prompt", span: added.count)]),
      columns: [.init(title: "word", isNumber: false)]
        + methods.flatMap { rows($0).map { .init(title: UntrustedText.singleLine($0.view)) } }
        + added.map { .init(title: ExplanationWording.method($0.method)) },
      rows: explanation.words.indices.map(line))
    var attributes = "open"
    if explanation.words.count > Self.openRows { attributes = "" }
    let summary = tag("summary") {
      "Every figure: \(NumberFormat.separated(explanation.words.count, "word"))"
    }
    let content = Markup([summary, table.markup])
    return attributes.isEmpty ? tag("details") { content } : tag("details", ["open": "open"]) { content }
  }

  /// Guarded less plain effects, by method.
  private var added: [(method: AttributionMethod, effects: [Double])] {
    methods.compactMap { method in
      guard let guarded = explanation.attribution(method, in: Guarded.name),
        let plain = explanation.attribution(method, in: Plain.name),
        guarded.effects.count == explanation.words.count, plain.effects.count == guarded.effects.count
      else { return nil }
      return (method, zip(guarded.effects, plain.effects).map { $0 - $1 })
    }
  }

  private func line(_ index: Int) -> Table.Row {
    var cells: [Table.Cell] = [.text(labels[index])]
    for method in methods {
      let greatest = greatest(method)
      for row in rows(method) {
        cells.append(
          Table.Cell(
            text: ExplanationWording.nats(row.effects[index]),
            detail: row.standardErrors.map { "± \(NumberFormat.decimal($0[index], 2))" },
            heat: Heat(row.effects[index], of: greatest)))
      }
    }
    for difference in added {
      cells.append(
        Table.Cell(
          text: ExplanationWording.nats(difference.effects[index]),
          heat: Heat(difference.effects[index], of: greatest(difference.method))))
    }
    return Table.Row(cells: cells, isKey: explanation.words[index].isFocus)
  }
}

extension SeriesStyle {
  /// The look of a view: the guarded one has the colour of refusals, the plain one that of answers.
  init(view: String) {
    self.init(view == Guarded.name ? 1 : view == Plain.name ? 0 : 2)
  }
}
