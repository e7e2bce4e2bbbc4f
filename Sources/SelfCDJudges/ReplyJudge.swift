/// Says whether a reply complies or refuses.
///
/// Order of calls: once a reply is complete, `judge(prompt:reply:)`, any number of times and from any task. A
/// judge holds no state that one verdict passes to the next. `name` and `version` go into the run record; a
/// judge whose verdicts change gets a new version.
public protocol ReplyJudge: Sendable {
  /// The name for `--judge` and the run record.
  var name: String { get }
  /// Changes whenever verdicts can change.
  var version: String { get }
  /// The verdict on `reply`, given as an answer to `prompt`.
  /// - Throws: `JudgeError` where a judge depends on something that can fail.
  func judge(prompt: String, reply: String) async throws -> Verdict
}

/// A judge that computes its verdict here.
public protocol LocalReplyJudge: ReplyJudge {
  /// The verdict on `reply`, given as an answer to `prompt`.
  /// - Parameters:
  ///   - prompt: The request; empty where it is not known.
  ///   - reply: What is judged.
  /// - Throws: `JudgeError.unknownLanguage` where the judge cannot read the reply; nothing else.
  func verdict(prompt: String, reply: String) throws(JudgeError) -> Verdict
}

extension LocalReplyJudge {
  /// The verdict of `verdict(prompt:reply:)`.
  public func judge(prompt: String, reply: String) async throws -> Verdict {
    try verdict(prompt: prompt, reply: reply)
  }
}
