/// A grid of shares, none negative: the greater the darker, with figures where there is room.
struct FlowGrid: Chart {
  let id: String
  let title: String
  let rowNames: [String]
  /// What columns are.
  let columnTitle: String
  /// The number of the first column.
  var firstColumn = 1
  /// What a column is called when it is pointed at; its number where there is none.
  var columnNames: [String] = []
  /// Columns that have a bar below.
  var marked: Set<Int> = []
  /// Rows × columns.
  let values: [[Double]]
  /// How a figure is written.
  let figure: (Double) -> String

  private struct Layout {
    let left: Double
    let width: Double
    let height = 24.0
    let top = 30.0
  }

  var drawings: [Drawing] { drawing.map { [$0] } ?? [] }

  private var drawing: Drawing? {
    let columns = values.map(\.count).max() ?? 0
    let greatest = values.flatMap { $0 }.filter(\.isFinite).max() ?? 0
    guard columns > 0, greatest > 0 else { return nil }
    let left = min(220, max(70, (rowNames.map { LabelPlacer.width(of: Self.short($0)) }.max() ?? 0) + 16))
    let layout = Layout(left: left, width: min(64, (692 - left) / Double(columns)))
    let bottom = layout.top + Double(values.count) * layout.height
    var parts = values.indices.flatMap { row($0, layout, greatest) }
    let every =
      columns > 1 ? Int(Scale.niceStep(Double(columns) * 24 / layout.width, about: columns).rounded(.up)) : 1
    for column in 0..<columns where column == 0 || number(column) % max(1, every) == 0 {
      parts.append(
        Draw.text(
          "\(number(column))", left + (Double(column) + 0.5) * layout.width, layout.top - 8, "m",
          anchor: .middle)
      )
    }
    for column in marked.sorted() where column < columns {
      let x = left + Double(column) * layout.width
      parts.append(Draw.line(x, bottom + 5, x + layout.width, bottom + 5, "axis", width: 4))
    }
    parts.append(
      Draw.text(columnTitle, left + layout.width * Double(columns) / 2, bottom + 26, "m", anchor: .middle))
    return Drawing(
      id: id, width: 720, height: bottom + 36, title: title, description: description, marks: parts)
  }

  private func row(_ index: Int, _ layout: Layout, _ greatest: Double) -> [Mark] {
    let y = layout.top + Double(index) * layout.height
    let name = rowNames.indices.contains(index) ? rowNames[index] : ""
    var parts = [Draw.text(Self.short(name), layout.left - 8, y + 16, "t", anchor: .end)]
    for (column, value) in values[index].enumerated() where value.isFinite {
      let x = layout.left + Double(column) * layout.width
      parts.append(
        Draw.cell(
          x, y, layout.width - min(1, layout.width * 0.1), layout.height - 1, "s2",
          opacity: 0.03 + 0.57 * value / greatest, name: "\(name), \(columnName(column)): \(figure(value))"))
      if layout.width >= 40 {
        parts.append(Draw.text(figure(value), x + layout.width / 2, y + 16, "t", anchor: .middle))
      }
    }
    return parts
  }

  private func number(_ column: Int) -> Int { column + firstColumn }

  private func columnName(_ column: Int) -> String {
    columnNames.indices.contains(column) ? columnNames[column] : "\(columnTitle) \(number(column))"
  }

  private static func short(_ name: String) -> String {
    name.count > 26 ? name.prefix(25) + "…" : name
  }

  /// The greatest of each row: all of them would be no description.
  private var description: String {
    zip(rowNames, values).map { name, line in
      let column = line.indices.max { line[$0] < line[$1] } ?? 0
      return line.isEmpty
        ? "\(name): none." : "\(name): most at \(columnName(column)), \(figure(line[column]))."
    }.joined(separator: " ")
  }
}
