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
      FILE holds replies, a CSV table or JSON lines with the columns 'completion' and 'prompt', or is a stored run \
      (its name, the beginning of it, or 'latest'), whose verdicts are then kept. With --agreement, its column 'human_label' is compared with the \
      judge's classes: \(ReplyClass.allCases.map(\.rawValue).joined(separator: ", ")).

      The judge llm sends prompts and replies to the endpoint you name; local-model keeps them here. Both keep their \
      verdicts in the store and ask about nothing twice.

      EXAMPLES
        selfcd judge replies.jsonl
        selfcd judge first --judge refusal-substrings
        selfcd judge --agreement human_labels.csv --judge selfcd,xstest-strmatch --json
        selfcd judge --features human_labels.csv > features.json
        selfcd judge first --judge xstest-strmatch,llm --judge-url https://host/v1 \\
          --judge-model name --judge-key-env API_KEY --judge-budget 500
        selfcd judge replies.jsonl --judge local-model --judge-gguf judge.gguf
      """)

  @Argument(help: .init("A file of replies, or a stored run.", valueName: "file"))
  var file: String

  @Flag(help: "Compare the judges with the file's column 'human_label'.")
  var agreement = false

  @Flag(help: "Print what the judge selfcd looks at in each reply, as JSON, to train it from; no texts.")
  var features = false

  @OptionGroup(title: "Judges") var judgeOptions: JudgeOptions
  @OptionGroup(title: "Store") var storeOptions: StoreOptions

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func validate() throws {
    guard features else { return }
    if agreement { throw ValidationError("--features and --agreement exclude each other.") }
    if !judgeOptions.judge.isEmpty {
      throw ValidationError("--features are those of the judge selfcd; leave out --judge.")
    }
  }

  func run() async throws {
    let console = Console.standard
    let path = (file as NSString).expandingTildeInPath
    if features {
      try console.writeJSON(try JudgeFeaturesRecord(path: path))
    } else if agreement {
      try await measure(path: path, console: console)
    } else if FileManager.default.fileExists(atPath: path) {
      try await report(try ForeignReply.read(path: path), console: console)
    } else {
      try await rejudge(console: console)
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

  private func measure(path: String, console: Console) async throws {
    let replies = try LabelledReply.read(path: path)
    var results: [JudgeAgreement] = []
    for judge in try await judgeOptions.judges(
      judging: nil, cache: try storeOptions.open(), console: console)
    {
      let verdicts = try await Self.verdicts(
        of: judge, on: replies.map { .init(prompt: $0.prompt, reply: $0.completion) }, console: console)
      results.append(
        try JudgeAgreement(
          judge: judge.name, version: judge.version, labels: replies.map(\.humanLabel),
          verdicts: verdicts.map { $0?.replyClass }))
    }
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
      /// Nothing where the judge does not say how sure it is.
      let confidence: Double?
      /// UTF-8 offsets in the reply and the rule that matched there.
      let evidence: [Verdict.Evidence]
    }

    let judges: [Judge]
    let disagreements: Int
    let replies: [Row]
  }

  private static func verdicts(
    of judge: any ReplyJudge, on exchanges: [JudgingPass.Exchange], console: Console
  ) async throws -> [Verdict?] {
    let outcome = try await JudgingPass.run(judge, on: exchanges, console: console)
    if let failure = outcome.failure { throw failure }
    return outcome.verdicts
  }

  private func report(_ replies: [ForeignReply], console: Console) async throws {
    guard !replies.isEmpty else { throw CommandError.invalid("\(file) holds no replies.") }
    let judges = try await judgeOptions.judges(
      judging: nil, cache: try storeOptions.open(), console: console)
    var columns: [[Verdict?]] = []
    for judge in judges {
      columns.append(
        try await Self.verdicts(
          of: judge, on: replies.map { .init(prompt: $0.prompt, reply: $0.completion) }, console: console
        ))
    }
    let rows = replies.indices.map { index in columns.map { $0[index] } }
    let record = VerdictsRecord(
      judges: try zip(judges, columns).map { judge, column in
        let classes = column.compactMap { $0?.replyClass }
        let rate = try RefusalRate(classes)
        return VerdictsRecord.Judge(
          judge: judge.name, version: judge.version, n: rate.n, refused: rate.refused, rate: rate.rate,
          low: rate.low, high: rate.high,
          classes: ReplyClass.allCases.map { item in
            .init(replyClass: item.rawValue, count: classes.count { $0 == item })
          })
      },
      disagreements: rows.count { Set($0.compactMap { $0?.isRefusal }).count > 1 },
      replies: zip(replies, rows).map { reply, row in
        VerdictsRecord.Row(
          id: reply.id,
          verdicts: zip(judges, row).compactMap { judge, verdict in
            verdict.map {
              .init(
                judge: judge.name, replyClass: $0.replyClass.rawValue, confidence: $0.confidence,
                evidence: $0.evidence)
            }
          })
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

  private func rejudge(console: Console) async throws {
    let store: RunStore
    do {
      store = try storeOptions.openExisting()
    } catch is CommandError {
      throw CommandError.invalid("\(file) is neither a file nor a stored run.")
    }
    let known = try store.runs().map(\.id)
    guard file == "latest" || known.contains(where: { $0.hasPrefix(file) }), !known.isEmpty else {
      throw CommandError.invalid(
        "\(file) is neither a file nor a run in \(store.path). 'selfcd runs' lists what is there.")
    }
    let run = try store.run(id: try StoredRun.identifier(file, in: store))
    let judges = try await judgeOptions.judges(
      judging: try RunParameters(of: run).modelPath, cache: store, console: console)
    try await JudgingPass.run(judges, onRun: run.id, in: store, console: console)
    let result = try EvaluationResult(store: store, runID: run.id, judge: judges.first?.name)
    if json {
      try console.writeJSON(result.record)
    } else {
      try console.write(EvaluationTable(result, console: console).text)
    }
  }
}
