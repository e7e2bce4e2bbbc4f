import ArgumentParser
import Foundation
import SelfCD
import SelfCDLlama

/// What the engine computes for many callers at once: a server's work without its sockets.
struct ThroughputCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "throughput",
    abstract: "Tokens per second over callers that each ask one question after the other.",
    discussion: """
      Every caller has one generation running and starts the next when it ends, as a client of a server does. \
      llama.cpp's llama-batched-bench (-npp, -ntg, -npl) measures the same for one question each.
      """)

  @Argument(help: "A GGUF file.", completion: .file(extensions: ["gguf"]))
  var model: String

  @Option(parsing: .upToNextOption, help: "Numbers of callers.")
  var callers: [Int] = [1, 4, 16, 32]

  @Option(help: "CPU threads.")
  var threads = 2

  @Option(help: "Lanes of the engine, plain; Self-CD is given twice as many.")
  var lanes = 32

  @Option(help: "Tokens of each prompt.")
  var promptTokens = 128

  @Option(help: "Tokens to generate.")
  var newTokens = 64

  @Option(help: "Questions of each caller.")
  var questions = 2

  @Option(help: "Rounds; each measures every number of callers once.")
  var rounds = 3

  @Flag(help: "Measure Self-CD as well, two lanes a caller.")
  var contrast = false

  @Flag(help: "All lanes share one buffer.")
  var unified = false

  func run() async throws {
    let model = try LlamaModel(path: model)
    print(
      "strategy   callers   tokens/s   a CPU second   lane tokens a CPU second   first token ms p50   p99")
    for isContrastive in contrast ? [false, true] : [false] {
      let options = LlamaOptions(
        threads: threads, contextSize: promptTokens + newTokens + 1, lanes: isContrastive ? 2 * lanes : lanes,
        unifiedCache: unified)
      let engine = try await Engine.start(stepMode: .batched) { abort in
        let backend = try LlamaBackend(model: model, options: options, abort: abort)
        try backend.warmUp()
        return EndlessBackend(backend)
      }
      var results = callers.map { _ in [Load]() }
      var seed: UInt64 = 1
      for _ in 0..<rounds {
        for (index, count) in callers.enumerated() {
          let work = Work(
            isContrastive: isContrastive, promptTokens: promptTokens, newTokens: newTokens,
            questions: questions,
            vocabulary: model.vocabularySize)
          results[index].append(try await work.run(callers: count, seed: seed, on: engine))
          seed += UInt64(count * questions)
        }
      }
      await engine.shutdown()
      for (count, loads) in zip(callers, results) {
        let speed = loads.map(\.tokensPerSecond).median
        let cpuSpeed = loads.map(\.tokensPerCPUSecond).median
        let waits = loads.flatMap(\.firstTokens).sorted()
        print(
          (isContrastive ? "self-cd" : "plain").padded(to: 11) + "\(count)".padded(to: 10)
            + speed.fixed(1).padded(to: 11) + cpuSpeed.fixed(1).padded(to: 15)
            + (isContrastive ? 2 * cpuSpeed : cpuSpeed).fixed(1).padded(to: 27)
            + (waits[waits.count / 2] * 1e3).fixed(0).padded(to: 21)
            + (waits[waits.count * 99 / 100] * 1e3).fixed(0))
      }
    }
  }
}

/// One measured load.
private struct Load {
  let tokensPerSecond: Double
  /// On a busy machine the steadier figure, for one thread.
  let tokensPerCPUSecond: Double
  /// Seconds to the first token of each question.
  let firstTokens: [Double]
}

private struct Work {
  let isContrastive: Bool
  let promptTokens: Int
  let newTokens: Int
  let questions: Int
  let vocabulary: Int

  func run(callers: Int, seed: UInt64, on engine: Engine) async throws -> Load {
    let watch = Stopwatch()
    let waits = try await withThrowingTaskGroup(of: [Double].self) { group in
      for caller in 0..<callers {
        group.addTask {
          var waits: [Double] = []
          for question in 0..<questions {
            let prompt = request(seed: seed + UInt64(caller * questions + question))
            let reply = try await engine.generate(prompt).reply()
            waits.append(reply.summary.timeToFirstToken.inSeconds)
          }
          return waits
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    let elapsed = watch.elapsed()
    let tokens = Double(callers * questions * newTokens)
    return Load(
      tokensPerSecond: tokens / elapsed.seconds, tokensPerCPUSecond: tokens / elapsed.cpuSeconds,
      firstTokens: waits)
  }

  private func request(seed: UInt64) -> GenerationRequest {
    let prompts = PromptPair(seed: seed, length: promptTokens, vocabulary: vocabulary)
    return GenerationRequest(
      prompts: isContrastive ? [.guarded: prompts.guarded, .plain: prompts.plain] : [.plain: prompts.plain],
      rule: isContrastive ? SelfContrastive(alpha: DecodeRunner.alpha).makeRule() : Plain().makeRule(),
      options: GenerationOptions(maximumTokens: newTokens))
  }
}
