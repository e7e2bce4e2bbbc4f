import SelfCDJudges
import SelfCDSupport

/// A table as a value; each format of the report writes it its own way.
struct Table {
  struct Column {
    let title: String
    var isNumber = true
  }

  struct Cell {
    let text: String
    /// Something smaller behind it.
    var detail: String?
    /// Whether it is a hash or the like.
    var isCode = false
    /// How strongly the cell is tinted, and to which side.
    var heat: Heat?

    static func text(_ text: String) -> Cell { Cell(text: text) }

    /// A figure with its interval.
    static func figure(_ text: String, _ detail: String) -> Cell { Cell(text: text, detail: detail) }

    static func rate(_ rate: RefusalRate?) -> Cell {
      rate.map { .figure(NumberFormat.percent($0.rate), $0.intervalText) }
        ?? .text("–")
    }
  }

  struct Row {
    let cells: [Cell]
    /// Whether the row is the one to look at.
    var isKey = false
  }

  /// Columns that belong together, named above them.
  struct Group {
    let title: String
    let span: Int
  }

  let caption: String
  /// Over all columns in order; empty for none.
  var groups: [Group] = []
  /// The first column names the row.
  let columns: [Column]
  let rows: [Row]
}
