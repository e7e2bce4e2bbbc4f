import SelfCD
import SelfCDExplain
import SelfCDJudges
import SelfCDSupport

/// What the page shows of an explanation, section by section; parts that were not asked for have none.
struct ExplanationSections {
  let page: ExplanationPage

  struct Section {
    let id: String
    let title: String
    let content: Markup
  }

  private var explanation: Explanation { page.explanation }

  var sections: [Section] {
    [
      explanation.attributions.isEmpty || explanation.words.isEmpty
        ? nil
        : Section(id: "words", title: "Word by word", content: WordSection(explanation: explanation).markup),
      explanation.trigger.map {
        Section(
          id: "trigger", title: "How little of it is still refused",
          content: TriggerSection(explanation: explanation, trigger: $0).markup)
      },
      explanation.edit.map {
        Section(
          id: "edit", title: "The smallest edit that is answered",
          content: EditSection(explanation: explanation, edit: $0).markup)
      },
      replies.map { Section(id: "replies", title: "The replies", content: $0) },
      StepSection(explanation: explanation).markup.map {
        Section(id: "steps", title: "The contrast, token by token", content: $0)
      },
      explanation.flows.isEmpty
        ? nil
        : Section(
          id: "flow", title: "What flows to the answer", content: FlowSection(explanation: explanation).markup
        ),
      explanation.uncertainties.isEmpty
        ? nil
        : Section(
          id: "uncertainty", title: "How sure was it?", content: UncertaintySection(page: page).markup),
      Section(id: "record", title: "The record", content: record),
    ].compactMap { $0 }
  }

  var markup: Markup {
    Markup([
      summary,
      Markup(
        sections.map { section in
          tag("section", ["id": section.id]) {
            tag("h2") { section.title }
            section.content
          }
        }),
    ])
  }

  // MARK: Summary

  private var summary: Markup {
    Markup([
      tag("p", ["class": explanation.words.count > 60 ? "question long" : "question", "dir": "auto"]) {
        explanation.question
      },
      tag("div", ["class": "figures"]) {
        for view in explanation.views { headline(view) }
      },
      Markup(ExplanationWording.summary(page).map { sentence in tag("p", ["class": "lede"]) { sentence } }),
    ])
  }

  private func headline(_ view: Explanation.View) -> Markup {
    tag("div") {
      tag("p", ["class": "mute"]) {
        UntrustedText.singleLine(view.title)
          + (view.name == Guarded.name
            ? ", with the safety prompt" : view.name == Plain.name ? ", without it" : "")
      }
      tag("p", ["class": "big"]) { ExplanationProse(explanation).outcome(of: view).rawValue }
      tag("p", ["class": "mute"]) {
        "with greedy decoding; \(ExplanationProse.percent(view.probability)) of "
          + "\(ExplanationProse(explanation).shareOf) begin as a refusal (score \(ExplanationWording.nats(view.score)))"
      }
    }
  }

  // MARK: Replies

  private struct Shown {
    let view: String
    let text: String
    let replyClass: ReplyClass
    let isCut: Bool
  }

  private var replies: Markup? {
    let shown =
      explanation.replies.map {
        $0.map { Shown(view: $0.view, text: $0.reply, replyClass: $0.replyClass, isCut: $0.isCut) }
      }
      ?? explanation.uncertainties.map {
        Shown(view: $0.view, text: $0.reply, replyClass: $0.replyClass, isCut: false)
      }
    guard !shown.isEmpty else { return nil }
    return tag("div", ["class": "lanes"]) {
      for reply in shown { lane(reply) }
    }
  }

  private func lane(_ reply: Shown) -> Markup {
    tag("div", ["class": "lane"]) {
      tag("h4") {
        ExplanationWording.title(of: reply.view, in: explanation)
        tag("span") { Wording.replyClass(reply.replyClass) }
      }
      if page.withholdsReplies {
        tag("p", ["class": "mute"]) { Wording.withheld }
      } else {
        tag("blockquote", ["dir": "auto"]) {
          reply.text.isEmpty ? "(no text)" : reply.isCut ? reply.text + "…" : reply.text
        }
        if reply.isCut { tag("p", ["class": "note"]) { Wording.cut } }
      }
    }
  }

  // MARK: Record

  private var record: Markup {
    let beginnings = explanation.beginnings
    let facts =
      page.facts + [
        .init("How refusals begin", beginnings.source),
        .init(
          "Judged replies of this model",
          beginnings.replies == 0
            ? "none"
            : "\(beginnings.replies), of which \(beginnings.refused) refuse; judged by \(beginnings.judge)"),
      ]
    return Markup([FactList(facts: facts).markup, beginningsTable.markup])
  }

  private static let shownBeginnings = 12

  private var beginningsTable: Table {
    let beginnings = explanation.beginnings
    let shown = beginnings.beginnings.prefix(Self.shownBeginnings)
    let rest = shown.count < beginnings.beginnings.count ? " of \(beginnings.beginnings.count)" : ""
    guard beginnings.origin == .learned else {
      return Table(
        caption: "How refusals commonly begin, \(shown.count)\(rest)",
        columns: [.init(title: "beginning", isNumber: false)],
        rows: shown.map { Table.Row(cells: [.text("“\($0.text)”")]) })
    }
    return Table(
      caption: "How this model’s replies begin"
        + (rest.isEmpty ? "" : ", the \(shown.count) most frequent\(rest)"),
      columns: [
        .init(title: "beginning", isNumber: false), .init(title: "replies"), .init(title: "of them refuse"),
      ],
      rows: shown.map { beginning in
        Table.Row(cells: [
          .text("“\(beginning.text)”"), .text(NumberFormat.count(beginning.replies)),
          .figure(NumberFormat.count(beginning.refused), NumberFormat.percent(beginning.share)),
        ])
      })
  }
}

extension ExplanationWording {
  /// What a view is called in print.
  static func title(of view: String, in explanation: Explanation) -> String {
    UntrustedText.singleLine(explanation.views.first { $0.name == view }?.title ?? view)
  }

  /// Words as rows name them; those that come more than once with their place.
  static func labels(of words: [Explanation.Word]) -> [String] {
    var counts: [String: Int] = [:]
    for word in words { counts[word.text, default: 0] += 1 }
    return words.enumerated().map { index, word in
      UntrustedText.singleLine(word.text) + ((counts[word.text] ?? 0) > 1 ? " (\(index + 1))" : "")
        + (word.isFocus ? " ◆" : "")
    }
  }
}
