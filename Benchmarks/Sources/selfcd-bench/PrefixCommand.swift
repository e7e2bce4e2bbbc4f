import ArgumentParser
import Foundation
import SelfCD
import SelfCDLlama
import Synchronization

/// What a shared system prompt saves: an evaluation asks many questions behind the same one.
struct PrefixCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prefix",
    abstract: "Time to first token of several prompts with a common beginning, shared against each alone.")

  @Argument(help: "GGUF files.", completion: .file(extensions: ["gguf"]))
  var models: [String]

  @Option(help: "CPU threads.")
  var threads = 2

  @Option(help: "Prompts, each on a lane of its own.")
  var lanes = 8

  @Option(help: "Tokens of the common beginning.")
  var sharedTokens = 256

  @Option(help: "Tokens of each prompt's own rest.")
  var ownTokens = 24

  @Option(help: "Rounds.")
  var rounds = 3

  @OptionGroup var attention: AttentionOption

  func run() async throws {
    print("\(lanes) prompts of \(sharedTokens) shared and \(ownTokens) own tokens, \(threads) threads")
    print("model                   each alone   shared     less time")
    for path in models { try await measure(path) }
  }

  private func measure(_ path: String) async throws {
    let model = try LlamaModel(path: path)
    var alone: [Double] = []
    var shared: [Double] = []
    var toWhole = RowComparison()
    var toPieces = RowComparison()
    for round in 0..<rounds {
      let prompts = prompts(round: round, vocabulary: model.vocabularySize)
      let whole = try prefillEach(prompts, in: [sharedTokens + ownTokens], model)
      let ours = try await prefillShared(prompts, model)
      let pieces = try prefillEach(prompts, in: [sharedTokens, ownTokens], model)
      alone.append(whole.seconds)
      shared.append(ours.seconds)
      toWhole.add(ours.rows, to: whole.rows)
      toPieces.add(ours.rows, to: pieces.rows)
    }
    print(
      URL(fileURLWithPath: path).lastPathComponent.padded(to: 24)
        + "\((alone.median * 1e3).fixed(0)) ms".padded(to: 13)
        + "\((shared.median * 1e3).fixed(0)) ms".padded(to: 11)
        + zip(alone, shared).map { $0 / $1 }.median.fixed(2))
    print("    to each alone in the same pieces, \(sharedTokens) then \(ownTokens): \(toPieces)")
    print("    to each alone in one piece: \(toWhole)")
  }

  private func prompts(round: Int, vocabulary: Int) -> [[TokenID]] {
    let seed = UInt64(1000 * (round + 1))
    let beginning = randomPrompt(seed: seed, length: sharedTokens, vocabulary: vocabulary)
    return (1...lanes).map { lane in
      beginning + randomPrompt(seed: seed + UInt64(lane), length: ownTokens, vocabulary: vocabulary)
    }
  }

  private var options: LlamaOptions {
    LlamaOptions(
      threads: threads, contextSize: sharedTokens + ownTokens + 8, lanes: lanes, batchSize: 512,
      flashAttention: attention.kernel)
  }

  /// Each prompt in calls of its own: the time until the last of them has its first row of logits.
  private func prefillEach(
    _ prompts: [[TokenID]], in pieces: [Int], _ model: LlamaModel
  ) throws -> (seconds: Double, rows: [[Float]]) {
    let backend = try LlamaBackend(model: model, options: options, abort: AbortSignal())
    var rows = LogitRows(vocabularySize: backend.vocabulary.count)
    try backend.warmUp()
    let watch = Stopwatch()
    for (lane, prompt) in prompts.enumerated() {
      var start = 0
      for piece in pieces {
        let isLast = start + piece == prompt.count
        let tokens = prompt[start..<(start + piece)]
        try backend.decode(
          [LaneAppend(lane: LaneID(lane), tokens: tokens, logits: isLast ? .last : .none)], into: &rows)
        start += piece
      }
    }
    return (watch.elapsed().seconds, (0..<rows.count).map { rows[$0] })
  }

  /// Through the engine: the time until the last generation has its first token.
  private func prefillShared(
    _ prompts: [[TokenID]], _ model: LlamaModel
  ) async throws -> (seconds: Double, rows: [[Float]]) {
    let options = options
    let engine = try await Engine.start(stepMode: .batched) { abort in
      let backend = try LlamaBackend(model: model, options: options, abort: abort)
      try backend.warmUp()
      return EndlessBackend(backend)
    }
    let captures = prompts.map { _ in RowCapture() }
    let handles = engine.generate(
      zip(prompts, captures).map { prompt, capture in
        GenerationRequest(
          prompts: [.plain: prompt], rule: CapturingRule(capture: capture),
          options: GenerationOptions(maximumTokens: 1))
      })
    var seconds = 0.0
    for handle in handles {
      seconds = max(seconds, try await handle.reply().summary.timeToFirstToken.inSeconds)
    }
    await engine.shutdown()
    return (seconds, captures.map(\.row))
  }
}

/// How alike two sets of rows are, and whether a difference could change a token.
private struct RowComparison: CustomStringConvertible {
  private var count = 0
  private var identical = 0
  private var sameToken = 0
  private var widest: Float = 0
  /// Of the rows whose best token differs: by how much it led, at most.
  private var margin: Float = 0

  mutating func add(_ rows: [[Float]], to references: [[Float]]) {
    for (row, reference) in zip(rows, references) {
      count += 1
      if row == reference { identical += 1 }
      widest = max(widest, zip(row, reference).reduce(0) { max($0, abs($1.0 - $1.1)) })
      guard let ours = Argmax.first(of: row), let theirs = Argmax.first(of: reference) else { continue }
      if ours.token == theirs.token {
        sameToken += 1
      } else {
        margin = max(margin, theirs.score - reference[Int(ours.token)])
      }
    }
  }

  var description: String {
    "\(identical) of \(count) rows identical, largest difference \(widest), best token the same in \(sameToken)"
      + (sameToken < count ? ", elsewhere ahead by \(margin) at most" : "")
  }
}

private final class RowCapture: Sendable {
  private let storage = Mutex<[Float]>([])

  var row: [Float] {
    get { storage.withLock { $0 } }
    set { storage.withLock { $0 = newValue } }
  }
}

/// Plain decoding that keeps the first row it is given.
private struct CapturingRule: DecodingRule {
  let capture: RowCapture

  func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    scores = lanes[.plain]
    if step == 0 { capture.row = scores }
  }

  func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.plain] }
}
