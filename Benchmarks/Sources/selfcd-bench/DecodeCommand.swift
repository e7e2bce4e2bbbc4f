import ArgumentParser
import Foundation
import SelfCD
import SelfCDLlama

/// What is timed in one generation of two prompts, or of one.
enum DecodeMode: String, CaseIterable, ExpressibleByArgument {
  /// One lane, no contrast.
  case plain
  /// Self-CD, both lanes in one call of the model.
  case batched
  /// Self-CD, one call of the model per lane.
  case separate
  /// Self-CD in whichever of the two the engine finds faster when it starts, as users get it.
  case auto
  /// Self-CD as in `batched`, but with a bare loop around the backend: what the engine adds is the difference.
  case bare
}

struct DecodeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Plain decoding against Self-CD in one call and in two, on random prompts.",
    discussion: """
      Every round measures all modes one after the other on the same prompts; ratios are medians of the rounds' \
      own ratios. Prompts change from round to round, so that no cache is warm.
      """)

  @Argument(help: "GGUF files.", completion: .file(extensions: ["gguf"]))
  var models: [String]

  @Option(parsing: .upToNextOption, help: "Thread counts to measure, one after the other.")
  var threads: [Int] = [1, 2]

  @Option(parsing: .upToNextOption, help: "Modes to measure; ratios are to the first.")
  var modes: [DecodeMode] = [.plain, .batched, .separate, .bare]

  @Option(help: "Tokens of each prompt.")
  var promptTokens = 128

  @Option(help: "Tokens to generate.")
  var newTokens = 64

  @Option(help: "Rounds.")
  var rounds = 3

  @Option(help: "Seed of the first round's prompts; each round adds one.")
  var seed: UInt64 = 1

  @OptionGroup var attention: AttentionOption

  @Option(help: "Append each measurement to this file, as a line of JSON.")
  var record: String?

  @Flag(help: "Print no table.")
  var quiet = false

  func run() async throws {
    for path in models {
      for count in threads { try await measure(path, threads: count) }
    }
  }

  private func measure(_ path: String, threads: Int) async throws {
    let model = try LlamaModel(path: path)
    var runners: [DecodeRunner] = []
    for mode in modes {
      let runner = try await DecodeRunner(
        mode, model: model,
        options: LlamaOptions(
          threads: threads, contextSize: promptTokens + newTokens + 1, lanes: mode == .plain ? 1 : 2,
          flashAttention: attention.kernel))
      // Allocations, the first touch of the weights.
      let other = PromptPair(seed: 1 << 40, length: promptTokens, vocabulary: model.vocabularySize)
      _ = try await runner.run(other, 2)
      runners.append(runner)
    }
    var results = modes.map { _ in [DecodeResult]() }
    for round in 0..<rounds {
      let seed = seed + UInt64(round)
      let prompts = PromptPair(seed: seed, length: promptTokens, vocabulary: model.vocabularySize)
      for (index, runner) in runners.enumerated() {
        let result = try await runner.run(prompts, newTokens)
        results[index].append(result)
        try Record(
          kind: "decode", model: URL(fileURLWithPath: path).lastPathComponent, mode: runner.mode.rawValue,
          stepMode: runner.stepMode,
          threads: threads, seed: seed, promptTokens: promptTokens, newTokens: newTokens,
          seconds: result.total.seconds, cpuSeconds: result.total.cpuSeconds,
          firstTokenSeconds: result.firstToken, peakMemory: peakMemory(), tokens: result.tokens
        ).write(to: record)
      }
    }
    for runner in runners { await runner.shutdown() }
    if !quiet { printTable(path, threads, results) }
  }

  private func printTable(_ path: String, _ threads: Int, _ results: [[DecodeResult]]) {
    print("\n\(URL(fileURLWithPath: path).lastPathComponent), \(threads) thread\(threads == 1 ? "" : "s")")
    print("mode        tokens/s   first token   decoding to \(modes[0])   same tokens as batched")
    let batched = modes.firstIndex(of: .batched).map { results[$0].map(\.tokens) }
    for (index, mode) in modes.enumerated() {
      let speed = results[index].map(\.decodingSpeed).median
      let ratio = zip(results[index], results[0]).map { $0.decodingSpeed / $1.decodingSpeed }.median
      let same = mode == .plain ? "" : batched.map { agreement(results[index].map(\.tokens), $0) } ?? ""
      print(
        mode.rawValue.padded(to: 12) + speed.fixed(1).padded(to: 11)
          + "\((results[index].map(\.firstToken).median * 1e3).fixed(0)) ms".padded(to: 14)
          + ratio.fixed(3).padded(to: 21) + same)
    }
    print("peak memory of this process: \(peakMemory() >> 20) MiB")
  }

  private func agreement(_ tokens: [[TokenID]], _ others: [[TokenID]]) -> String {
    let prefixes = zip(tokens, others).map { $0.commonPrefix(with: $1) }
    return "\(prefixes.map(String.init).joined(separator: ", ")) of \(newTokens)"
  }
}

extension [TokenID] {
  func commonPrefix(with other: [TokenID]) -> Int {
    zip(self, other).prefix { $0 == $1 }.count
  }
}
