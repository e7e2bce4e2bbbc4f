import SelfCD
import SelfCDExplain
import SelfCDSupport

/// An explanation for a terminal: one line a word, with signed bars that need no colour.
struct ExplanationView {
  let console: Console

  func render(_ explanation: Explanation) -> String {
    let question = TextLayout.wrap(
      TerminalText.sanitized(explanation.question), width: max(20, console.width - 2))
    let prose = ExplanationProse(explanation, for: .terminal)
    var blocks = [
      question.map { console.styled($0, .bold) }, views(explanation, prose),
      prose.summary.flatMap { wrapped($0) },
    ]
    for method in methods(explanation) { blocks.append(attribution(method, explanation)) }
    if !explanation.flows.isEmpty {
      blocks.append(FlowView(console: console).render(explanation.flows, words: explanation.words))
    }
    blocks += [trigger(explanation, prose), edit(explanation)].filter { !$0.isEmpty }
    for uncertainty in explanation.uncertainties { blocks.append(self.uncertainty(uncertainty)) }
    if !explanation.uncertainties.isEmpty {
      blocks.append(wrapped(Self.uncertaintyLegend).map { console.styled($0, .dim) })
    }
    let notes = [
      "Score: the log-odds of a refusal in nats; at 0 as many drawn replies refuse as answer, and +0.69 doubles the odds. "
        + "Words: by how much each raises (+) or lowers (-) the score.",
      prose.source,
    ]
    blocks.append(notes.flatMap { wrapped($0) }.map { console.styled($0, .dim) })
    return blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  private func wrapped(_ text: String) -> [String] {
    TextLayout.prose(TerminalText.singleLine(text), width: console.width)
  }

  private func methods(_ explanation: Explanation) -> [AttributionMethod] {
    AttributionMethod.allCases.filter { method in
      explanation.attributions.contains { $0.method == method }
    }
  }

  // MARK: Scores

  private func views(_ explanation: Explanation, _ prose: ExplanationProse) -> [String] {
    let heads = ["", "greedy reply", "drawn replies that refuse", "score"]
    let rows = explanation.views.map { view in
      [
        TerminalText.singleLine(view.title), prose.outcome(of: view).rawValue,
        ExplanationProse.percent(view.probability, for: .terminal),
        Self.signed(view.score),
      ]
    }
    let widths = heads.indices.map { column in
      ([heads] + rows).map { TextLayout.columns($0[column]) }.max() ?? 0
    }
    let room = console.width - widths.reduce(0, +) - 8
    let lines = ([heads] + rows).enumerated().map { index, cells in
      var line = zip(cells, widths).map { TextLayout.pad($0, to: $1) }.joined(separator: "  ")
      if index > 0, room >= 6 {
        line += "  " + TextLayout.bar(explanation.views[index - 1].probability, width: min(20, room))
      }
      return line.trimmingTrailingSpaces()
    }
    // Where that is too wide, a line for each figure.
    guard widths.reduce(6, +) > console.width else { return lines }
    return rows.flatMap { row in
      [row[0]] + zip(heads, row).dropFirst().map { "  \($0): \($1)" }
    }
  }

  // MARK: Words

  private static let minimumBar = 5

  private func attribution(_ method: AttributionMethod, _ explanation: Explanation) -> [String] {
    let rows = explanation.views.compactMap { explanation.attribution(method, in: $0.name) }
    let greatest = rows.flatMap(\.effects).map(abs).max() ?? 0
    let words = explanation.words.map { TerminalText.singleLine($0.text) + ($0.isFocus ? "*" : "") }
    let wordWidth = min(max(4, words.map(TextLayout.columns).max() ?? 4), max(8, console.width / 4))
    let cell = max(7, (console.width - wordWidth) / max(1, rows.count) - 2)
    let bar = cell - 8
    let title = Self.title(of: method)
    var lines = wrapped(title).map { console.styled($0, .bold) }
    lines.append(
      TextLayout.pad("", to: wordWidth)
        + rows.map { "  " + TextLayout.pad(TextLayout.truncate($0.view, to: cell), to: cell) }.joined()
        .trimmingTrailingSpaces())
    for (index, word) in words.enumerated() {
      var line = TextLayout.pad(TextLayout.truncate(word, to: wordWidth), to: wordWidth)
      for row in rows {
        let effect = row.effects[index]
        let number = TextLayout.padLeft(Self.signed(effect), to: 7)
        guard bar >= Self.minimumBar else {
          line += "  " + TextLayout.pad(number, to: cell)
          continue
        }
        let length = greatest > 0 ? Int((abs(effect) / greatest * Double(bar)).rounded()) : 0
        let signs = String(repeating: effect < 0 ? "-" : "+", count: length)
        line +=
          "  " + number + " " + console.styled(signs, effect < 0 ? .green : .red)
          + String(repeating: " ", count: max(0, cell - 8 - length))
      }
      lines.append(line.trimmingTrailingSpaces())
    }
    if rows.count > 1, rows.contains(where: { $0.standardErrors != nil }) {
      let widest = rows.compactMap { $0.standardErrors?.max() }.max() ?? 0
      lines.append(console.styled("standard errors up to \(NumberFormat.decimal(widest, 2))", .dim))
    }
    return lines
  }

  private static func title(of method: AttributionMethod) -> String {
    switch method {
    case .leaveOneOut: "what each word does to the score: the prompt with it, less the prompt without it"
    case .replacement:
      "what each word does to the score: the prompt with it, less a neutral word in its place"
    case .shapley: "what each word does to the score, over orders of words (Shapley values)"
    }
  }

  // MARK: Triggers

  private func trigger(_ explanation: Explanation, _ prose: ExplanationProse) -> [String] {
    guard let trigger = explanation.trigger, let sentence = prose.trigger else { return [] }
    return [console.styled("how little of it is still refused", .bold)] + wrapped(sentence)
      + wrapped(
        "Found with \(NumberFormat.counted(trigger.prompts, "prompt")) in "
          + "\(NumberFormat.counted(trigger.calls, "call")) of the model; refused: \(trigger.criterion.meaning); "
          + "score \(Self.signed(trigger.score)).")
  }

  private func edit(_ explanation: Explanation) -> [String] {
    guard let edit = explanation.edit else { return [] }
    let title = console.styled("smallest edit that is answered (\(edit.view))", .bold)
    guard let text = edit.text, let kind = edit.kind else {
      let prompts = NumberFormat.counted(edit.prompts, "prompt")
      return [title, "  none found in \(prompts); lowest score \(Self.signed(edit.score))"]
    }
    let words = edit.words.map { TerminalText.singleLine(explanation.words[$0].text) }.joined(separator: ", ")
    return [
      title, "  “\(TerminalText.singleLine(text))”  score \(Self.signed(edit.score))",
      "  \(kind.rawValue) of \(words); \(NumberFormat.counted(edit.prompts, "prompt")) tried",
    ]
  }

  // MARK: Uncertainty

  private static let uncertaintyLegend =
    "How sure: for each token of the greedy reply, the entropy of the distribution that it was chosen from and the margin "
    + "of the best token over the second, in nats; refusal: the probability, 0 to 1, that the reply is a refusal, given "
    + "the tokens before; divergence of the guarded and the plain lane (Jensen-Shannon), in nats. –: there is no such "
    + "figure: only one token is possible, the reply has left the known beginnings, or there is one lane. Semantic "
    + "entropy of the drawn replies' classes, in nats; 0: all do the same."

  private func uncertainty(_ view: RefusalUncertainty) -> [String] {
    var lines = [console.styled("how sure: \(view.view)", .bold)]
    lines.append(
      "  “" + TextLayout.truncate(TerminalText.singleLine(view.reply), to: max(20, console.width - 6)) + "”")
    var table = [["  token", "entropy", "margin", "refusal", "divergence"]]
    for step in view.steps {
      table.append([
        "  “\(TerminalText.singleLine(step.text))”", NumberFormat.decimal(step.entropy, 2),
        step.margin.map { NumberFormat.decimal($0, 2) } ?? "–",
        step.refusal.map { NumberFormat.decimal($0, 3) } ?? "–",
        step.divergence.map { NumberFormat.decimal($0, 3) } ?? "–",
      ])
    }
    lines += EvaluationTable.table(table, console: console).split(separator: "\n").map(String.init)
    if let samples = view.samples {
      let rate = samples.refusals
      lines.append(
        "  \(rate.refused) of \(NumberFormat.counted(samples.n, "drawn reply", "drawn replies")) "
          + "\(rate.refused == 1 ? "refuses" : "refuse") (\(EvaluationTable.percent(rate.low)) to "
          + "\(EvaluationTable.percent(rate.high)) %), semantic entropy \(NumberFormat.decimal(samples.semanticEntropy, 2))"
      )
    }
    return lines
  }

  /// With its sign, two decimals, and a plain zero.
  static func signed(_ value: Double) -> String {
    let text = NumberFormat.decimal(abs(value), 2)
    return text == "0.00" ? "0.00" : (value < 0 ? "-" : "+") + text
  }
}

extension TextLayout {
  static func padLeft(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - columns(text))) + text
  }
}
