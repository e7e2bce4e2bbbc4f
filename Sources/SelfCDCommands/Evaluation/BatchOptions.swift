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
    // Not timed at load: with many lanes one call is faster anyway, and a choice that hangs on the machine's mood
    // would round differently from one session to the next.
    model.stepMode = model.stepMode ?? .batched
    let useful = plan.usefulLanes
    let wanted = lanes.map { max($0, useful.lowerBound) }
    let fit = try LaneFit(
      file, options: try model.llamaOptions(lanes: 1), context: plan.contextNeeded,
      lanes: wanted.map { $0...$0 } ?? useful, memory: wanted == nil ? memory.flatMap(Self.bytes) : Int.max)
    if fit.isTight {
      console.note(
        "the memory allowed holds fewer lanes than a strategy needs; \(fit.options.lanes) are used "
          + "nevertheless.")
    }
    model.ctxSize = fit.options.contextSize
    return (model, fit.options.lanes)
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
