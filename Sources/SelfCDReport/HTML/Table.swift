import SelfCDEval

/// A table that scrolls by itself where the screen is narrow.
struct Table {
  struct Column {
    let title: String
    var isNumber = true
  }

  struct Cell {
    let content: Markup

    static func text(_ text: String) -> Cell { Cell(content: .text(text)) }

    /// A figure with something smaller behind it.
    static func figure(_ text: String, _ detail: String) -> Cell {
      Cell(
        content: Markup([
          .text(text + " "), tag("small") { detail },
        ]))
    }

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

  var markup: Markup {
    tag("div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption]) {
      tag("table") {
        tag("caption") { caption }
        tag("thead") {
          tag("tr") {
            for column in columns {
              tag("th", ["scope": "col", "class": column.isNumber ? "n" : "l"]) { column.title }
            }
          }
        }
        tag("tbody") {
          for row in rows { line(row) }
        }
      }
    }
  }

  private func line(_ row: Row) -> Markup {
    tag("tr", ["class": row.isKey ? "key" : "row"]) {
      for (index, cell) in row.cells.enumerated() {
        if index == 0 {
          tag("th", ["scope": "row"]) { cell.content }
        } else {
          tag("td", ["class": index < columns.count && columns[index].isNumber ? "n" : "l"]) { cell.content }
        }
      }
    }
  }
}
