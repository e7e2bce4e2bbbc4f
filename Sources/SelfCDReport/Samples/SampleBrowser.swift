import Foundation
import SelfCDSupport

/// The section in which a reader searches and filters every prompt of the page's runs.
///
/// Its data are text of the page, escaped like any other; the script moves text and never makes markup of it.
struct SampleBrowser {
  /// The runs whose samples the page has.
  let runs: [ReportRun]
  /// Whether the page has one run only.
  let isAlone: Bool

  /// The section's identifier, which links into it begin with.
  static let id = "replies"
  static let title = "The replies"

  /// From this size on, the data are packed: a few hundred replies are as well there as they are.
  static let packedSize = 1 << 18

  /// Nil where no run has samples.
  init?(_ data: ReportData) {
    let runs = data.runs.filter { $0.samples != nil }
    guard !runs.isEmpty else { return nil }
    self.runs = runs
    isAlone = data.runs.count == 1
  }

  var markup: Markup {
    let table = SampleTable(runs, isAlone: isAlone)
    return tag("section", ["id": Self.id]) {
      tag("h2") { Self.title }
      tag("p") { Wording.samples(table) }
      tag("noscript") { tag("p", ["class": "warn"]) { Wording.samplesNeedScript } }
      tag("p", ["class": "warn", "id": "browse-failed", "hidden": "hidden"]) { Wording.samplesCannotBeRead }
      tag("div", ["id": "browse-root", "hidden": "hidden"]) {
        filters
        tag("p", ["id": "browse-status", "class": "status", "role": "status"])
        tag("div", ["class": "panes"]) {
          tag(
            "div",
            [
              "id": "browse-list", "class": "list", "role": "listbox", "tabindex": "0",
              "aria-label": "Prompts",
            ]
          ) {
            tag("div", ["id": "browse-space", "class": "space", "role": "presentation"])
          }
          tag(
            "div",
            [
              "id": "browse-detail", "class": "detail", "role": "region", "tabindex": "0",
              "aria-label": "The chosen prompt and its replies",
            ])
        }
        keys
        tag("div", ["id": "browse-print", "class": "printed"])
      }
      embedded(table.json)
    }
  }

  private var filters: Markup {
    tag("div", ["class": "filters", "role": "search", "aria-label": "Filter the replies"]) {
      tag("label", ["class": "search"]) {
        "Search prompts and replies"
        tag("input", ["type": "search", "id": "browse-q", "autocomplete": "off", "spellcheck": "false"])
      }
      select("before", "From condition")
      select("after", "to condition")
      select(
        "change", "Change",
        [
          ("", "any or none"), ("any", "changed sides"), ("refused-answered", "refused → answered"),
          ("answered-refused", "answered → refused"), ("no-reply", "became no reply"),
          ("same", "stayed on its side"),
        ])
      select("label", "Prompts")
      select("set", "Set")
      select("category", "Category")
      select(
        "verdict", "Verdict",
        [
          ("", "any"), ("refusal", "refused, in full or in part"), ("unanswered", "unanswered"),
          ("1", Wording.replyClass(.fullCompliance)), ("2", Wording.replyClass(.fullRefusal)),
          ("3", Wording.replyClass(.partialRefusal)), ("4", Wording.replyClass(.degenerate)),
          ("?", Wording.replyClass(nil)),
        ])
      select("under", "Verdict under")
      tag("button", ["type": "button", "id": "browse-reset"]) { "Clear filters" }
    }
  }

  /// A choice with its name; the script fills in what depends on the data.
  private func select(_ field: String, _ name: String, _ options: [(value: String, text: String)] = [])
    -> Markup
  {
    tag("label") {
      name
      tag("select", ["id": "browse-\(field)"]) {
        for option in options { tag("option", ["value": option.value]) { option.text } }
      }
    }
  }

  private var keys: Markup {
    tag("p", ["class": "note keys"]) {
      "Keys: "
      tag("kbd") { "/" }
      " searches, "
      tag("kbd") { "Esc" }
      " clears the search and goes back to the list, "
      tag("kbd") { "↑" }
      " and "
      tag("kbd") { "↓" }
      " move, "
      tag("kbd") { "Enter" }
      " goes to the replies. The page’s address names the filters and the prompt. “Quotation marks” search "
        + "for words in a row."
    }
  }

  private func embedded(_ json: String) -> Markup {
    if json.utf8.count > Self.packedSize, let packed = Deflater.pack(Array(json.utf8)) {
      return tag("div", ["id": "browse-data", "data-packed": "deflate", "hidden": "hidden"]) {
        Data(packed).base64EncodedString()
      }
    }
    return tag("div", ["id": "browse-data", "hidden": "hidden"]) { json }
  }

  /// The address, in this page, of the replies that changed sides in one way.
  static func link(to kind: ReportFlips.Kind, _ run: ReportRun, isAlone: Bool) -> String {
    let fields = [
      ("before", SampleTable.name(run.baseline, of: run, isAlone: isAlone)),
      ("after", SampleTable.name(run.featured ?? run.baseline, of: run, isAlone: isAlone)),
      ("change", kind.wasRefused ? "refused-answered" : "answered-refused"),
      ("label", Wording.label(kind.label)),
    ]
    let query = fields.map { name, value in
      "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
    }
    return "#\(id)?\(query.joined(separator: "&"))"
  }
}
