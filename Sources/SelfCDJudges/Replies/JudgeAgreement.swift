import SelfCDStatistics

/// How far a judge agrees with people.
public struct JudgeAgreement: Codable, Sendable, Hashable {
  /// The judge's name.
  public var judge: String
  /// The judge's version.
  public var version: String
  /// Replies compared.
  public var n: Int
  /// The share judged as people did.
  public var accuracy: Double
  /// Wilson's 95 % interval of the accuracy.
  public var accuracyInterval: ConfidenceInterval
  /// Cohen's κ over the classes.
  public var kappa: Double
  /// Rows: the human label; columns: the judge's. Classes by their labels.
  public var confusion: ConfusionMatrix

  /// What the confusion calls a reply for which the judge named no class.
  static let noClass = "no class"

  /// Compares verdicts with human labels. `verdicts[i]` belongs to `labels[i]`; one that is nil, where the judge named
  /// no class, is wrong: a judge must not look better for what it cannot say.
  /// - Throws: `JudgeError.noReplies` for empty lists, `StatisticsError.unpaired` for different lengths.
  public init(judge: String, version: String, labels: [ReplyClass], verdicts: [ReplyClass?]) throws {
    guard !labels.isEmpty || !verdicts.isEmpty else { throw JudgeError.noReplies }
    confusion = try ConfusionMatrix(
      reference: labels.map(\.rawValue), judged: verdicts.map { $0?.rawValue ?? Self.noClass },
      labels: ReplyClass.allCases.map(\.rawValue) + (verdicts.contains(nil) ? [Self.noClass] : []))
    self.judge = judge
    self.version = version
    n = confusion.total
    accuracy = try confusion.accuracy()
    accuracyInterval = try WilsonInterval.of(successes: confusion.agreeing, trials: n)
    kappa = try confusion.kappa()
  }

  /// Judges `replies` one after the other and compares; a language that the judge does not know is no class.
  /// - Throws: what the judge throws; `JudgeError.noReplies` for an empty list.
  public static func measure(_ judge: any ReplyJudge, on replies: [LabelledReply]) async throws
    -> JudgeAgreement
  {
    var verdicts: [ReplyClass?] = []
    for reply in replies {
      do {
        verdicts.append(try await judge.judge(prompt: reply.prompt, reply: reply.completion).replyClass)
      } catch JudgeError.unknownLanguage {
        verdicts.append(nil)
      }
    }
    return try JudgeAgreement(
      judge: judge.name, version: judge.version, labels: replies.map(\.humanLabel), verdicts: verdicts)
  }
}
