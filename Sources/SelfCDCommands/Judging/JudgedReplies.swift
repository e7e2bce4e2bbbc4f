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

    /// Which replies are the first to their prompts. Further ones are not independent of them, and are in no figure.
    /// Programs count them from 0 or from 1.
    var counted: [Bool] {
      let first = replies.replies.map(\.repetition).min() ?? 0
      return replies.replies.map { $0.repetition == first }
    }
  }

  /// A judge with its verdicts on all files' replies, in their order; nil where it named no class.
  struct Judged {
    let name: String
    let version: String
    let verdicts: [Verdict?]
  }

  /// How a judge sees the prompts of one label under one condition of one file. Rates of harmless and harmful prompts are
  /// never one rate: there, a refusal is wrong, and here it is right.
  struct Group {
    let file: String
    /// How the replies were made; nil where the file does not say it.
    let condition: String?
    /// Nil for prompts of which nothing says what they are; they may be both, and have no rate.
    let label: Sample.Label?
    let judge: String
    /// First replies to a prompt with a verdict, which rates are of.
    let n: Int
    let classes: [ReplyClass: Int]
    /// Replies for which the judge named no class.
    let unjudged: Int
    let rate: RefusalRate?
    /// Refused or no reply at all.
    let unanswered: RefusalRate?

    init(
      file: String, condition: String?, label: Sample.Label?, judge: String, verdicts: [Verdict?]
    ) throws {
      let given = verdicts.compactMap { $0?.replyClass }
      (self.file, self.label, self.judge, n) = (file, label, judge, given.count)
      self.condition = condition
      classes = given.reduce(into: [:]) { $0[$1, default: 0] += 1 }
      unjudged = verdicts.count - given.count
      let hasRate = label != nil && !given.isEmpty
      rate = hasRate ? try RefusalRate(given) : nil
      let answered = given.count { $0 == .fullCompliance }
      unanswered = hasRate ? try RefusalRate(refused: given.count - answered, of: given.count) : nil
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

  /// Which of all replies are counted, in the order of the verdicts.
  var counted: [Bool] { files.flatMap(\.counted) }

  /// Further replies to prompts, which are judged and not counted.
  var repetitions: Int { counted.count { !$0 } }

  /// File by file, condition by condition as they come first, label by label, judge by judge.
  func groups() throws -> [Group] {
    var groups: [Group] = []
    var first = 0
    for file in files {
      let replies = file.replies.replies
      defer { first += replies.count }
      var conditions: [String?] = []
      var places: [Kind: [Int]] = [:]
      for (index, (reply, isCounted)) in zip(replies, file.counted).enumerated() where isCounted {
        if !conditions.contains(reply.condition) { conditions.append(reply.condition) }
        places[Kind(condition: reply.condition, label: reply.label), default: []].append(index + first)
      }
      for condition in conditions {
        for label in Sample.Label.allCases.map(Optional.some) + [nil] {
          guard let members = places[Kind(condition: condition, label: label)] else { continue }
          for judge in judges {
            groups.append(
              try Group(
                file: file.name, condition: condition, label: label, judge: judge.name,
                verdicts: members.map { judge.verdicts[$0] }))
          }
        }
      }
    }
    return groups
  }

  private struct Kind: Hashable {
    let condition: String?
    let label: Sample.Label?
  }

  /// What rules of `--fail-if` are about: the first judge's verdicts on labelled prompts. A file that does not say how its
  /// replies were made is its own condition.
  func checkedFigures() throws -> [CheckedFigures] {
    try groups().compactMap { group in
      guard group.judge == judges.first?.name, let label = group.label else { return nil }
      return CheckedFigures(
        source: "file '\(group.file)'", condition: group.condition ?? group.file, label: label,
        refused: group.rate, unanswered: group.unanswered, degenerate: group.count(.degenerate),
        missing: group.unjudged, isOwnCondition: group.condition == nil)
    }
  }

  /// Counted replies that one judge calls a refusal and another does not.
  var disagreements: Int {
    counted.enumerated().count { index, isCounted in
      guard isCounted else { return false }
      return Set(judges.compactMap { $0.verdicts[index]?.isRefusal }).count > 1
    }
  }
}
