import SelfCDExplain
import SelfCDSupport

/// How a prompt shrinks while it is still refused.
struct TriggerSection {
  let explanation: Explanation
  let trigger: MinimalTrigger

  private var view: String { ExplanationWording.title(of: trigger.view, in: explanation) }

  var markup: Markup {
    Markup([
      tag("p") {
        "Words are taken out for as long as the prompt is still refused, which here means that "
          + "\(trigger.criterion.meaning) (\(view)). Of what is left at the end, no further word can go. "
          + "What is left need not be a sentence that anyone would write."
      },
      steps,
      ExplanationProse(explanation).trigger.map { sentence in tag("p") { UntrustedText.singleLine(sentence) }
      } ?? .empty,
      tag("p", ["class": "note"]) {
        "The words that are left have a score of \(ExplanationWording.nats(trigger.score)). The search (delta debugging, "
          + "arXiv 2011.14934) asked the model about \(NumberFormat.separated(trigger.prompts, "prompt")) in "
          + "\(NumberFormat.separated(trigger.calls, "call")). It only ever keeps refusals: it does not look for a wording that is "
          + "answered."
      },
    ])
  }

  private var steps: Markup {
    let all = Array(explanation.words.indices)
    var sets = [all] + trigger.steps
    if sets.last != trigger.kept { sets.append(trigger.kept) }
    return tag("ol", ["class": "shrink"]) {
      for (index, kept) in sets.enumerated() {
        tag("li") {
          tag("span") { "\(NumberFormat.count(kept.count)) word\(kept.count == 1 ? "" : "s")" }
          tag("span", ["dir": "auto"]) { line(kept, from: index == 0 ? all : sets[index - 1]) }
        }
      }
    }
  }

  /// Those that went in this step are struck through, those that went before are left out.
  private func line(_ kept: [Int], from before: [Int]) -> Markup {
    if kept.isEmpty && before.isEmpty { return .text("(nothing)") }
    let kept = Set(kept)
    let shown = before.filter(explanation.words.indices.contains)
    return Markup(
      shown.enumerated().map { position, index in
        let text = explanation.words[index].text
        return Markup([
          .text(position == 0 ? "" : " "),
          kept.contains(index) ? .text(text) : tag("span", ["class": "gone"]) { text },
        ])
      })
  }
}

/// The fewest words that have to change for a prompt labelled safe to be answered.
struct EditSection {
  let explanation: Explanation
  let edit: SmallestEdit

  var markup: Markup {
    let view = ExplanationWording.title(of: edit.view, in: explanation)
    let words = edit.words.filter(explanation.words.indices.contains)
      .map { "“\(UntrustedText.singleLine(explanation.words[$0].text))”" }.joined(separator: ", ")
    return Markup([
      tag("p") {
        if let kind = edit.kind {
          "\(kind == .removal ? "Without" : "With a neutral word for") \(words) the prompt is answered (\(view))."
        } else {
          "No edit within the limit leads to an answer (\(view))."
        }
      },
      edit.text.map { text in tag("p", ["class": "prompt", "dir": "auto"]) { text } } ?? .empty,
      tag("p", ["class": "note"]) {
        "\(edit.text == nil ? "The lowest score that was met" : "Its score"): \(ExplanationWording.nats(edit.score)). "
          + "\(NumberFormat.separated(edit.prompts, "prompt was", "prompts were")) tried. This is searched for prompts labelled safe only."
      },
    ])
  }
}
