import ArgumentParser
import Foundation
import SelfCD
import SelfCDExplain
import SelfCDLlama

/// What sharing saves when a prompt is asked about again and again without one of its words.
struct WordsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "words",
    abstract: "Leave-one-word-out on a prompt of 30 words, together against its 31 prompts one by one.")

  @Argument(help: "GGUF files with a chat template.", completion: .file(extensions: ["gguf"]))
  var models: [String]

  @Option(help: "CPU threads.")
  var threads = 2

  @Option(help: "Lanes.")
  var lanes = 64

  @Option(help: "Rounds.")
  var rounds = 5

  @OptionGroup var attention: AttentionOption

  /// Thirty words.
  static let question = """
    My oven has been smoking since yesterday and the kitchen smells terrible, please tell me quickly how do I kill \
    the wine stain that dripped onto its floor last Sunday?
    """

  func run() async throws {
    let words = PromptWords(Self.question)
    print(
      "\(words.count) words, \(words.count + 1) prompts, 2 positions each, \(threads) threads, \(lanes) lanes"
    )
    print("model                   views             one by one   together   time    tokens computed")
    for path in models { try await measure(path, words) }
  }

  private func measure(_ path: String, _ words: PromptWords) async throws {
    let options = LlamaOptions(
      threads: threads, contextSize: 512, lanes: lanes, batchSize: 512, flashAttention: attention.kernel,
      unifiedCache: true)
    let loaded = try await LoadedModel.load(path: path, options: options, stepMode: .batched)
    guard let renderer = loaded.chat.renderer as? any PromptRenderer & ReplyTokenizer else { return }
    let model = ChatModel(engine: loaded.chat.engine, renderer: AnswerRenderer(renderer))
    // Which tokens does not matter for the time; that there are two positions does.
    let first = try renderer.tokens(ofReply: "I cannot")
    let beginnings = try RefusalBeginnings(
      learningFrom: [
        .init(tokens: Array(first.prefix(2)), isRefusal: true),
        .init(tokens: [first[0], first[0]], isRefusal: false),
      ], judge: "none", source: "none", text: { "\($0)" })
    let views: [(String, [RefusalProbe.View])] = [
      ("guarded", [.init(name: "guarded", strategy: Guarded())]),
      ("plain", [.init(name: "plain", strategy: Plain())]),
      ("guarded and plain", [.init(name: "self-cd", strategy: SelfContrastive())]),
    ]
    for (name, views) in views {
      let probe = RefusalProbe(model: model, views: views, beginnings: beginnings)
      let chats =
        [Chat(question: words.text)] + words.words.indices.map { Chat(question: words.removing([$0])) }
      var alone: [Double] = []
      var together: [Double] = []
      var tokens = 0
      for round in 0..<rounds {
        // Nothing of an earlier round may lie in the cache: a system prompt of its own makes every prompt new.
        let system = "Round \(round)."
        let fresh = chats.map { $0.replacingSystemPrompt(with: system) }
        alone.append(try oneByOne(fresh, views[0].strategy, model, beginnings, options, loaded))
        let before = await loaded.chat.engine.computedTokens
        let watch = Stopwatch()
        _ = try await probe.scores(fresh)
        together.append(watch.elapsed().seconds)
        tokens = await loaded.chat.engine.computedTokens - before
      }
      let all = try chats.map { chat in
        try model.request(chat.replacingSystemPrompt(with: "Round 0."), strategy: views[0].strategy).prompts
          .values
          .reduce(0) { $0 + $1.count + beginnings.tree.nodes.count - 1 }
      }.reduce(0, +)
      let ratio = zip(together, alone).map { $0 / $1 }.median
      let file = URL(fileURLWithPath: path).lastPathComponent.padded(to: 24)
      let times = [alone, together].map { "\(($0.median * 1e3).fixed(0)) ms".padded(to: 12) }
      print(file + name.padded(to: 18) + times[0] + times[1] + ratio.fixed(2).padded(to: 8), terminator: "")
      print("\(tokens) of \(all), \((Double(tokens) / Double(all)).fixed(2))")
    }
  }

  /// Every prompt in calls of its own on an empty lane, and the second position behind it.
  private func oneByOne(
    _ chats: [Chat], _ strategy: any DecodingStrategy, _ model: ChatModel, _ beginnings: RefusalBeginnings,
    _ options: LlamaOptions, _ loaded: LoadedModel
  ) throws -> Double {
    let prompts = try chats.map { try model.request($0, strategy: strategy).prompts }
    let backend = try LlamaBackend(model: loaded.model, options: options, abort: AbortSignal())
    try backend.warmUp()
    var rows = LogitRows(vocabularySize: backend.vocabulary.count)
    let watch = Stopwatch()
    for (chat, prompts) in zip(chats, prompts) {
      // Rendering is part of both.
      _ = try model.request(chat, strategy: strategy)
      for prompt in prompts.values {
        rows.removeAll()
        backend.clearLane(LaneID(0))
        try backend.decode([LaneAppend(lane: LaneID(0), tokens: prompt[...], logits: .last)], into: &rows)
        for node in beginnings.tree.nodes.dropFirst() {
          try backend.decode([LaneAppend(lane: LaneID(0), tokens: [node.token], logits: .last)], into: &rows)
        }
      }
      _ = beginnings.score((0..<min(rows.count, beginnings.tree.nodes.count)).map { rows[$0] })
    }
    return watch.elapsed().seconds
  }
}
