import SelfCDExplain

/// How a prompt shrinks while it is still refused.
struct TriggerSection {
  let explanation: Explanation
  let trigger: MinimalTrigger

  private var view: String { ExplanationWording.title(of: trigger.view, in: explanation) }

  var markup: Markup {
    Markup([
      tag("p") {
        "Words are taken out as long as \(ExplanationWording.criterion(trigger.criterion)) (\(view)); of what is left, no "
          + "single word can go. No prompt that is answered is sought."
      },
      steps,
      tag("p", ["class": "note"]) {
        "Score of what is left: \(ExplanationWording.nats(trigger.score)). The model was asked about "
          + "\(Figures.count(trigger.prompts)) prompts in \(Figures.count(trigger.calls)) calls. Delta debugging, arXiv "
          + "2011.14934."
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
          tag("span") { "\(Figures.count(kept.count)) word\(kept.count == 1 ? "" : "s")" }
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
        "\(edit.text == nil ? "Lowest score" : "Score"): \(ExplanationWording.nats(edit.score)). "
          + "\(Figures.count(edit.prompts)) prompts were tried. Searched only because the prompt is labelled safe."
      },
    ])
  }
}
