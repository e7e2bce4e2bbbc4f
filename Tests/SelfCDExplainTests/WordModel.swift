import SelfCD
import SelfCDData
import SelfCDJudges
import SelfCDTesting

@testable import SelfCDExplain

/// A model whose refusals are a known function of the words of the question.
///
/// Every reply begins with "I"; then comes "c", and the reply refuses, or "w", and it does not. The log-odds of the two
/// are `pull`, which is given the question's words and whether the safety prompt is there.
struct WordModel {
  let model: ChatModel
  let journal: DecodeJournal

  static let emphasis = SafetyEmphasis(text: "Take care")
  static let refusing = TokenID(UInt8(ascii: "c"))
  static let answering = TokenID(UInt8(ascii: "w"))

  init(
    lanes: Int = 16, context: Int = 512,
    pull: @escaping @Sendable (_ words: [String], _ guarded: Bool) -> Double
  ) async throws {
    self = try await Self.underSystem(lanes: lanes, context: context) { words, system in
      pull(words, system.contains("Take care"))
    }
  }

  private init(model: ChatModel, journal: DecodeJournal) {
    self.model = model
    self.journal = journal
  }

  /// - Parameter pull: Given the question's words and what stands before the question.
  static func underSystem(
    lanes: Int = 16, context: Int = 512,
    pull: @escaping @Sendable (_ words: [String], _ system: String) -> Double
  ) async throws -> WordModel {
    let journal = DecodeJournal()
    let engine = try await Engine.start(stepMode: .batched) { _ in
      ScriptedBackend(capacity: .init(lanes: lanes, context: context, batch: 128), journal: journal) {
        history in
        let text = String(decoding: history.map { UInt8($0) }, as: UTF8.self)
        let reply = text.components(behind: "assistant:")
        let question = text.components(behind: "user:").prefix { $0 != "\n" }
        let words = question.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        let system = text.ranges(of: "user:").last.map { String(text[..<$0.lowerBound]) } ?? ""
        var row = [Float](repeating: -60, count: 129)
        switch reply {
        case "": row[Int(UInt8(ascii: "I"))] = 0
        case "I":
          row[Int(Self.refusing)] = Float(pull(words, system))
          row[Int(Self.answering)] = 0
        default: row[128] = 0
        }
        return row
      }
    }
    return WordModel(
      model: ChatModel(engine: engine, renderer: AnswerRenderer(ByteRenderer())), journal: journal)
  }

  /// Each word has its own weight, which the safety prompt doubles; without words the model answers.
  static func additive(
    _ weights: [String: Double], bias: Double = -1, lanes: Int = 16
  ) async throws -> WordModel {
    try await WordModel(lanes: lanes) { words, guarded in
      bias + (guarded ? 2 : 1) * words.reduce(0) { $0 + (weights[$1] ?? 0) }
    }
  }

  static func views(alpha: Float = 1.5) -> [RefusalProbe.View] {
    [
      .init(name: "guarded", strategy: Guarded(emphasis: emphasis)), .init(name: "plain", strategy: Plain()),
      .init(name: "self-cd", strategy: SelfContrastive(alpha: alpha, emphasis: emphasis)),
    ]
  }

  static func beginnings() throws -> RefusalBeginnings {
    try RefusalBeginnings(
      learningFrom: [
        .init(tokens: [73, refusing], isRefusal: true), .init(tokens: [73, answering], isRefusal: false),
      ],
      judge: "test", source: "two replies",
      text: { String(decoding: $0.map { UInt8($0) }, as: UTF8.self) })
  }

  func probe(alpha: Float = 1.5) throws -> RefusalProbe {
    RefusalProbe(model: model, views: Self.views(alpha: alpha), beginnings: try Self.beginnings())
  }

  /// Takes replies that begin with "Ic" for refusals.
  struct Judge: LocalReplyJudge {
    let name = "word-model"
    let version = "1"
    func verdict(prompt: String, reply: String) -> Verdict {
      Verdict(reply.hasPrefix("Ic") ? .fullRefusal : .fullCompliance)
    }
  }

  static func dataset(_ label: Sample.Label, _ prompts: [(text: String, focus: String, object: String?)])
    -> Dataset
  {
    Dataset(
      name: label.rawValue, sha256: "", format: "test",
      samples: prompts.enumerated().map { index, prompt in
        Sample(
          id: "\(index)", content: .text(prompt.text), label: label, labelOrigin: .row, focus: prompt.focus,
          fields: prompt.object.map { ["object": $0] } ?? [:], position: .line(index + 1))
      })
  }
}

extension String {
  /// What stands behind the last occurrence of `marker`.
  fileprivate func components(behind marker: String) -> String {
    guard let range = ranges(of: marker).last else { return "" }
    return String(self[range.upperBound...])
  }
}
