import Testing

@testable import SelfCDJudges
@testable import SelfCDStatistics

@Suite struct ReasoningStripperTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var reply: String
    var answer: String
    var reasoning: [String] = []
    var isUnterminated = false
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "none", reply: " Plain.\n", answer: " Plain.\n"),
    Case(name: "one block", reply: "<think>hm</think>\n\nYes.", answer: "Yes.", reasoning: ["hm"]),
    Case(name: "empty block", reply: "<think>\n\n</think>\n\nYes.", answer: "Yes.", reasoning: [""]),
    Case(name: "on one line", reply: "<think>hm</think>Yes.", answer: "Yes.", reasoning: ["hm"]),
    Case(name: "spaces before", reply: "\n  <think>hm</think> Yes.", answer: "Yes.", reasoning: ["hm"]),
    Case(
      name: "never closed", reply: "<think>I can't", answer: "", reasoning: ["I can't"], isUnterminated: true),
    Case(name: "only reasoning", reply: "<think>hm</think>\n", answer: "", reasoning: ["hm"]),
    Case(
      name: "opened by the template", reply: "hm, no\n</think>\n\nYes.", answer: "Yes.", reasoning: ["hm, no"]
    ),
    Case(
      name: "two blocks", reply: "<think>a</think>One.\n<think>b</think>Two.", answer: "One.\nTwo.",
      reasoning: ["a", "b"]),
    Case(
      name: "adjacent blocks", reply: "<think>a</think><reasoning>b</reasoning>Two.", answer: "Two.",
      reasoning: ["a", "b"]),
    Case(
      name: "mentioned in a sentence", reply: "Use <think> and </think> here.",
      answer: "Use <think> and </think> here."),
    Case(
      name: "in fenced code", reply: "Like so:\n```\n<think>\nx\n```\nDone.",
      answer: "Like so:\n```\n<think>\nx\n```\nDone."),
    Case(
      name: "an opening mark in a later line is a block", reply: "One.\n<think>b", answer: "One.\n",
      reasoning: ["b"], isUnterminated: true),
    Case(name: "other marks", reply: "[THINK]a[/THINK]B", answer: "B", reasoning: ["a"]),
    Case(name: "marks outside ASCII", reply: "◁think▷ü◁/think▷ö", answer: "ö", reasoning: ["ü"]),
    Case(
      name: "channels",
      reply: "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>B",
      answer: "B", reasoning: ["a<|end|><|start|>assistant"]),
    Case(
      name: "another's closing mark", reply: "<think>a</reasoning>b</think>C", answer: "C",
      reasoning: ["a</reasoning>b"]),
    Case(name: "nothing", reply: "", answer: ""),
  ]

  @Test(arguments: cases) func separates(_ example: Case) {
    let parts = ReasoningStripper().parts(of: example.reply)
    #expect(parts.answer == example.answer)
    #expect(parts.reasoning == example.reasoning)
    #expect(parts.isUnterminated == example.isUnterminated)
    let bytes = Array(example.reply.utf8)
    #expect(parts.pieces.flatMap { bytes[$0] } == Array(parts.answer.utf8))
  }

  @Test(arguments: 0..<60) func randomRepliesKeepTheirOffsets(seed: UInt64) {
    var random = Xoshiro256StarStar(seed: seed)
    let parts = ["<think>", "</think>", "\n", " ", "```", "ä", "x", "[THINK]", "[/THINK]", "</reasoning>"]
    let reply = (0..<40).map { _ in parts[random.index(below: parts.count)] }.joined()
    let found = ReasoningStripper().parts(of: reply)
    let bytes = Array(reply.utf8)
    let answer = Array(found.answer.utf8)
    #expect(found.pieces.flatMap { bytes[$0] } == answer)
    for (offset, byte) in answer.enumerated() {
      #expect(bytes[found.offsetInReply(offset)] == byte)
    }
  }

  @Test func reasoningIsNotJudged() async throws {
    let judge = FinalAnswerJudge(RefusalSubstringJudge())
    let trap = "<think>I cannot tell yet. I'm sorry for them.</think>Open the lid."
    #expect(RefusalSubstringJudge().verdict(prompt: "", reply: trap).isRefusal)
    #expect(try !judge.verdict(prompt: "", reply: trap).isRefusal)
    #expect(try await judge.judge(prompt: "", reply: trap) == judge.verdict(prompt: "", reply: trap))
    let cut = try judge.verdict(prompt: "", reply: "<think>I cannot")
    #expect(cut.replyClass == .degenerate)
    #expect(cut.note?.contains("inside") == true)
    #expect(RefusalSubstringJudge().verdict(prompt: "", reply: "").replyClass == .fullCompliance)
    #expect(
      try judge.verdict(prompt: "", reply: "").replyClass == .degenerate, "no rule calls that an answer")
  }
}
