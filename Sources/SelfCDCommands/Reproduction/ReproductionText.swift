import SelfCDData
import SelfCDReport

/// A model's table for a terminal; the two axes below each other where they do not fit beside each other.
enum ReproductionText {
  static func of(_ table: ReproductionTable, console: Console) -> String {
    let heading = TerminalText.singleLine(
      "\(table.model): refused in %, [95 % Wilson interval], judge \(table.judge)")
    var text = console.styled(console.wrapped(heading), .bold) + "\n\n"
    let fits = TextTable(lines: table.lines(of: [.safe, .harmful]), console: console).width <= console.width
    for labels in fits ? [[Sample.Label.safe, .harmful]] : [[.safe], [.harmful]] {
      let lines = table.lines(of: labels).map { $0.map(TerminalText.singleLine) }
      text += EvaluationTable.table(lines, console: console) + "\n"
    }
    return text + table.remarks.map { console.wrapped(TerminalText.singleLine($0)) + "\n" }.joined()
  }
}
