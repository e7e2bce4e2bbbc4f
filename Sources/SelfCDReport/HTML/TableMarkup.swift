import SelfCDSupport

extension Table {
  /// The table as HTML; it scrolls by itself where the screen is narrow.
  var markup: Markup {
    tag("div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption]) {
      tag("table") {
        tag("caption") { caption }
        tag("thead") {
          if !groups.isEmpty {
            tag("tr") {
              for group in groups {
                tag("th", ["scope": "colgroup", "colspan": "\(group.span)", "class": "group"]) { group.title }
              }
            }
          }
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
          tag("th", ["scope": "row"]) { content(cell) }
        } else {
          let kind = index < columns.count && columns[index].isNumber ? "n" : "l"
          tag("td", ["class": cell.heat.map { "\(kind) \($0.style)" } ?? kind]) { content(cell) }
        }
      }
    }
  }

  private func content(_ cell: Cell) -> Markup {
    let text = UntrustedText.singleLine(cell.text)
    return Markup([
      cell.isCode ? tag("code") { text } : .text(text),
      cell.detail.map { detail in tag("small") { " \(detail)" } } ?? .empty,
    ])
  }
}
