import SelfCDSupport

/// A table for a terminal, the first line bold.
///
/// Columns are as wide as they need. Where that is more than the terminal has, headings and the first column break at
/// spaces; where that is still too wide, each row becomes a list. In a pipe tables keep their columns.
struct TextTable {
  /// The headings, then the rows.
  let lines: [[String]]
  let console: Console

  private static let gap = 2
  /// The narrowest first column that is worth its line breaks.
  private static let leastFirst = 12

  var text: String {
    guard let limit = console.limit, width > limit else { return laidOut(naturalWidths) }
    if let fitting = widths(within: limit) { return laidOut(fitting) }
    return StackedTable.lines(lines).map { line -> String in
      let isTitle = !line.hasPrefix(" ")
      let broken = Self.keepingCounts(line) { TextLayout.wrap($0, width: limit, indent: 4) }
      return broken.map { (isTitle ? console.styled($0, .bold) : $0) + "\n" }.joined()
    }.joined()
  }

  /// Breaks a text so that "n 250" stays on one line.
  private static func keepingCounts(_ text: String, _ wrap: (String) -> [String]) -> [String] {
    wrap(text.replacing(", n ", with: ", n\u{A0}")).map { $0.replacing("\u{A0}", with: " ") }
  }

  /// The columns that it takes unbroken.
  var width: Int { Self.total(naturalWidths) }

  private static func total(_ widths: [Int]) -> Int {
    widths.reduce(0, +) + gap * max(0, widths.count - 1)
  }

  private var naturalWidths: [Int] {
    (0..<(lines.map(\.count).max() ?? 0)).map { column in
      cells(column).map(TextLayout.columns).max() ?? 0
    }
  }

  private func cells(_ column: Int) -> [String] {
    lines.compactMap { $0.count > column ? $0[column] : nil }
  }

  /// Widths with which the table fits: figures stay whole. Nil where there are none.
  private func widths(within limit: Int) -> [Int]? {
    let natural = naturalWidths
    var widths = natural.indices.map { column -> Int in
      let cells = cells(column)
      guard column > 0 else { return max(Self.longestWord(cells), min(natural[0], Self.leastFirst)) }
      return max(Self.longestWord(cells.prefix(1)), cells.dropFirst().map(TextLayout.columns).max() ?? 0)
    }
    var room = limit - Self.total(widths)
    guard room >= 0 else { return nil }
    for column in widths.indices {
      let more = min(room, natural[column] - widths[column])
      widths[column] += more
      room -= more
    }
    return widths
  }

  private static func longestWord(_ cells: some Sequence<String>) -> Int {
    cells.flatMap { $0.replacing(", n ", with: ", n\u{A0}").split(separator: " ") }.map {
      TextLayout.columns(String($0))
    }.max() ?? 0
  }

  private func laidOut(_ widths: [Int]) -> String {
    lines.enumerated().map { index, cells -> String in
      let blocks = zip(cells, widths).map { cell, width in
        Self.keepingCounts(cell) { TextLayout.wrap($0, width: max(1, width)) }
      }
      let height = blocks.map(\.count).max() ?? 0
      return (0..<height).map { row -> String in
        let parts = zip(blocks, widths).map { block, width in
          TextLayout.pad(row < block.count ? block[row] : "", to: width + Self.gap)
        }
        let line = parts.joined().trimmingTrailingSpaces()
        return (index == 0 ? console.styled(line, .bold) : line) + "\n"
      }.joined()
    }.joined()
  }
}
