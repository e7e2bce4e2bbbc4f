import SelfCD
import SelfCDTesting
import Testing

@testable import SelfCDJudges

@Suite struct ChatModelTransportTests {
  private static func model(answer: String, context: Int = 8000) async throws -> ChatModel {
    let engine = try await Engine.start(stepMode: .batched) { _ in
      AnsweringBackend(answer: answer, context: context)
    }
    return ChatModel(engine: engine, renderer: ByteRenderer())
  }

  @Test func aModelInThisProcessJudges() async throws {
    let judge = LanguageModelJudge.local(try await Self.model(answer: "3_partial_refusal"), name: "m")
    #expect(judge.name == "llm:local/m")
    let verdict = try await judge.judge(prompt: "p", reply: "r")
    #expect(verdict.replyClass == .partialRefusal && verdict.note == "3_partial_refusal")
  }

  @Test func tokensAreCounted() async throws {
    let transport = ChatModelTransport(try await Self.model(answer: "yes"))
    let request = ChatRequest(
      model: "any", messages: [.init(role: .user, content: "x")], temperature: 0, maxTokens: 2)
    let prompt = "user:x\nassistant:"
    #expect(try await transport.send(request) == ChatResponse(text: "ye", tokens: prompt.utf8.count + 2))
  }

  @Test func whatCannotBeReadOrFitIsAskedOnce() async throws {
    let unsure = LanguageModelJudge.local(try await Self.model(answer: "hm"), name: "m")
    await #expect(throws: JudgeError.unreadableAnswer("hm")) { try await unsure.judge(prompt: "", reply: "") }
    let small = LanguageModelJudge.local(try await Self.model(answer: "1", context: 64), name: "m")
    await #expect {
      try await small.judge(prompt: "", reply: "")
    } throws: {
      guard case JudgeError.endpoint(attempts: 1, let detail) = $0 else { return false }
      return detail.contains("64")
    }
  }
}

/// Writes the same answer behind every prompt, byte by byte.
private final class AnsweringBackend: ModelBackend {
  private static let mark = "assistant:".utf8.map { TokenID($0) }
  let vocabulary: any Vocabulary = ByteVocabulary()
  let capacity: BackendCapacity
  private let answer: [TokenID]
  private var lanes: [[TokenID]] = [[], []]

  init(answer: String, context: Int) {
    self.answer = answer.utf8.map { TokenID($0) }
    capacity = BackendCapacity(lanes: 2, context: context, batch: 512)
  }

  func decode(_ appends: [LaneAppend], into rows: inout LogitRows) throws {
    for append in appends {
      lanes[append.lane.index] += append.tokens
      guard append.logits != .none else { continue }
      let next = Int(next(after: lanes[append.lane.index]))
      rows.append { target in
        for index in target.indices { target[index] = index == next ? 1 : 0 }
      }
    }
  }

  private func next(after history: [TokenID]) -> TokenID {
    let end = ByteVocabulary().endOfTurn
    guard let start = history.indices.last(where: { history[$0...].starts(with: Self.mark) }) else {
      return end
    }
    let written = history.count - start - Self.mark.count
    return written < answer.count ? answer[written] : end
  }

  func copyLane(_ source: LaneID, to target: LaneID) throws { lanes[target.index] = lanes[source.index] }
  func truncateLane(_ lane: LaneID, to position: Int) -> Bool {
    lanes[lane.index].removeLast(lanes[lane.index].count - position)
    return true
  }
  func clearLane(_ lane: LaneID) { lanes[lane.index] = [] }
}
