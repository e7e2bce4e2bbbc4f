import ArgumentParser
import Foundation
import SelfCDData
import SelfCDJudges
import SelfCDRuns
import SelfCDStatistics
import SelfCDStore
import SelfCDSupport

/// `selfcd judge`: verdicts on replies that are there already, and how far a judge agrees with people.
struct JudgeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "judge",
    abstract: "Judge replies in files or stored runs; measure a judge against human labels.",
    discussion: """
      FILE holds replies, a table or JSON records, or is '-' for standard input, or a stored run (its name, the \
      beginning of it, or 'latest'), whose verdicts are then kept. Of a folder, such as that of 'export --format inspect', \
      each log is a file. Of files, replies are looked for in the columns \
      \(ReplyColumns.knownReplies.joined(separator: ", ")), the last being a conversation. Refusal rates are by label: \
      where the file does not say which prompts are safe and which harmful, say it with --label. Replies of different \
      conditions (a column '\(ReplyColumns.defaultCondition)') have rows of their own, and of several replies to one prompt \
      ('repetition', Inspect's 'epoch') the first is counted. Logs of Inspect are read as JSON. Replies that an export \
      withheld cannot be judged.

      With --agreement, the column '\(ReplyColumns.defaultHumanLabel)', or the one that --human-column names, is \
      compared with the judge's classes: \(ReplyClass.allCases.map(\.rawValue).joined(separator: ", ")). Rows that \
      nobody has labelled are left out.

      The judge llm sends prompts and replies to the endpoint you name; local-model keeps them here. Both keep their \
      verdicts in the store and ask about nothing twice.

      EXAMPLES
        selfcd judge replies.jsonl
        selfcd judge a.jsonl b.csv --label safe --column response -o verdicts.csv
        other-program | selfcd judge - --format json
        selfcd judge first --judge refusal-substrings
        selfcd judge --agreement human_labels.csv --judge selfcd,xstest-strmatch \\
          --json
        selfcd judge --agreement replies.csv --human-column annotator_1
        selfcd judge --features human_labels.csv > features.json
        selfcd judge first --judge xstest-strmatch,llm \\
          --judge-url https://host/v1 --judge-model name --judge-key-env API_KEY \\
          --judge-budget 500
        selfcd judge replies.jsonl --label safe --fail-if "safe.unanswered > 0.05"
        selfcd judge replies.jsonl --judge local-model --judge-gguf judge.gguf
      """)

  @Argument(help: .init("Files of replies, '-' for standard input, or one stored run.", valueName: "file"))
  var files: [String]

  @Flag(help: "Compare the judges with the file's human labels.")
  var agreement = false

  @Flag(help: "Print what the judge 'selfcd' looks at in each reply, as JSON, to train it from; no texts.")
  var features = false

  @OptionGroup(title: "Files of replies") var replyOptions: ReplyFileOptions
  @OptionGroup(title: "Judges") var judgeOptions: JudgeOptions
  @OptionGroup(title: "Store") var storeOptions: StoreOptions

  @Option(
    name: [.short, .long],
    help: .init("Where to write; the ending says how: .txt, .json, .jsonl, .csv.", valueName: "path"))
  var output: String?

  @Option(
    help: .init(
      "How to write: table, json, jsonl or csv; the last two have a row for each verdict.",
      valueName: "format"))
  var format: OutputFormat?

  @Flag(help: "The same as --format json.")
  var json = false

  @OptionGroup(title: "Checks") var ruleOptions: RuleOptions

  private func choice() throws -> OutputChoice {
    if json, let format, format != .json { throw ValidationError("Give --json or --format, not both.") }
    let formats: [OutputFormat] =
      features ? [.json] : agreement ? [.text, .json] : [.text, .json, .jsonLines, .csv]
    return try OutputChoice(
      format: json ? .json : format, path: output, among: formats,
      command: features ? "judge --features" : agreement ? "judge --agreement" : "selfcd judge")
  }

  func validate() throws {
    _ = try choice()
    if files.count(where: { $0 == "-" }) > 1 {
      throw ValidationError("Standard input ('-') can be read once only.")
    }
    if agreement || features, files.count > 1 {
      throw ValidationError("--agreement and --features take one file.")
    }
    if agreement || features, replyOptions.label != nil || replyOptions.labelColumn != nil {
      throw ValidationError(
        "--label and --label-column have no effect on --agreement and --features, which read human labels; "
          + "--human-column names their column.")
    }
    if agreement || features, !ruleOptions.failIf.isEmpty {
      throw ValidationError("--fail-if is about rates; --agreement and --features have none.")
    }
    if !agreement, !features, replyOptions.humanColumn != nil {
      throw ValidationError("--human-column goes with --agreement or --features.")
    }
    guard features else { return }
    if agreement { throw ValidationError("--features and --agreement exclude each other.") }
    if !judgeOptions.judge.isEmpty {
      throw ValidationError("--features are those of the judge selfcd; leave out --judge.")
    }
  }

  func run() async throws {
    let console = Console.standard
    let choice = try choice()
    try refuseRunsAmongFiles()
    let first = files.first ?? ""
    if features {
      let labelled = try replyOptions.readLabelled(first)
      JudgeRemarks(console: console).say(of: labelled, name: Self.title(first))
      let record = try JudgeFeaturesRecord(labelled.replies, file: OutputFile.name(first))
      try OutputFile.write(try console.json(record) + "\n", to: choice.path, console)
    } else if agreement {
      try await measure(first, choice, console: console)
    } else if files.count > 1 || Self.isFile(first) {
      try await report(choice, console: console)
    } else {
      try await rejudge(first, choice, console: console)
    }
  }

  private static func isFile(_ name: String) -> Bool {
    name == "-" || FileManager.default.fileExists(atPath: UserFolders.current.expand(name))
  }

  /// Says of a run where only files can be that it is one; that there is no such file would lead nowhere.
  private func refuseRunsAmongFiles() throws {
    let onlyFiles = agreement ? "--agreement" : features ? "--features" : nil
    guard onlyFiles != nil || files.count > 1 else { return }
    guard let name = files.first(where: { !Self.isFile($0) }),
      let store = try? storeOptions.openExisting(), let known = try? store.runs().map(\.id),
      Self.isRun(name, among: known)
    else { return }
    let arguments = ([name] + storeOptions.arguments).map(ShellWord.quoted).joined(separator: " ")
    if let onlyFiles {
      throw CommandError.invalid(
        "\(name) is a stored run, and \(onlyFiles) takes a file of replies that people have labelled. To label a run's "
          + "replies and compare: selfcd audit \(arguments)")
    }
    throw CommandError.invalid(
      "\(name) is a stored run, and a run is judged by itself, not together with files or other runs: "
        + "selfcd judge \(arguments)")
  }

  private static func isRun(_ name: String, among known: [String]) -> Bool {
    !known.isEmpty && !name.isEmpty && (name == "latest" || known.contains { $0.hasPrefix(name) })
  }

  /// The judges with their verdicts on what they are shown.
  private func judged(
    _ exchanges: [ConcurrentJudging.Exchange], console: Console
  ) async throws -> [JudgedReplies.Judged] {
    var result: [JudgedReplies.Judged] = []
    for judge in try await judgeOptions.judges(
      judging: nil, cache: try storeOptions.open(), console: console)
    {
      let outcome = try await pass(judge, on: exchanges, console: console)
      result.append(.init(name: judge.name, version: judge.version, verdicts: outcome.verdicts))
    }
    return result
  }

  private func pass(
    _ judge: any ReplyJudge, on exchanges: [ConcurrentJudging.Exchange], console: Console
  ) async throws -> ConcurrentJudging.Outcome {
    let meter = ProgressLine(label: "judging with \(TerminalText.singleLine(judge.name))")
    defer { meter.clear() }
    let outcome = try await Interruption.cancellable {
      await ConcurrentJudging(judge).run(on: exchanges) { meter.update(text: "\($0)/\($1)") }
    }
    meter.clear()
    if outcome.unreadable > 0 {
      RunDisplay.note(
        unreadable: outcome.unreadable, of: exchanges.count, by: judge.name, console: console)
    }
    if outcome.failure is CancellationError { throw CommandError.interrupted }
    if let failure = outcome.failure { throw failure }
    return outcome
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
    /// Replies that nobody has labelled, which are left out.
    let unlabelled: Int
    let confusion: ConfusionMatrix
    let judges: [JudgeAgreement]
  }

  private func measure(_ file: String, _ choice: OutputChoice, console: Console) async throws {
    let labelled = try replyOptions.readLabelled(file)
    JudgeRemarks(console: console).say(of: labelled, name: Self.title(file))
    let replies = labelled.replies
    let judges = try await judged(
      replies.map { .init(prompt: $0.prompt, reply: $0.completion) }, console: console)
    let results = try judges.map { judge in
      try JudgeAgreement(
        judge: judge.name, version: judge.version, labels: replies.map(\.humanLabel),
        verdicts: judge.verdicts.map { $0?.replyClass })
    }
    guard let first = results.first else { throw JudgeError.noReplies }
    if choice.format == .json {
      let record = AgreementRecord(
        judge: first.judge, version: first.version, accuracy: first.accuracy,
        accuracyLow: first.accuracyInterval.low, accuracyHigh: first.accuracyInterval.high,
        kappa: first.kappa, n: first.n, unlabelled: labelled.unlabelled, confusion: first.confusion,
        judges: results)
      return try OutputFile.write(try console.json(record) + "\n", to: choice.path, console)
    }
    let lines = results.map { result in
      [
        result.judge,
        "\(NumberFormat.decimal(result.accuracy, 3)) [\(NumberFormat.decimal(result.accuracyInterval.low, 3)), "
          + "\(NumberFormat.decimal(result.accuracyInterval.high, 3))]",
        NumberFormat.decimal(result.kappa, 3), "\(result.n)",
      ]
    }
    let table = EvaluationTable.table(
      [["judge", "accuracy [95 %]", "kappa", "n"]] + lines, console: choice.console(console))
    try OutputFile.write(table, to: choice.path, console)
  }

  // MARK: Files

  private func report(_ choice: OutputChoice, console: Console) async throws {
    let read = try files.flatMap(ReplyFileOptions.files).map { file in
      JudgedReplies.File(name: Self.title(file), replies: try replyOptions.read(file))
    }
    JudgeRemarks(console: console).say(of: read, label: replyOptions.label)
    let all = read.flatMap(\.replies.replies)
    let result = JudgedReplies(
      files: read,
      judges: try await judged(
        all.map { .init(prompt: $0.prompt, reply: $0.completion) }, console: console))
    let text: String
    switch choice.format {
    case .json: text = try console.json(try JudgedRecord(result)) + "\n"
    case .jsonLines:
      text = try JudgedRow.all(result).map { try console.json($0, isOneLine: true) + "\n" }.joined()
    case .csv:
      let writer = CSVWriter()
      text = writer.row(JudgedRow.columns) + JudgedRow.all(result).map { writer.row($0.cells) }.joined()
    default: text = try JudgedTable(judged: result, console: choice.console(console)).text()
    }
    try OutputFile.write(text, to: choice.path, console)
    try ruleOptions.enforce(try result.checkedFigures(), command: "selfcd judge", console: console)
  }

  /// What a file is called in what is written.
  private static func title(_ file: String) -> String {
    file == "-" ? ReplyFileOptions.standardInput : OutputFile.name(file)
  }

  // MARK: Stored runs

  private func rejudge(_ name: String, _ choice: OutputChoice, console: Console) async throws {
    if let option = replyOptions.given.first {
      throw ValidationError("\(option) is for files of replies, and there is no file '\(name)'.")
    }
    guard choice.format == .text || choice.format == .json else {
      throw ValidationError(
        "A stored run's verdicts are written as \(choice.format.rawValue) by selfcd export \(ShellWord.quoted(name))."
      )
    }
    let store: RunStore
    do {
      store = try storeOptions.openExisting()
    } catch is CommandError {
      throw CommandError.invalid("\(name) is neither a file nor a stored run.")
    }
    let known = try store.runs().map(\.id)
    guard Self.isRun(name, among: known) else {
      throw CommandError.invalid(
        "\(name) is neither a file nor a run in \(store.path). 'selfcd runs' lists what is there.")
    }
    let run = try store.run(id: try store.identifier(matching: name))
    let judges = try await judgeOptions.judges(
      judging: try RunSettings(of: run).judgedModel, cache: store, console: console)
    let display = RunDisplay(label: "judging", console: console)
    defer { display.end() }
    try await Interruption.cancellable {
      try await store.judge(runID: run.id, by: judges) { display.show($0) }
    }
    display.end()
    // What was asked for now is counted, whatever an earlier or later program has more verdicts of.
    let asked = judges.first
    let result = EvaluationResult(
      try StoredEvaluation(runID: run.id, judge: asked?.name, version: asked?.version, in: store),
      store: store)
    if let asked { try noteOtherVersion(of: asked, run: run.id, in: store, console: console) }
    let text =
      choice.format == .json
      ? try console.json(result.record) + "\n"
      : EvaluationTable(result, console: choice.console(console)).text
    try OutputFile.write(text, to: choice.path, console)
    try ruleOptions.enforce(result.checkedFigures, command: "selfcd judge", console: console)
  }

  /// Says that other commands count another version of the judge.
  private func noteOtherVersion(
    of judge: any ReplyJudge, run: String, in store: RunStore, console: Console
  ) throws {
    let own = try store.judges(runID: run).filter { $0.name == judge.name }
    let verdicts = Dictionary(own.map { ($0.version, $0.verdicts) }, uniquingKeysWith: { $1 })
    guard let counted = JudgeVersions.counted(verdicts), counted != judge.version else { return }
    console.note(
      TerminalText.singleLine(
        "these figures count version \(judge.version) of \(judge.name), which judged now; report and compare-runs "
          + "count version \(counted), which has \(verdicts[counted] ?? 0) verdicts, not "
          + "\(verdicts[judge.version] ?? 0)."))
  }
}
