import SelfCDExplain
import SelfCDSupport

/// What flows from the prompt to the answer, by word, layer and position.
struct FlowSection {
  let explanation: Explanation

  /// Flows of the prompt's own words; others could not be drawn beside them.
  private var flows: [LaneFlow] {
    explanation.flows.filter { $0.flow.words.count == explanation.words.count }
  }

  private func title(_ flow: LaneFlow) -> String { ExplanationWording.title(of: flow.view, in: explanation) }

  private var labels: [String] { ExplanationWording.labels(of: explanation.words) }

  var markup: Markup {
    Markup([
      tag("p") { introduction },
      words, focus,
      Markup(flows.enumerated().map { layers($0, $1) }),
      Markup(explanation.flows.enumerated().map { positions($0, $1) }),
    ])
  }

  private var introduction: String {
    guard let first = explanation.flows.first else { return "" }
    let what =
      switch first.flow.method {
      case .informationFlow:
        "Information flow (the Self-CD paper’s |Σ A ⊙ ∂L/∂A|, by gradients) from each position of the prompt to its last one: "
          + "what the loss of the answer token depends on through attention."
      case .attention:
        "Attention of the last position, the mean over heads: where the model looks, not what the answer depends on. No "
          + "gradient is in it."
      case .attentionRollout:
        "Attention rolled out through the layers: where the model looks, not what the answer depends on. No gradient is in "
          + "it."
      }
    let targets = explanation.flows.map { flow in
      let token = flow.flow.target.map { target in
        " “\(StepSection.token(target.text))”, loss \(NumberFormat.decimal(target.loss, 2)) nats"
      }
      return
        "\(title(flow)): to token \(flow.step)\(token ?? ""); \(NumberFormat.percent(flow.flow.questionShare)) of it comes from "
        + "the question’s words"
    }
    return "\(what) \(targets.joined(separator: ". "))."
  }

  // MARK: By word

  private var words: Markup {
    let chart = EffectChart(
      id: "flow-words", title: "Share of the flow from each word, all layers", words: labels,
      series: flows.map { flow in
        EffectChart.Series(
          name: title(flow), style: SeriesStyle(view: flow.view), effects: flow.flow.words.map(\.share))
      }, axis: "share of what flows from the question’s words",
      figure: { value, digits in NumberFormat.percent(value, digits: max(0, digits - 2)) })
    let rest = explanation.words.count - chart.shown.count
    return .figure(
      chart.draw(),
      "Share of what flows from the question’s words, all layers together."
        + (rest > 0 ? " The \(chart.shown.count) words with the most; \(rest) more have less." : ""))
  }

  /// The focus words together, or the content word with the greatest share, layer by layer.
  private var focus: Markup {
    let named = explanation.words.indices.filter { explanation.words[$0].isFocus }
    let strongest = flows.first.flatMap { flow in
      let all = Array(flow.flow.words.indices)
      let content = all.filter { !FunctionWords.contains(flow.flow.words[$0].text) }
      return (content.isEmpty ? all : content).max {
        flow.flow.words[$0].share < flow.flow.words[$1].share
      }
    }
    let places = named.isEmpty ? strongest.map { [$0] } ?? [] : named
    guard !places.isEmpty else { return .empty }
    let names = places.map { "“\(UntrustedText.singleLine(explanation.words[$0].text))”" }.joined(
      separator: ", ")
    let chart = StepChart(
      id: "flow-focus", title: "Flow from \(names), layer by layer", axis: "share of the layer’s flow",
      isShare: true,
      series: flows.map { flow in
        let layers = flow.flow.layers.count
        return StepChart.Series(
          name: title(flow), style: SeriesStyle(view: flow.view),
          values: (0..<layers).map { layer in
            places.reduce(0) { sum, place in
              let line = flow.flow.words[place].layers
              return sum + (line.indices.contains(layer) ? line[layer] : 0)
            }
          })
      }, step: "layer, from 0", firstStep: 0)
    return .figure(
      chart.draw(),
      "From \(names) to the last position: the share of what flows from the question’s words in each layer.")
  }

  // MARK: By layer

  private static let shownWords = 16

  private func layers(_ index: Int, _ flow: LaneFlow) -> Markup {
    let strongest = flow.flow.words.indices.sorted {
      (flow.flow.words[$0].share, -$0) > (flow.flow.words[$1].share, -$1)
    }.prefix(Self.shownWords).sorted()
    let grid = FlowGrid(
      id: "flow-layers-\(index)", title: "Flow from each word in each layer, \(title(flow))",
      rowNames: strongest.map { labels[$0] }, columnTitle: "layer", firstColumn: 0,
      values: strongest.map { flow.flow.words[$0].layers }, figure: { NumberFormat.percent($0, digits: 0) })
    let rest = flow.flow.words.count - strongest.count
    return .figure(
      grid.draw(),
      "\(title(flow)): each word’s share of what flows from the question’s words in a layer."
        + (rest > 0 ? " The \(strongest.count) words with the most; \(rest) more have less." : ""))
  }

  // MARK: By position

  /// More positions could not be told apart.
  private static let shownPositions = 300

  private func positions(_ index: Int, _ flow: LaneFlow) -> Markup {
    let count = flow.flow.positions.count
    guard count > 0, count <= Self.shownPositions, !flow.flow.layers.isEmpty else {
      return tag("p", ["class": "note"]) {
        "\(title(flow)): \(NumberFormat.count(count)) positions are too many to draw; --json has all of them."
      }
    }
    // Of each layer's own flow, or the strongest layer would be all that is seen.
    let values = flow.flow.layers.reversed().map { layer in
      let sum = layer.reduce(0, +)
      return layer.map { sum > 0 ? $0 / sum : 0 }
    }
    let grid = FlowGrid(
      id: "flow-positions-\(index)", title: "Flow from every position in each layer, \(title(flow))",
      rowNames: flow.flow.layers.indices.reversed().map { "layer \($0)" },
      columnTitle: "position in the prompt",
      columnNames: flow.flow.positions.enumerated().map { place, position in
        "position \(place + 1) “\(position.text.isEmpty ? "control" : StepSection.token(position.text))”"
      },
      marked: Set(flow.flow.positions.indices.filter { flow.flow.positions[$0].word != nil }),
      values: values, figure: { NumberFormat.percent($0) })
    return .figure(
      grid.draw(),
      "\(title(flow)): the whole prompt, template and system prompt included, each layer’s flow by itself; the bar below "
        + "marks the question’s words. Point at a field for its token.")
  }
}
