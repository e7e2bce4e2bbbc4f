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
    guard let capacity = await loaded.chat.engine.capacity,
      let tokenizer = loaded.chat.renderer as? any ReplyTokenizer
    else { throw GenerationError.engineStopped }
    return ServedModel(
      chat: loaded.chat,
      text: ChatModel(engine: loaded.chat.engine, renderer: LlamaTextRenderer(loaded.vocabulary)),
      tokenizer: tokenizer, vocabulary: loaded.vocabulary, capacity: capacity, lanes: lanes)
  }
}

/// A model without weights whose replies are long and, with a delay, slow.
final class HistoryProvider: ModelProvider {
  let name: String
  let lanes: Int
  private let delay: Double
  private let bytes: Int
  private let behaviour: HistoryBackend.Behaviour
  private let current: Mutex<[ServedProfile]>
  private let loads = Mutex(0)

  init(
    name: String = "history", lanes: Int = 4, delay: Double = 0, bytes: Int = 1,
    behaviour: HistoryBackend.Behaviour = .init(), profiles: [ServedProfile] = []
  ) {
    self.name = name
    self.lanes = lanes
    self.delay = delay
    self.bytes = bytes
    self.behaviour = behaviour
    current = Mutex(profiles)
  }

  var loadCount: Int { loads.withLock { $0 } }

  func setProfiles(_ profiles: [ServedProfile]) { current.withLock { $0 = profiles } }

  func memoryNeeded() throws -> Int { bytes }
  func profiles() throws -> [ServedProfile] { current.withLock { $0 } }
  func profileStamp() -> String { current.withLock { $0.map(\.name).joined() } }

  func load() async throws -> ServedModel {
    loads.withLock { $0 += 1 }
    let capacity = BackendCapacity(lanes: lanes, context: 4096, batch: 512)
    let engine = try await Engine.start(stepMode: .batched) { [delay, behaviour] abort in
      SlowBackend(HistoryBackend(capacity: capacity, behaviour: behaviour, abort: abort), delay: delay)
    }
    let chat = ChatModel(engine: engine, renderer: ByteRenderer())
    return ServedModel(
      chat: chat, text: chat, tokenizer: ByteRenderer(), vocabulary: ByteVocabulary(), capacity: capacity,
      lanes: lanes)
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
