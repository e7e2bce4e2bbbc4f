import SelfCDEval

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

    static func text(_ text: String) -> Cell { Cell(text: text) }

    /// A figure with its interval.
    static func figure(_ text: String, _ detail: String) -> Cell { Cell(text: text, detail: detail) }

    static func rate(_ rate: RefusalRate?) -> Cell {
      rate.map { .figure(Figures.percent($0.rate), Figures.interval($0.low, $0.high)) } ?? .text("–")
    }
  }

  struct Row {
    let cells: [Cell]
    /// Whether the row is the one to look at.
    var isKey = false
  }

  let caption: String
  /// The first column names the row.
  let columns: [Column]
  let rows: [Row]
}
