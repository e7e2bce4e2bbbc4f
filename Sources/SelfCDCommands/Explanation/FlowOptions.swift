import ArgumentParser
import SelfCD
import SelfCDExplain
import SelfCDLlama
import SelfCDSupport

/// What of a model's inside is shown with an explanation.
struct FlowOptions: ParsableArguments {
  @Flag(
    help: "Show what flows from each word to the answer, in the guarded and in the plain lane, by gradients.")
  var flow = false

  @Option(
    name: .customLong("flow-method"),
    help: .init(
      "What is traced: \(InformationFlow.Method.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "name"))
  var method: InformationFlow.Method?

  @Option(
    name: .customLong("flow-step"),
    help: .init(
      "The answer token that flow is traced to; the ones before are the lane's own.", valueName: "n"))
  var step: Int?

  var isWanted: Bool { flow }

  func validate() throws {
    if !flow, method != nil || step != nil {
      throw ValidationError("\(step != nil ? "--flow-step" : "--flow-method") has no effect without --flow.")
    }
    if let step, !(1...64).contains(step) { throw ValidationError("--flow-step must be from 1 to 64.") }
  }

  /// The flow in each of the views that have a single lane.
  ///
  /// - Throws: `InspectionError`, ``FlowError``, what the engine throws.
  func trace(
    _ chat: Chat, views: [RefusalProbe.View], tracer: FlowTracer, model: ChatModel
  ) async throws -> [LaneFlow] {
    guard isWanted else { return [] }
    var flows: [LaneFlow] = []
    for view in views {
      let lanes = view.strategy.lanes(for: chat)
      guard lanes.count == 1, let lane = lanes.first else { continue }
      var begun: [TokenID] = []
      if let step, step > 1 {
        begun = try await model.reply(
          to: chat, strategy: view.strategy, options: GenerationOptions(maximumTokens: step - 1)
        ).tokens.map(\.id)
      }
      flows.append(
        LaneFlow(
          view: view.name, step: begun.count + 1,
          flow: try await tracer.trace(
            lane.chat, asking: chat.lastQuestion, begun: begun, method: method ?? .informationFlow)))
    }
    return flows
  }
}

/// Flows for a terminal: one line a word, the views side by side, and where in the layers it happens.
struct FlowView {
  let console: Console

  func render(_ flows: [LaneFlow], words: [Explanation.Word]) -> [String] {
    guard let first = flows.first else { return [] }
    var lines = styled("\(FlowText.title(first.flow.method)), to answer token \(first.step)", .bold)
    let names = words.map { TerminalText.singleLine($0.text) + ($0.isFocus ? "*" : "") }
    let wordWidth = min(max(4, names.map(TextLayout.columns).max() ?? 4), max(8, console.width / 4))
    let cell = max(7, (console.width - wordWidth) / flows.count - 2)
    let bar = cell - 7
    let greatest = flows.flatMap { $0.flow.words.map(\.share) }.max() ?? 0
    lines.append(
      (TextLayout.pad("", to: wordWidth)
        + flows.map { "  " + TextLayout.pad(TextLayout.truncate($0.view, to: cell), to: cell) }.joined())
        .trimmingTrailingSpaces())
    for (index, name) in names.enumerated() {
      var line = TextLayout.pad(TextLayout.truncate(name, to: wordWidth), to: wordWidth)
      for flow in flows where flow.flow.words.indices.contains(index) {
        let share = flow.flow.words[index].share
        let number = TextLayout.padLeft(NumberFormat.decimal(100 * share, 1) + " %", to: 7)
        let length = greatest > 0 && bar > 0 ? Int((share / greatest * Double(bar - 1)).rounded()) : 0
        line += "  " + TextLayout.pad(number + " " + String(repeating: "+", count: length), to: cell)
      }
      lines.append(line.trimmingTrailingSpaces())
    }
    for flow in flows {
      var text = "\(flow.view): "
      if let target = flow.flow.target {
        text +=
          "to “\(TerminalText.singleLine(target.text))”, loss \(NumberFormat.decimal(target.loss, 2)) nats; "
      }
      text +=
        "\(NumberFormat.decimal(100 * flow.flow.questionShare, 0)) % of the prompt's flow is from the question's words; "
      text +=
        "most in layer \(Self.strongestLayer(flow.flow)) (layers are counted from 0, the last is "
        + "\(flow.flow.layers.count - 1))"
      lines += styled(text, .dim)
    }
    if let agreement = first.flow.agreement {
      let worst = flows.compactMap(\.flow.agreement).reduce(agreement) {
        .init(attention: max($0.attention, $1.attention), nextToken: max($0.nextToken, $1.nextToken))
      }
      lines += styled(FlowText.agreement(worst), .dim)
    } else {
      lines += styled("Where the model looks, not what the answer depends on: no gradient is in it.", .dim)
    }
    return lines
  }

  private func styled(_ text: String, _ style: Console.Style) -> [String] {
    TextLayout.prose(text, width: console.width).map { console.styled($0, style) }
  }

  private static func strongestLayer(_ flow: InformationFlow) -> Int {
    let words = flow.positions.map { $0.word != nil }
    let sums = flow.layers.map { layer in zip(layer, words).reduce(0) { $1.1 ? $0 + $1.0 : $0 } }
    return sums.indices.max { sums[$0] < sums[$1] } ?? 0
  }
}
