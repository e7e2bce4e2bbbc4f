import SelfCDSupport

/// Replies that changed sides, both ways: with the lanes side by side, or as links into the list of all replies where
/// the page has one.
struct ExampleSection {
  let run: ReportRun
  /// Whether it is the page's only run.
  let isAlone: Bool

  var markup: Markup { run.samples == nil ? examples : links }

  private var links: Markup {
    Markup([
      tag("p") { Wording.flipsBetween(run) },
      tag("ul") {
        for flips in run.flips {
          tag("li", ["class": style(flips)]) {
            tag("a", ["href": SampleBrowser.link(to: flips.kind, run, isAlone: isAlone)]) { heading(flips) }
          }
        }
      },
    ])
  }

  private func style(_ flips: ReportFlips) -> String {
    flips.total == 0 ? "mute" : Wording.isGain(flips.kind) ? "good" : "bad"
  }

  private func heading(_ flips: ReportFlips) -> String {
    "\(Wording.isGain(flips.kind) ? "✓" : "✗") \(Wording.flips(flips.kind)): \(NumberFormat.count(flips.total))"
  }

  private var examples: Markup {
    Markup([
      tag("p") { Wording.flipsBetween(run) },
      run.flips.contains { $0.examples.contains { $0.replies.contains { $0.text == nil } } }
        ? tag("p", ["class": "note"]) { Wording.withheld } : .empty,
      Markup(run.flips.map(part)),
    ])
  }

  private func part(_ flips: ReportFlips) -> Markup {
    Markup([
      tag("h3", ["class": style(flips)]) { heading(flips) },
      flips.total > flips.examples.count
        ? tag("p", ["class": "note"]) { "\(flips.examples.count) of them, spread over the categories." }
        : .empty,
      Markup(flips.examples.map { ExampleView(run: run, example: $0).markup }),
    ])
  }
}

/// One prompt with its replies.
struct ExampleView {
  let run: ReportRun
  let example: ReportExample
  /// Said beside where the prompt comes from.
  var remark = ""

  var markup: Markup {
    tag("div", ["class": "example"]) {
      tag("p", ["class": "prompt", "dir": "auto"]) { example.prompt }
      tag("p", ["class": "note"]) { Wording.source(example) + remark }
      if let verdicts = Wording.withheldVerdicts(run, example) {
        tag("p") { verdicts }
      } else {
        tag("div", ["class": "lanes"]) {
          for reply in example.replies { lane(reply) }
        }
      }
    }
  }

  private func lane(_ reply: ReportReplyText) -> Markup {
    tag("div", ["class": "lane"]) {
      tag("h4") {
        run.title(reply.condition)
        tag("span") { Wording.replyClass(reply.replyClass) }
      }
      if let text = reply.text {
        tag("blockquote", ["dir": "auto"]) { text.isEmpty ? "(no text)" : reply.isCut ? text + "…" : text }
      } else {
        tag("p", ["class": "mute"]) { Wording.withheld }
      }
      if reply.isCut { tag("p", ["class": "note"]) { Wording.cut } }
    }
  }
}
