/// The judges that need nothing but the reply, one line each. All of them see only the final answer.
public enum JudgeCatalogue {
  /// All local judges. A new one is one more line here and nothing else.
  public static let local: [any LocalReplyJudge] = [
    (try? SelfCDJudge()).map { FinalAnswerJudge($0) } as (any LocalReplyJudge)?,
    FinalAnswerJudge(XSTestStringMatchJudge()),
    FinalAnswerJudge(RefusalSubstringJudge()),
  ].compactMap(\.self)

  /// The local judge of that name.
  /// - Throws: `JudgeError.unknownJudge`, listing those there are.
  public static func judge(named name: String) throws(JudgeError) -> any LocalReplyJudge {
    guard let judge = local.first(where: { $0.name == name.lowercased() }) else {
      throw .unknownJudge(name: name, known: local.map(\.name))
    }
    return judge
  }
}
