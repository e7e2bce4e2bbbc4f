import SelfCDJudges

/// What `selfcd judge FILE --format json` prints. Keys are part of the product's interface.
struct JudgedRecord: Encodable {
  struct File: Encodable {
    let name: String
    let column: String
    let replies: Int
    let skippedRows: Int
    /// Labels that the file has and that are not known.
    let unknownLabels: [ForeignReplies.UnknownLabel]
  }

  struct Judge: Encodable {
    let judge: String
    let version: String
  }

  struct Group: Encodable {
    let group: JudgedReplies.Group

    private enum Key: String, CodingKey {
      case file, condition, label, judge, n, refused, rate, low, high, unanswered, classes, unjudged
    }

    private struct Count: Encodable {
      let replyClass: String
      let count: Int
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(group.file, forKey: .file)
      // null where there is none, so that every row has the same keys.
      try container.encode(group.condition, forKey: .condition)
      try container.encode(group.label, forKey: .label)
      try container.encode(group.judge, forKey: .judge)
      try container.encode(group.n, forKey: .n)
      try container.encode(group.refused, forKey: .refused)
      try container.encode(group.rate?.rate, forKey: .rate)
      try container.encode(group.rate?.low, forKey: .low)
      try container.encode(group.rate?.high, forKey: .high)
      try container.encode(
        group.unanswered.map { EvaluationResult.ConditionRow.Share(unanswered: $0) }, forKey: .unanswered)
      try container.encode(group.unjudged, forKey: .unjudged)
      try container.encode(
        ReplyClass.allCases.map { Count(replyClass: $0.rawValue, count: group.count($0)) }, forKey: .classes)
    }
  }

  struct Reply: Encodable {
    let file: String
    let id: String
    let condition: String?
    /// Counted from 0; only the first is in the groups.
    let repetition: Int
    let label: String?
    let verdicts: [Label]
  }

  struct Label: Encodable {
    let judge: String
    let replyClass: String
    /// Nothing where the judge does not say how sure it is.
    let confidence: Double?
    let note: String?
    /// UTF-8 offsets in the reply and the rule that matched there.
    let evidence: [Verdict.Evidence]
  }

  let files: [File]
  let judges: [Judge]
  let groups: [Group]
  let disagreements: Int
  /// Replies that are further repetitions of a prompt, and not counted.
  let repetitions: Int
  let replies: [Reply]

  init(_ judged: JudgedReplies) throws {
    files = judged.files.map {
      File(
        name: $0.name, column: $0.replies.column, replies: $0.replies.replies.count,
        skippedRows: $0.replies.skipped.count, unknownLabels: $0.replies.unknownLabels)
    }
    judges = judged.judges.map { Judge(judge: $0.name, version: $0.version) }
    groups = try judged.groups().map(Group.init)
    disagreements = judged.disagreements
    repetitions = judged.repetitions
    replies = judged.all.enumerated().map { index, item in
      Reply(
        file: item.file, id: item.reply.id, condition: item.reply.condition,
        repetition: item.reply.repetition, label: item.reply.label?.rawValue,
        verdicts: judged.judges.compactMap { judge in
          judge.verdicts[index].map {
            Label(
              judge: judge.name, replyClass: $0.replyClass.rawValue, confidence: $0.confidence, note: $0.note,
              evidence: $0.evidence)
          }
        })
    }
  }
}

/// One verdict a row, for spreadsheets and statistics: no texts, and a refusal as 0 or 1.
struct JudgedRow: Encodable {
  let file: String
  let id: String
  let condition: String?
  let repetition: Int
  let label: String?
  let judge: String
  let version: String
  let replyClass: String
  let refused: Int
  let confidence: Double?
  let note: String?

  static let columns = [
    "file", "id", "condition", "repetition", "label", "judge", "version", "reply_class", "refused",
    "confidence", "note",
  ]

  var cells: [String] {
    [
      file, id, condition ?? "", "\(repetition)", label ?? "", judge, version, replyClass, "\(refused)",
      confidence.map { "\($0)" } ?? "", note ?? "",
    ]
  }

  static func all(_ judged: JudgedReplies) -> [JudgedRow] {
    judged.all.enumerated().flatMap { index, item in
      judged.judges.compactMap { judge in
        judge.verdicts[index].map { verdict in
          JudgedRow(
            file: item.file, id: item.reply.id, condition: item.reply.condition,
            repetition: item.reply.repetition, label: item.reply.label?.rawValue, judge: judge.name,
            version: judge.version, replyClass: verdict.replyClass.rawValue,
            refused: verdict.isRefusal ? 1 : 0, confidence: verdict.confidence, note: verdict.note)
        }
      }
    }
  }
}
