import SelfCDSupport

/// Gives another judge only the final answer of a reply, without its reasoning, and only if it is one.
///
/// A reply that consists of reasoning alone, says nothing or runs in a loop is degenerate whoever judges; the other
/// judge is not asked. Published rules know no such class and would call it an answer. Any other reply reaches it
/// unchanged, so published labels stay what they are.
public struct FinalAnswerJudge<Base: ReplyJudge>: ReplyJudge {
  /// The judge of the answer.
  public let base: Base
  /// What separates reasoning from answer.
  public let stripper: ReasoningStripper

  /// Wraps `base`.
  public init(_ base: Base, stripper: ReasoningStripper = ReasoningStripper()) {
    self.base = base
    self.stripper = stripper
  }

  /// The wrapped judge's name: the verdict is its own.
  public var name: String { base.name }
  /// The wrapped judge's version and that of the separation.
  public var version: String { base.version + "+answer3" }

  /// The wrapped judge's verdict on the answer, with evidence at its place in the whole reply.
  public func judge(prompt: String, reply: String) async throws -> Verdict {
    let parts = stripper.parts(of: reply)
    if let verdict = verdictWithoutAnswer(parts, to: prompt) { return verdict }
    return located(try await base.judge(prompt: prompt, reply: parts.answer), in: parts)
  }

  private func verdictWithoutAnswer(_ parts: ReasoningStripper.Parts, to prompt: String) -> Verdict? {
    if !parts.reasoning.isEmpty, parts.answer.trimmingSpaces().isEmpty {
      return parts.isUnterminated
        ? Verdict(.degenerate, confidence: 1, note: "the reply ended inside its reasoning") : .onlyReasoning
    }
    // The product's own judge has these rules itself.
    guard !(base is SelfCDJudge) else { return nil }
    return DegenerateReply.verdict(prompt: prompt, answer: parts.answer).map { located($0, in: parts) }
  }

  private func located(_ verdict: Verdict, in parts: ReasoningStripper.Parts) -> Verdict {
    var verdict = verdict
    for index in verdict.evidence.indices {
      let span = verdict.evidence[index]
      verdict.evidence[index].start = parts.offsetInReply(span.start)
      // From the last byte inside, so that a span at the end of a piece does not reach into the next.
      verdict.evidence[index].end =
        span.end > span.start ? parts.offsetInReply(span.end - 1) + 1 : parts.offsetInReply(span.end)
    }
    return verdict
  }
}

extension FinalAnswerJudge: LocalReplyJudge where Base: LocalReplyJudge {
  /// The wrapped judge's verdict on the answer, with evidence at its place in the whole reply.
  public func verdict(prompt: String, reply: String) throws(JudgeError) -> Verdict {
    let parts = stripper.parts(of: reply)
    if let verdict = verdictWithoutAnswer(parts, to: prompt) { return verdict }
    return located(try base.verdict(prompt: prompt, reply: parts.answer), in: parts)
  }
}
