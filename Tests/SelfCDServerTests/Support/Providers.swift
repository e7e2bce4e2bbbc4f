import Foundation
import SelfCD
import SelfCDLlama
import SelfCDOrganism
import SelfCDServer
import SelfCDTesting
import Synchronization

/// The embedded model.
struct OrganismProvider: ModelProvider {
  var name = "organism"
  var lanes = 8

  func memoryNeeded() throws -> Int { 1 }

  /// The model as the command line loads it, too.
  static func loadedModel(lanes: Int) async throws -> LoadedModel {
    try await LoadedModel.load(
      path: try Organism.biased.path(),
      options: LlamaOptions(contextSize: 512, lanes: lanes, flashAttention: .off), stepMode: .batched)
  }

  func load() async throws -> ServedModel {
    let loaded = try await Self.loadedModel(lanes: lanes + 2)
    guard let capacity = await loaded.chat.engine.capacity else { throw GenerationError.engineStopped }
    return ServedModel(
      chat: loaded.chat,
      text: ChatModel(engine: loaded.chat.engine, renderer: LlamaTextRenderer(loaded.vocabulary)),
      tokenizer: loaded.renderer, vocabulary: loaded.vocabulary, capacity: capacity, lanes: lanes,
      constraint: { [model = loaded.model] format in
        let grammar =
          switch format {
          case .text: try Grammar(#"root ::= [^\x00]*"#)
          case .jsonObject: try Grammar.anyJSONObject()
          case .schema(let schema): try Grammar(jsonSchema: schema)
          case .grammar(let text): try Grammar(text)
          }
        return try grammar.constraint(for: model)
      })
  }
}

/// A model without weights whose replies are as long as they may be and, with a delay, slow.
final class HistoryProvider: ModelProvider {
  let name: String
  let lanes: Int
  private let delay: Double
  private let bytes: Int
  private let behaviour: HistoryBackend.Behaviour
  private let loadDelay: Double
  private let gate: LoadGate?
  private let failingLoads: Int
  private let current: Mutex<[ServedProfile]>
  private let loads = Mutex(0)

  init(
    name: String = "history", lanes: Int = 4, delay: Double = 0, bytes: Int = 1,
    behaviour: HistoryBackend.Behaviour = .init(neverEnds: true), profiles: [ServedProfile] = [],
    loadDelay: Double = 0,
    gate: LoadGate? = nil, failingLoads: Int = 0
  ) {
    self.name = name
    self.lanes = lanes
    self.delay = delay
    self.bytes = bytes
    self.behaviour = behaviour
    self.loadDelay = loadDelay
    self.gate = gate
    self.failingLoads = failingLoads
    current = Mutex(profiles)
  }

  /// What the weights that it loads are told by.
  var identity: String? { weights.withLock { $0 } }
  private let weights = Mutex<String?>(nil)

  func setIdentity(_ identity: String) { weights.withLock { $0 = identity } }

  var loadCount: Int { loads.withLock { $0 } }

  func setProfiles(_ profiles: [ServedProfile]) { current.withLock { $0 = profiles } }

  func memoryNeeded() throws -> Int { bytes }
  func profiles() throws -> [ServedProfile] { current.withLock { $0 } }
  func profileStamp() -> String { current.withLock { $0.map(\.name).joined() } }

  func load() async throws -> ServedModel {
    let number = loads.withLock { loads in
      loads += 1
      return loads
    }
    try await Task.sleep(for: .seconds(loadDelay))
    await gate?.wait()
    guard number > failingLoads else { throw BackendError.failed("as told") }
    let capacity = BackendCapacity(lanes: lanes, context: 4096, batch: 512)
    let engine = try await Engine.start(stepMode: .batched) { [delay, behaviour] abort in
      SlowBackend(HistoryBackend(capacity: capacity, behaviour: behaviour, abort: abort), delay: delay)
    }
    let chat = ChatModel(engine: engine, renderer: ByteRenderer())
    return ServedModel(
      chat: chat, text: chat, tokenizer: ByteRenderer(), vocabulary: ByteVocabulary(), capacity: capacity,
      lanes: lanes, identity: identity)
  }
}

/// A backend whose calls take time.
final class SlowBackend: ModelBackend {
  private let base: HistoryBackend
  private let delay: Double

  init(_ base: HistoryBackend, delay: Double) {
    self.base = base
    self.delay = delay
  }

  var vocabulary: any Vocabulary { base.vocabulary }
  var capacity: BackendCapacity { base.capacity }

  func decode(_ appends: [LaneAppend], into rows: inout LogitRows) throws {
    if delay > 0 { Thread.sleep(forTimeInterval: delay) }
    try base.decode(appends, into: &rows)
  }

  func copyLane(_ source: LaneID, to target: LaneID) throws { try base.copyLane(source, to: target) }
  func truncateLane(_ lane: LaneID, to position: Int) -> Bool { base.truncateLane(lane, to: position) }
  func clearLane(_ lane: LaneID) { base.clearLane(lane) }
}

/// Keeps a model from being loaded until it is opened.
final class LoadGate: Sendable {
  private let opening = AsyncStream<Void>.makeStream()

  func open() { opening.continuation.finish() }
  func wait() async { for await _ in opening.stream {} }
}

/// A model that says one text, byte by byte, and may mark its reasoning.
struct ScriptedProvider: ModelProvider {
  var name = "scripted"
  let says: String
  /// The bytes around its reasoning.
  var markers: (start: TokenID, end: TokenID)?

  private struct Renderer: PromptRenderer, ReplyTokenizer {
    let reasoning: ReasoningMarkers?

    func render(_ chat: Chat) throws -> RenderedPrompt {
      let text = chat.messages.map(\.content).joined(separator: "\n") + "assistant:"
      return RenderedPrompt(tokens: try tokens(ofReply: text), text: text, reasoning: reasoning)
    }

    func tokens(ofReply text: String) throws -> [TokenID] { text.utf8.map { TokenID($0) } }
  }

  func memoryNeeded() throws -> Int { 1 }

  func load() async throws -> ServedModel {
    let vocabulary = ByteVocabulary(count: 257)
    let capacity = BackendCapacity(lanes: 4, context: 512, batch: 128)
    let reply = says.utf8.map { TokenID($0) } + [vocabulary.endOfTurn]
    let prompt = Array("assistant:".utf8).map { TokenID($0) }
    let engine = try await Engine.start(stepMode: .batched) { _ in
      ScriptedBackend(vocabulary: vocabulary, capacity: capacity) { tokens in
        var row = [Float](repeating: 0, count: vocabulary.count)
        let said = tokens.indices.reversed().first { tokens[$0...].starts(with: prompt) }
          .map { tokens.count - $0 - prompt.count }
        row[Int(reply[min(said ?? 0, reply.count - 1)])] = 20
        return row
      }
    }
    let renderer = Renderer(
      reasoning: markers.map {
        ReasoningMarkers(start: [$0.start], end: [$0.end], isOpenAtStart: false)
      })
    let chat = ChatModel(engine: engine, renderer: renderer)
    return ServedModel(
      chat: chat, text: chat, tokenizer: renderer, vocabulary: vocabulary, capacity: capacity, lanes: 4)
  }
}
