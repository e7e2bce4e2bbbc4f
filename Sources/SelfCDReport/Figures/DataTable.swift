import SelfCDData

/// A table for programs: one figure a row, columns whose names are stable, numbers in full.
struct DataTable {
  enum Cell {
    case text(String?)
    case count(Int?)
    case number(Double?)
  }

  /// What the file is called.
  let name: String
  let columns: [String]
  let rows: [[Cell]]

  /// The table as CSV. Texts that a spreadsheet would execute get an apostrophe; numbers stay numbers.
  var csv: String {
    let header = CSVWriter().row(columns)
    return header
      + rows.map { row in row.map(Self.written).joined(separator: ",") + CSVWriter().lineEnd }.joined()
  }

  private static func written(_ cell: Cell) -> String {
    switch cell {
    case .text(let text): text.map { $0.isEmpty ? "" : CSVWriter(lineEnd: "").row([$0]) } ?? ""
    case .count(let count): count.map { "\($0)" } ?? ""
    case .number(let number): number.map { "\($0)" } ?? ""
    }
  }
}
