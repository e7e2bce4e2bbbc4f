import ArgumentParser
import Foundation
import SelfCD
import SelfCDEval
import SelfCDLlama

/// How many generations run at a time.
struct BatchOptions: ParsableArguments {
  @Option(
    help: .init(
      "Lanes: prompts that can be continued at the same time; as memory allows if not given.", valueName: "n")
  )
  var lanes: Int?

  @Option(
    help: .init(
      "The most memory to use, such as 6G; half of what is available if not given.", valueName: "size"))
  var memory: String?

  /// Chosen after comparing 32, 48, 64 and 128 by hand; no benchmark settles it yet.
  static let usefulLanes = 64
  /// Tokens of template text that a chat may get besides its messages.
  private static let templateAllowance = 256
  private static let templatePerMessage = 16

  func validate() throws {
    if let lanes, lanes < 1 { throw ValidationError("--lanes must be 1 or more.") }
    if lanes != nil, memory != nil { throw ValidationError("Give --lanes or --memory, not both.") }
    if let memory, Self.bytes(memory) == nil {
      throw ValidationError("--memory takes a size such as 512M or 6G, not '\(memory)'.")
    }
  }

  /// The model options, whose model is a file, with a context just long enough for the plan, and the lanes that memory allows.
  func fitted(
    _ model: ModelOptions, to plan: EvaluationPlan, console: Console
  ) throws -> (model: ModelOptions, lanes: Int) {
    let file = try GGUFFile(path: model.model)
    var model = model
    let trained = file.hyperparameter("context_length")?.integer ?? .max
    // Not timed at load: with many lanes one call is faster anyway, and a choice that hangs on the machine's mood
    // would round differently from one session to the next.
    model.stepMode = model.stepMode ?? .batched
    if model.ctxSize == nil { model.ctxSize = min(Self.contextNeeded(plan), trained) }
    let needed = plan.widestCondition
    if let lanes { return (model, max(lanes, needed)) }

    let estimate = try MemoryEstimate(file, options: try model.llamaOptions(lanes: 1))
    let budget = memory.flatMap(Self.bytes) ?? (MemoryEstimate.available ?? .max) / 2
    let room = budget - estimate.weights - estimate.compute
    let affordable = estimate.cache > 0 ? room / estimate.cache : Self.usefulLanes
    if affordable < needed {
      console.note(
        "the memory allowed holds fewer lanes than a strategy needs; \(needed) are used nevertheless.")
    }
    let useful = max(
      needed, min(Self.usefulLanes, plan.lanesPerSample * plan.datasets.reduce(0) { $0 + $1.samples.count }))
    return (model, max(needed, min(affordable, useful)))
  }

  /// No token is shorter than a byte, so this is enough for every prompt and its reply.
  private static func contextNeeded(_ plan: EvaluationPlan) -> Int {
    var longest = 0
    for sample in plan.datasets.lazy.flatMap(\.samples) {
      let chat = plan.chat(for: sample)
      for condition in plan.conditions {
        let strategy = condition.strategy
        for prompt in strategy.lanes(for: chat).map(\.chat) + strategy.probes(for: chat) {
          let bytes = prompt.messages.reduce(0) { $0 + $1.content.utf8.count + templatePerMessage }
          longest = max(longest, bytes)
        }
      }
    }
    let total = longest + templateAllowance + plan.options.maximumTokens
    return (total + 255) / 256 * 256
  }

  static func bytes(_ text: String) -> Int? {
    let units: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
    var digits = text.uppercased()
    if digits.hasSuffix("IB") { digits.removeLast(2) } else if digits.hasSuffix("B") { digits.removeLast() }
    var shift = 0
    if let last = digits.last, let unit = units[last] {
      shift = unit
      digits.removeLast()
    }
    guard let number = Double(digits), number > 0, number.isFinite else { return nil }
    let value = number * Double(1 << shift)
    return value < 1e18 ? Int(value) : nil
  }
}
