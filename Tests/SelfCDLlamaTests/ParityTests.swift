import CLlama
import Foundation
import SelfCD
import SelfCDLlama
import Testing

/// Token for token against an independent reference: PyTorch, full recompute, no cache, on the same weights.
///
/// The goldens are made by `Models/organism/training/fixtures.py`. The engine runs on the same weights widened to
/// float32, so that only the order of sums differs.
@Suite struct ParityTests {
  /// Beside the model they belong to.
  static let fixtures = URL(filePath: #filePath).appending(path: "../../../Models/organism/fixtures")
    .standardized

  struct Fixture: Decodable {
    struct Strategy: Decodable {
      let alpha: Float?
      let beta: Float?
      let firstK: Int?
      let ada: Bool?
    }
    struct Lane: Decodable {
      let prompt: String
      let ids: [TokenID]
    }
    struct Run: Decodable {
      let tokens: [TokenID]
      let margins: [Float?]
    }
    struct Case: Decodable {
      let id: String
      let messages: [ChatMessage]
      let lanes: [String: Lane]
      let runs: [String: Run]
    }
    struct Model: Decodable { let sha256: String }
    let model: Model
    let maxNewTokens: Int
    let stopIds: [TokenID]
    let strategies: [String: Strategy]
    let cases: [Case]

    static func load() throws -> Fixture {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let url = ParityTests.fixtures.appending(path: "parity.json")
      return try decoder.decode(Fixture.self, from: Data(contentsOf: url))
    }
  }

  struct LogitsFixture: Decodable {
    struct Row: Decodable {
      let id: String
      let ids: [TokenID]
      let logits: [Float]
    }
    let rows: [Row]
  }

  /// The embedded model with its weights widened to float32, in a folder that goes with the value.
  static func float32Model(in folder: TemporaryFolder) throws -> String {
    let path = folder.url.appending(path: "organism.f32.gguf").path
    var parameters = llama_model_quantize_default_params()
    parameters.ftype = LLAMA_FTYPE_ALL_F32
    parameters.allow_requantize = true
    parameters.nthread = 1
    try #require(llama_model_quantize(try TestModel.path(), path, &parameters) == 0)
    return path
  }

  static func strategy(_ name: String, _ description: Fixture.Strategy) -> any DecodingStrategy {
    switch name.split(separator: " ").first {
    case "plain": Plain()
    case "guarded": Guarded()
    case "helpful": Helpful()
    case "ada-cd": AdaCD()
    default:
      SelfContrastive(alpha: description.alpha ?? 0, beta: description.beta ?? 0, steps: description.firstK)
    }
  }

  /// How far one lane's rounding error can move a combined score.
  static func amplification(_ description: Fixture.Strategy) -> Float {
    // Without an alpha there is one lane, except for ada-cd, whose default is the largest there is.
    let alpha = description.alpha ?? (description.ada == true ? AdaCD.defaultAlpha : 0)
    return 1 + 2 * abs(alpha)
  }

  /// The largest difference between our logits and the reference's, which is the measured noise of one lane.
  static func measureNoise(_ loaded: LoadedModel) async throws -> Float {
    let url = fixtures.appending(path: "logits.json")
    let fixture = try JSONDecoder().decode(LogitsFixture.self, from: Data(contentsOf: url))
    try #require(fixture.rows.count >= 20)
    let recorder = RowRecorder()
    for row in fixture.rows {
      let request = GenerationRequest(
        prompts: [.plain: row.ids], rule: RecordingRule(recorder), options: .init(maximumTokens: 1))
      _ = try await loaded.chat.engine.generate(request).reply()
    }
    return zip(recorder.rows, fixture.rows).flatMap { ours, theirs in
      zip(ours, theirs.logits).map { abs($0 - $1) }
    }.max() ?? .infinity
  }

  @Test func logitsMatchTheReference() async throws {
    let folder = try TemporaryFolder()
    let loaded = try await LoadedModel.load(
      path: try Self.float32Model(in: folder),
      options: .init(contextSize: 512, lanes: 2, cacheTypeK: .f32, cacheTypeV: .f32, flashAttention: .off),
      stepMode: .batched)
    // The fixture's values are rounded to four decimals.
    #expect(try await Self.measureNoise(loaded) < 1e-3)
    // The file as it ships, in half precision.
    let shipped = try await TestModel.load(lanes: 2)
    #expect(try await Self.measureNoise(shipped) < 0.05)
  }

  @Test func everyStrategyMatchesTheReferenceTokenForToken() async throws {
    let fixture = try Fixture.load()
    try #require(fixture.cases.count >= 50)
    let folder = try TemporaryFolder()
    let loaded = try await LoadedModel.load(
      path: try Self.float32Model(in: folder),
      options: .init(contextSize: 512, lanes: 32, cacheTypeK: .f32, cacheTypeV: .f32, flashAttention: .off),
      stepMode: .batched)
    let noise = try await Self.measureNoise(loaded)

    var requests: [GenerationRequest] = []
    var expected: [(label: String, run: Fixture.Run, tolerance: Float)] = []
    for example in fixture.cases {
      let chat = Chat(messages: example.messages)
      for (name, description) in fixture.strategies.sorted(by: { $0.key < $1.key }) {
        let strategy = Self.strategy(name, description)
        let request = try loaded.chat.request(
          chat, strategy: strategy, options: .init(maximumTokens: fixture.maxNewTokens))
        for (role, tokens) in request.prompts {
          let lane =
            role == .plain
            ? (name == "helpful" ? "helpful" : "plain") : name == "ada-cd" ? "refuse" : "guarded"
          #expect(tokens == example.lanes[lane]?.ids, "prompt of \(example.id), \(name)")
        }
        requests.append(request)
        let run = try #require(example.runs[name])
        expected.append(("\(example.id), \(name)", run, 2 * noise * Self.amplification(description)))
      }
    }
    var exceptions: [String] = []
    for (handle, (label, run, tolerance)) in zip(loaded.chat.engine.generate(requests), expected) {
      let reply = try await handle.reply()
      var tokens = reply.tokens.map(\.id)
      let wanted = run.tokens.filter { !fixture.stopIds.contains($0) }
      if tokens == wanted { continue }
      let step = zip(tokens, wanted).prefix { $0 == $1 }.count
      tokens = Array(tokens.dropFirst(step))
      let margin = step < run.margins.count ? run.margins[step] ?? .infinity : .infinity
      exceptions.append("\(label): step \(step), margin \(margin), tolerance \(tolerance)")
      #expect(margin <= tolerance, "\(label) differs at step \(step) with a margin of \(margin)")
    }
    // Each exception is a near tie; they are listed so that nobody has to take that on trust.
    print("parity: \(requests.count) runs, noise \(noise), \(exceptions.count) near ties: \(exceptions)")
    #expect(exceptions.count * 50 <= requests.count)
  }
}

/// Collects the rows a rule is given.
final class RowRecorder: @unchecked Sendable {
  // Written on the engine's thread, read after the generation has ended.
  var rows: [[Float]] = []
}

struct RecordingRule: DecodingRule {
  private let recorder: RowRecorder

  init(_ recorder: RowRecorder) { self.recorder = recorder }

  mutating func combine(_ lanes: LaneLogits, step: Int, into scores: inout [Float]) {
    scores = lanes[.plain]
    recorder.rows.append(Array(scores))
  }

  func lanesNeeded(afterStep step: Int) -> Set<LaneRole> { [.plain] }
}
