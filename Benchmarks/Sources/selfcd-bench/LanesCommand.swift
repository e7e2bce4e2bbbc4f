import ArgumentParser
import Foundation
import SelfCD
import SelfCDLlama

/// What a step costs by the number of lanes in it: two for one Self-CD reply, more for an evaluation or a server.
struct LanesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lanes",
    abstract: "Time of one step for several lanes in one call of the model, against one lane.")

  @Argument(help: "GGUF files.", completion: .file(extensions: ["gguf"]))
  var models: [String]

  @Option(help: "CPU threads.")
  var threads = 1

  @Option(parsing: .upToNextOption, help: "Numbers of lanes.")
  var lanes: [Int] = [1, 2, 3, 4, 6, 8, 16]

  @Option(help: "Tokens that each lane holds before.")
  var promptTokens = 64

  @Option(help: "Rounds; each times every number of lanes once.")
  var rounds = 15

  func run() throws {
    for path in models { try measure(path) }
  }

  private func measure(_ path: String) throws {
    let model = try LlamaModel(path: path)
    let most = lanes.max() ?? 1
    let options = LlamaOptions(threads: threads, contextSize: promptTokens + rounds + 1, lanes: most)
    let backend = try LlamaBackend(model: model, options: options, abort: AbortSignal())
    var rows = LogitRows(vocabularySize: backend.vocabulary.count)
    for lane in 0..<most {
      let prompt = randomPrompt(seed: UInt64(lane), length: promptTokens, vocabulary: model.vocabularySize)
      try backend.decode([LaneAppend(lane: LaneID(lane), tokens: prompt[...], logits: .none)], into: &rows)
    }
    var times = lanes.map { _ in [Double]() }
    // The first round warms up.
    for round in 0...rounds {
      for (index, count) in lanes.enumerated() {
        let appends = (0..<count).map { lane in
          LaneAppend(lane: LaneID(lane), tokens: [TokenID(100 + round)], logits: .last)
        }
        rows.removeAll()
        let watch = Stopwatch()
        try backend.decode(appends, into: &rows)
        let seconds = watch.elapsed().seconds
        if round > 0 { times[index].append(seconds) }
        for append in appends { _ = backend.truncateLane(append.lane, to: promptTokens) }
      }
    }
    print("\n\(URL(fileURLWithPath: path).lastPathComponent), \(threads) thread\(threads == 1 ? "" : "s")")
    print("lanes   ms a step   a lane's share, to a step of one")
    for (index, count) in lanes.enumerated() {
      let share = zip(times[index], times[0]).map { $0 / $1 / Double(count) }.median
      print("\(count)".padded(to: 8) + (times[index].median * 1e3).fixed(2).padded(to: 12) + share.fixed(2))
    }
  }
}
