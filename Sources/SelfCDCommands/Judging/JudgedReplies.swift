import SelfCDData
import SelfCDEval
import SelfCDJudges

/// Replies from files with every judge's verdicts.
struct JudgedReplies {
  /// One file.
  struct File {
    /// Its name without folders.
    let name: String
    let replies: ForeignReplies
  }

  /// A judge with its verdicts on all files' replies, in their order; nil where it named no class.
  struct Judged {
    let name: String
    let version: String
    let verdicts: [Verdict?]
  }

  /// How a judge sees the prompts of one label in one file. Rates of harmless and harmful prompts are never one rate:
  /// there, a refusal is wrong, and here it is right.
  struct Group {
    let file: String
    /// Nil for prompts of which nothing says what they are; they may be both, and have no rate.
    let label: Sample.Label?
    let judge: String
    /// Replies with a verdict, which rates are of.
    let n: Int
    let classes: [ReplyClass: Int]
    /// Replies for which the judge named no class.
    let unjudged: Int
    let rate: RefusalRate?

    init(file: String, label: Sample.Label?, judge: String, verdicts: [Verdict?]) throws {
      let given = verdicts.compactMap { $0?.replyClass }
      (self.file, self.label, self.judge, n) = (file, label, judge, given.count)
      classes = given.reduce(into: [:]) { $0[$1, default: 0] += 1 }
      unjudged = verdicts.count - given.count
      rate = label == nil || given.isEmpty ? nil : try RefusalRate(given)
    }

    func count(_ replyClass: ReplyClass) -> Int { classes[replyClass] ?? 0 }
    var refused: Int { count(.fullRefusal) + count(.partialRefusal) }
  }

  let files: [File]
  let judges: [Judged]

  /// Every reply with its file's name, in the order of the verdicts.
  var all: [(file: String, reply: ForeignReply)] {
    files.flatMap { file in file.replies.replies.map { (file.name, $0) } }
  }

  /// File by file, label by label, judge by judge.
  func groups() throws -> [Group] {
    var groups: [Group] = []
    var first = 0
    for file in files {
      let replies = file.replies.replies
      defer { first += replies.count }
      for label in Sample.Label.allCases.map(Optional.some) + [nil] {
        let places = replies.indices.filter { replies[$0].label == label }.map { $0 + first }
        guard !places.isEmpty else { continue }
        for judge in judges {
          groups.append(
            try Group(
              file: file.name, label: label, judge: judge.name, verdicts: places.map { judge.verdicts[$0] }))
        }
      }
    }
    return groups
  }

  /// What rules of `--fail-if` are about: the first judge's verdicts on labelled prompts. A file is its own condition.
  func checkedFigures() throws -> [CheckedFigures] {
    try groups().compactMap { group in
      guard group.judge == judges.first?.name, let label = group.label, let rate = group.rate else {
        return nil
      }
      return CheckedFigures(
        source: "file '\(group.file)'", condition: group.file, label: label, refused: rate,
        unanswered: try RefusalRate(refused: group.n - group.count(.fullCompliance), of: group.n),
        degenerate: group.count(.degenerate))
    }
  }

  /// Replies that one judge calls a refusal and another does not.
  var disagreements: Int {
    all.indices.count { index in
      Set(judges.compactMap { $0.verdicts[index]?.isRefusal }).count > 1
    }
  }
}
