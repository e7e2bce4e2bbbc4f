/// Two runs, section beside section, so that the same figures of two models stand next to each other.
struct RunPair {
  private let first: RunSections
  private let second: RunSections

  /// Nil unless there are two.
  init?(_ runs: [RunSections]) {
    guard runs.count == 2 else { return nil }
    (first, second) = (runs[0], runs[1])
  }

  /// A section of both, or of the one that has it.
  private struct Row {
    let title: String
    let isFolded: Bool
    let first: RunSections.Section?
    let second: RunSections.Section?
  }

  private var rows: [Row] {
    let (left, right) = (first.sections, second.sections)
    // The order of one run, with what only the other has behind it.
    let ids = left.map(\.id) + right.map(\.id).filter { id in !left.contains { $0.id == id } }
    return ids.compactMap { id in
      let (one, other) = (left.first { $0.id == id }, right.first { $0.id == id })
      return (one ?? other).map {
        Row(title: $0.title, isFolded: $0.isFolded, first: one, second: other)
      }
    }
  }

  var contents: Markup {
    tag("ul") {
      for row in rows {
        tag("li") {
          tag(
            "a",
            [
              "href":
                "#\(row.first.map { first.prefix + $0.id } ?? row.second.map { second.prefix + $0.id } ?? "")"
            ]
          ) {
            row.title
          }
        }
      }
    }
  }

  var markup: Markup {
    Markup([
      tag("section", ["class": "pair"]) {
        half(first, nil) { first.summary }
        half(second, nil) { second.summary }
      },
      Markup(
        rows.map { row in
          tag("section") {
            RunSections.headed(row.title, isFolded: row.isFolded) {
              tag("div", ["class": "pair"]) {
                half(first, row.first?.id) { row.first?.content ?? .empty }
                half(second, row.second?.id) { row.second?.content ?? .empty }
              }
            }
          }
        }),
    ])
  }

  private func half(_ run: RunSections, _ id: String?, _ content: () -> Markup) -> Markup {
    let inside = Markup([tag("p", ["class": "run"]) { run.name }, content()])
    guard let id else { return tag("div") { inside } }
    return tag("div", ["id": run.prefix + id]) { inside }
  }
}
