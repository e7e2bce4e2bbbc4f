import ArgumentParser
import Foundation
import SelfCDEval
import SelfCDStore

/// `selfcd judge`: verdicts on replies that are there already, and how far a judge agrees with people.
struct JudgeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "judge",
    abstract: "Judge stored or foreign replies; measure a judge against human labels.",
    discussion: """
      FILE holds replies, a CSV table or JSON lines with the columns 'completion' and 'prompt', or is the name of a \
      stored run, whose verdicts are then kept. With --agreement, its column 'human_label' is compared with the \
      judge's classes: \(ReplyClass.allCases.map(\.rawValue).joined(separator: ", ")).

      EXAMPLES
        selfcd judge replies.jsonl
        selfcd judge first --judge refusal-substrings
        selfcd judge --agreement human_labels.csv --judge xstest-strmatch --json
      """)

  @Argument(help: .init("A file of replies, or the name of a stored run.", valueName: "file"))
  var file: String

  @Flag(help: "Compare the judges with the file's column 'human_label'.")
  var agreement = false

  @OptionGroup(title: "Judges") var judgeOptions: JudgeOptions
  @OptionGroup(title: "Store") var storeOptions: StoreOptions

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func run() async throws {
    let console = Console.standard
    let judges = try judgeOptions.judges()
    let path = (file as NSString).expandingTildeInPath
    if agreement {
      try await measure(judges, path: path, console: console)
    } else if FileManager.default.fileExists(atPath: path) {
      let replies = try ForeignReply.read(path: path)
      try await report(judges, replies: replies.map { ($0.id, $0.prompt, $0.completion) }, console: console)
    } else {
      try await rejudge(judges, console: console)
    }
  }

  // MARK: Agreement

  /// What `--agreement --json` prints: the first judge's figures, and all of them in `judges`.
  private struct AgreementRecord: Encodable {
    let judge: String
    let version: String
    let accuracy: Double
    let accuracyLow: Double
    let accuracyHigh: Double
    let kappa: Double
    let n: Int
    let confusion: ConfusionMatrix
    let judges: [JudgeAgreement]
  }

  private func measure(_ judges: [any ReplyJudge], path: String, console: Console) async throws {
    let replies = try LabelledReply.read(path: path)
    var results: [JudgeAgreement] = []
    for judge in judges { results.append(try await JudgeAgreement.measure(judge, on: replies)) }
    guard let first = results.first else { throw JudgeError.noReplies }
    if json {
      try console.writeJSON(
        AgreementRecord(
          judge: first.judge, version: first.version, accuracy: first.accuracy,
          accuracyLow: first.accuracyInterval.low, accuracyHigh: first.accuracyInterval.high,
          kappa: first.kappa, n: first.n, confusion: first.confusion, judges: results))
    } else {
      let lines = results.map { result in
        [
          result.judge,
          "\(Format.decimal(result.accuracy, 3)) [\(Format.decimal(result.accuracyInterval.low, 3)), "
            + "\(Format.decimal(result.accuracyInterval.high, 3))]",
          Format.decimal(result.kappa, 3), "\(result.n)",
        ]
      }
      try console.write(
        EvaluationTable.table([["judge", "accuracy [95 %]", "kappa", "n"]] + lines, console: console))
    }
  }

  // MARK: Verdicts

  private struct VerdictsRecord: Encodable {
    struct Judge: Encodable {
      let judge: String
      let version: String
      let n: Int
      let refused: Int
      let rate: Double
      let low: Double
      let high: Double
      let classes: [ClassCount]
    }

    struct ClassCount: Encodable {
      let replyClass: String
      let count: Int
    }

    struct Row: Encodable {
      let id: String
      let verdicts: [Label]
    }

    struct Label: Encodable {
      let judge: String
      let replyClass: String
    }

    let judges: [Judge]
    let disagreements: Int
    let replies: [Row]
  }

  private func report(
    _ judges: [any ReplyJudge], replies: [(id: String, prompt: String, text: String)], console: Console
  ) async throws {
    guard !replies.isEmpty else { throw CommandError.invalid("\(file) holds no replies.") }
    var rows: [[ReplyClass]] = []
    for reply in replies {
      var row: [ReplyClass] = []
      for judge in judges {
        row.append(try await judge.judge(prompt: reply.prompt, reply: reply.text).replyClass)
      }
      rows.append(row)
    }
    let record = VerdictsRecord(
      judges: try judges.enumerated().map { index, judge in
        let classes = rows.map { $0[index] }
        let rate = try RefusalRate(classes)
        return VerdictsRecord.Judge(
          judge: judge.name, version: judge.version, n: rate.n, refused: rate.refused, rate: rate.rate,
          low: rate.low, high: rate.high,
          classes: ReplyClass.allCases.map { item in
            .init(replyClass: item.rawValue, count: classes.count { $0 == item })
          })
      },
      disagreements: rows.count { Set($0.map(\.isRefusal)).count > 1 },
      replies: zip(replies, rows).map { reply, row in
        VerdictsRecord.Row(
          id: reply.id,
          verdicts: zip(judges, row).map { .init(judge: $0.name, replyClass: $1.rawValue) })
      })
    if json { return try console.writeJSON(record) }
    let lines = record.judges.map { judge in
      [
        judge.judge, "\(judge.refused)/\(judge.n)",
        "\(EvaluationTable.percent(judge.rate)) [\(EvaluationTable.percent(judge.low)), "
          + "\(EvaluationTable.percent(judge.high))]",
      ]
    }
    try console.write(
      EvaluationTable.table([["judge", "refused", "% [95 %]"]] + lines, console: console)
        + (judges.count > 1 ? "Judges disagree on \(record.disagreements) replies.\n" : ""))
  }

  // MARK: Stored runs

  private func rejudge(_ judges: [any ReplyJudge], console: Console) async throws {
    let store: RunStore
    do {
      store = try storeOptions.openExisting()
    } catch is CommandError {
      throw CommandError.invalid("\(file) is neither a file nor a stored run.")
    }
    let replies: [EvaluatedReply]
    do {
      replies = try store.evaluatedReplies(runID: file)
    } catch StoreError.notFound {
      throw CommandError.invalid(
        "\(file) is neither a file nor a run in \(store.path). 'selfcd runs' lists what is there.")
    }
    for judge in judges {
      var verdicts: [(key: SelfCDStore.ReplyRecord.Key, verdict: VerdictRecord)] = []
      for reply in replies {
        let verdict = try await judge.judge(prompt: reply.sample.prompt, reply: reply.text)
        verdicts.append(
          (
            SelfCDStore.ReplyRecord.Key(reply.key),
            VerdictRecord(judge: judge.name, version: judge.version, verdict: verdict)
          ))
      }
      try store.add(verdicts, to: file)
    }
    let result = try EvaluationResult(store: store, runID: file, judge: judges.first?.name)
    if json {
      try console.writeJSON(result.record)
    } else {
      try console.write(EvaluationTable(result, console: console).text)
    }
  }
}
