/// A table as a list, for where its columns do not fit beside each other.
package enum StackedTable {
  /// Each row's first cell, behind the first column's heading where it has one, and below it its other cells by their
  /// headings. Empty cells are left out.
  /// - Parameter table: The headings, then the rows.
  package static func lines(_ table: [[String]]) -> [String] {
    guard let heads = table.first else { return [] }
    let title = heads.first.flatMap { $0.isEmpty ? nil : "\($0): " } ?? ""
    var lines: [String] = []
    for row in table.dropFirst() {
      lines += row.prefix(1).map { title + $0 }
      for (head, cell) in zip(heads, row).dropFirst() where !cell.isEmpty {
        lines.append(head.isEmpty ? "  \(cell)" : "  \(head): \(cell)")
      }
    }
    return lines
  }
}
