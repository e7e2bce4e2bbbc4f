import ArgumentParser
import Foundation
import SelfCD
import SelfCDSupport

/// LoRA adapters and control vectors that the model runs with.
struct AdapterOptions: ParsableArguments {
  @Option(
    help: .init(
      "A LoRA adapter (GGUF) to apply to the model, at a scale of 1 unless another is given. Repeatable.",
      valueName: "file[=scale]"))
  var lora: [String] = []

  @Option(
    help: .init(
      "A control vector (GGUF) to add to the model's residual stream, at a scale of 1 unless another is given. Repeatable.",
      valueName: "file[=scale]"))
  var controlVector: [String] = []

  @Option(
    help: .init(
      "The layers at which control vectors are added, counted from 0, such as 10...20; all that the file has by default.",
      valueName: "first...last"))
  var controlVectorLayers: String?

  /// All adapters, with whole paths.
  var adapters: [ModelAdapter] {
    get throws {
      let layers = try range()
      return lora.map { Self.adapter(.lora, $0) }
        + controlVector.map { text in
          var adapter = Self.adapter(.controlVector, text)
          adapter.layers = layers
          return adapter
        }
    }
  }

  /// The options as they were given.
  var arguments: [String] {
    lora.flatMap { ["--lora", $0] } + controlVector.flatMap { ["--control-vector", $0] }
      + (controlVectorLayers.map { ["--control-vector-layers", $0] } ?? [])
  }

  /// Takes over what a stored run has, where nothing is given.
  mutating func restore(_ adapters: [ModelAdapter]) {
    guard lora.isEmpty, controlVector.isEmpty else { return }
    func text(_ kind: ModelAdapter.Kind) -> [String] {
      adapters.filter { $0.kind == kind }.map { "\($0.path)=\($0.scale)" }
    }
    lora = text(.lora)
    controlVector = text(.controlVector)
    controlVectorLayers = adapters.compactMap(\.layers).first.map { "\($0.lowerBound)...\($0.upperBound)" }
  }

  func validate() throws {
    for (option, texts) in [("--lora", lora), ("--control-vector", controlVector)] {
      if let wrong = texts.lazy.compactMap(Self.wrongScale).first {
        throw ValidationError("\(option): the scale '\(wrong)' is not a number.")
      }
    }
    let range = try range()
    if range != nil, controlVector.isEmpty {
      throw ValidationError("--control-vector-layers has no effect without --control-vector.")
    }
  }

  private func range() throws -> ClosedRange<Int>? {
    guard let text = controlVectorLayers else { return nil }
    let ends = text.components(separatedBy: "...").map { Int($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], 0 <= first, first <= last else {
      throw ValidationError(
        "--control-vector-layers takes the first and the last layer, such as 10...20, not '\(text)'.")
    }
    return first...last
  }

  /// What stands in a scale's place and is no number, where it cannot be part of a file's name.
  private static func wrongScale(_ text: String) -> String? {
    guard let sign = text.lastIndex(of: "=") else { return nil }
    let scale = text[text.index(after: sign)...]
    let file = text[..<sign]
    guard Float(scale) == nil, file.lowercased().hasSuffix(".gguf"),
      !FileManager.default.fileExists(atPath: UserFolders.current.expand(text))
    else { return nil }
    return String(scale)
  }

  /// A name of a file may hold `=`: only a number after the last one is a scale.
  private static func adapter(_ kind: ModelAdapter.Kind, _ text: String) -> ModelAdapter {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count > 1, let last = parts.last, let scale = Float(last) else {
      return ModelAdapter(kind, path: UserFolders.current.expand(text))
    }
    let path = parts.dropLast().joined(separator: "=")
    return ModelAdapter(kind, path: UserFolders.current.expand(path), scale: scale)
  }
}
