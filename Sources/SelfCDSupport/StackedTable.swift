/// A table as a list, for where its columns do not fit beside each other.
package enum StackedTable {
  /// The first column's heading, where it has one; then each row's first cell, and below it its other cells by their
  /// headings. Empty cells are left out.
  /// - Parameter table: The headings, then the rows.
  package static func lines(_ table: [[String]]) -> [String] {
    guard let heads = table.first else { return [] }
    var lines = Array(heads.prefix(1).filter { !$0.isEmpty })
    for row in table.dropFirst() {
      lines += row.prefix(1)
      for (head, cell) in zip(heads, row).dropFirst() where !cell.isEmpty {
        lines.append(head.isEmpty ? "  \(cell)" : "  \(head): \(cell)")
      }
    }
    return lines
  }
}
