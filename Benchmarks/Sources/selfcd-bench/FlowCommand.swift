import ArgumentParser
import Foundation
import SelfCD
import SelfCDLlama

/// What the gradient of a prompt's attention costs; `peers/flow.py` does the same with autograd, on the same tokens.
struct FlowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flow",
    abstract: "Gradients of attention of a random prompt, the seconds of each of several rounds.")

  @Argument(help: "A model of a family whose gradient is verified.", completion: .file(extensions: ["gguf"]))
  var model: String

  @Option(help: "Tokens of the prompt.")
  var promptTokens = 128

  @Option(parsing: .upToNextOption, help: "Thread counts to measure.")
  var threads: [Int] = [1]

  @Option(help: "Rounds, after one that warms up.")
  var rounds = 3

  @Option(help: "A file for the flow of every layer, for peers/flow.py to compare with.")
  var out: String?

  func run() async throws {
    let loaded = try LlamaModel(path: model)
    let tokens = randomPrompt(seed: 1, length: promptTokens, vocabulary: loaded.vocabularySize)
    print("\(promptTokens) tokens, median of \(rounds) rounds, reading by libllama included")
    print("threads   wall s   cpu s   peak memory, MB")
    var saliency: AttentionSaliency?
    for count in threads {
      let inspector = LlamaInspector(model: loaded, options: LlamaOptions(threads: count))
      var elapsed: [Elapsed] = []
      for round in 0...rounds {
        let watch = Stopwatch()
        saliency = try await inspector.saliency(of: 0, after: tokens)
        if round > 0 { elapsed.append(watch.elapsed()) }
      }
      print(
        "\(count)".padded(to: 10) + elapsed.map(\.seconds).median.fixed(2).padded(to: 9)
          + elapsed.map(\.cpuSeconds).median.fixed(2).padded(to: 8) + "\(peakMemory() / 1_000_000)")
    }
    guard let saliency else { return }
    print("differs from libllama by \(saliency.agreement.attention) in attention")
    guard let out else { return }
    let flow = zip(saliency.attention, saliency.gradient).map { attention, gradient in
      (0..<promptTokens).map { position in
        abs(zip(attention, gradient).reduce(Float(0)) { $0 + $1.0[position] * $1.1[position] })
      }
    }
    try JSONEncoder().encode(flow).write(to: URL(filePath: out))
  }
}
