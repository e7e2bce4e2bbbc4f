import SelfCD
import SelfCDSupport

/// Lays a comparison out for a terminal: columns where there is room, one below the other where there is not.
struct ComparisonView {
  let console: Console

  private static let minimumColumn = 30
  private static let gap = 3

  func render(_ comparison: Comparison) -> String {
    let question = TextLayout.wrap(
      TerminalText.sanitized(comparison.question), width: max(20, console.width - 2))
    var lines = question.map { console.styled($0, .bold) } + [""]
    lines += replies(comparison)
    lines.append("")
    lines += parting(comparison)
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: Replies

  private func replies(_ comparison: Comparison) -> [String] {
    let count = comparison.replies.count
    let column = (console.width - (count - 1) * Self.gap) / count
    if column < Self.minimumColumn { return stacked(comparison) }
    let cells = comparison.replies.map { entry in
      [heading(entry, width: column), TextLayout.pad(String(repeating: "─", count: column), to: column)]
        + TextLayout.wrap(text(of: entry), width: column).map { TextLayout.pad($0, to: column) }
    }
    let height = cells.map(\.count).max() ?? 0
    let blank = String(repeating: " ", count: column)
    return (0..<height).map { row in
      cells.map { row < $0.count ? $0[row] : blank }
        .joined(separator: String(repeating: " ", count: Self.gap)).trimmingTrailingSpaces()
    }
  }

  private func stacked(_ comparison: Comparison) -> [String] {
    Array(
      comparison.replies.map { entry in
        [heading(entry, width: 0)]
          + TextLayout.wrap(text(of: entry), width: max(10, console.width - 2)).map { "  " + $0 }
      }.joined(separator: [""]))
  }

  private func heading(_ entry: Comparison.Entry, width: Int) -> String {
    let style: Console.Style =
      entry.strategy.isContrastive ? .green : entry.strategy is Guarded ? .red : .cyan
    let title = StrategyTitle.of(entry.strategy)
    return console.styled(title, style)
      + String(repeating: " ", count: max(0, width - TextLayout.columns(title)))
  }

  private func text(of entry: Comparison.Entry) -> String {
    let text = TerminalText.sanitized(entry.reply.text).trimmingTrailingSpaces()
    let shown = text.isEmpty ? "(no text)" : text
    return entry.reply.stopReason == .length ? shown + " …" : shown
  }

  // MARK: The parting

  private func parting(_ comparison: Comparison) -> [String] {
    guard let step = comparison.partingStep else {
      return [console.styled("The contrasted reply equals the guarded one.", .dim)]
    }
    guard let trace = comparison.partingTrace else {
      return [
        console.styled("The contrasted reply ends at token \(step + 1), where the guarded one goes on.", .dim)
      ]
    }
    let after =
      step == 0
      ? "at the first token"
      : "at token \(step + 1), after “\(TextLayout.tail(TerminalText.singleLine(comparison.sharedText), 24))”"
    return [console.styled("They part \(after):", .bold), ""] + bars(trace, comparison)
  }

  private func bars(_ trace: StepTrace, _ comparison: Comparison) -> [String] {
    var groups: [(String, [Candidate], Console.Style)] = []
    if let guarded = trace.lanes[.guarded] { groups.append(("guarded", guarded, .red)) }
    if let plain = trace.lanes[.plain] { groups.append(("plain", plain, .cyan)) }
    groups.append(("combined", trace.combined, .green))

    let labels = groups.flatMap { $0.1 }.map { label($0, comparison) }
    let labelWidth = min(labels.map(TextLayout.columns).max() ?? 0, max(8, console.width / 3))
    let barWidth = max(6, min(40, console.width - labelWidth - 11))
    var lines: [String] = []
    for (title, candidates, style) in groups {
      lines.append(console.styled(title, style))
      for candidate in candidates {
        let name = TextLayout.pad(
          TextLayout.truncate(label(candidate, comparison), to: labelWidth), to: labelWidth)
        let bar = TextLayout.bar(Double(candidate.probability), width: barWidth)
        lines.append(
          "  \(name)  \(NumberFormat.probability(candidate.probability)) \(console.styled(bar, style))")
      }
    }
    return lines.map { $0.trimmingTrailingSpaces() }
  }

  private func label(_ candidate: Candidate, _ comparison: Comparison) -> String {
    "“" + TerminalText.singleLine(comparison.text(of: candidate.token)) + "”"
  }
}

extension String {
  func trimmingTrailingSpaces() -> String {
    String(self[..<(lastIndex { !$0.isWhitespace }.map(index(after:)) ?? startIndex)])
  }
}
