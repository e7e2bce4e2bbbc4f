/// A cell of a sheet as spreadsheet programs leave it: what they change by themselves makes no difference.
///
/// White space counts as one space, whatever it is and however much, since line ends become others and cells are trimmed.
/// Control characters may be gone, and so may the apostrophe before what a program would take for a formula. Numbers may
/// be written another way, and a cell may be cut at the length that programs hold.
struct AuditCellText: Hashable {
  private let text: String

  init(_ cell: String) {
    var scalars = cell.unicodeScalars[...]
    // As `CSVWriter` neutralises formulas.
    if scalars.first == "'", let next = scalars.dropFirst().first, Self.beginsFormula(next) {
      scalars = scalars.dropFirst()
    }
    let words = String(scalars).split(whereSeparator: \.isWhitespace).map { word in
      var kept = String.UnicodeScalarView()
      for scalar in word.unicodeScalars where !Self.isInvisible(scalar) { kept.append(scalar) }
      return String(kept)
    }
    text = words.filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// Whether a cell that was read is this one, as it was written.
  func isKept(in read: AuditCellText) -> Bool {
    if text == read.text { return true }
    if let own = Double(text), let other = Double(read.text), own == other { return true }
    return read.text.utf16.count >= Self.leastCut && text.hasPrefix(read.text)
  }

  /// Excel holds 32,767 UTF-16 units in a cell. White space that was put together here makes them fewer.
  private static let leastCut = 16_000

  private static func beginsFormula(_ scalar: Unicode.Scalar) -> Bool {
    ["=", "+", "-", "@"].contains(scalar) || scalar.properties.isWhitespace
  }

  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format: true
    default: false
    }
  }
}
