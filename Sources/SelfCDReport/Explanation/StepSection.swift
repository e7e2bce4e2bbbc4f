import SelfCD
import SelfCDExplain
import SelfCDSupport

/// What each lane held ready at each step, and what came of their contrast.
struct StepSection {
  let explanation: Explanation

  /// Nil where no reply with two lanes was written down.
  var markup: Markup? {
    let contrasted = (explanation.replies ?? []).filter { reply in
      reply.steps.contains { $0.guarded != nil && $0.plain != nil }
    }
    guard !contrasted.isEmpty else { return nil }
    return Markup(contrasted.map(part))
  }

  private func part(_ trace: ReplyTrace) -> Markup {
    let title = ExplanationWording.title(of: trace.view, in: explanation)
    let parting =
      trace.partingStep.map {
        "At token \($0 + 1) the combination first takes another token than the guarded lane alone would have."
      }
      ?? "In all \(trace.steps.count) steps shown the combination takes the token that the guarded lane alone would have."
    return Markup([
      tag("p") {
        "\(title) reads the prompt twice: with the safety prompt (the guarded lane) and without it (the plain lane). These are "
          + "the likeliest tokens of each, given what had been said, and of their combination, from which the token was "
          + "chosen. \(parting)"
      },
      tag(
        "div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Candidates, \(title)"]
      ) {
        tag("table", ["class": "steps"]) {
          tag("thead") {
            tag("tr") {
              for name in ["#", "chosen", "guarded lane", "plain lane", "combined"] {
                tag("th", ["scope": "col"]) { name }
              }
            }
          }
          tag("tbody") {
            for (index, step) in trace.steps.enumerated() {
              tag("tr", ["class": index == trace.partingStep ? "part" : "row"]) {
                tag("th", ["scope": "row", "class": "n"]) { "\(index + 1)" }
                tag("td") { tag("span", ["class": "tok got"]) { Self.token(step.text) } }
                tag("td") { candidates(step.guarded, chosen: step.token) }
                tag("td") { candidates(step.plain, chosen: step.token) }
                tag("td") { candidates(step.combined, chosen: step.token) }
              }
            }
          }
        }
      },
    ])
  }

  private func candidates(_ candidates: [ReplyTrace.Candidate]?, chosen: TokenID?) -> Markup {
    guard let candidates else { return .text("–") }
    return tag("div", ["class": "cands"]) {
      for candidate in candidates {
        // What ends a reply says nothing.
        let isChosen = chosen.map { $0 == candidate.token } ?? (candidate.text == nil)
        let level = Int((min(max(candidate.probability, 0), 1) * Double(Heat.levels)).rounded())
        let tint = level > 0 ? " q\(level)" : ""
        tag("div", ["class": (isChosen ? "tok got" : "tok") + tint]) { Self.token(candidate.text) }
        tag("span", ["class": isChosen ? "got" : "other"]) {
          NumberFormat.percent(candidate.probability) + (isChosen ? " ✓" : "")
        }
      }
    }
  }

  /// A token with its spaces made visible.
  static func token(_ text: String?) -> String {
    guard let text else { return "(end)" }
    let line = UntrustedText.singleLine(text)
    guard !line.isEmpty else { return "(nothing)" }
    let shown = line.count > 18 ? line.prefix(17) + "…" : line
    return shown.replacing(" ", with: "␣")
  }
}
