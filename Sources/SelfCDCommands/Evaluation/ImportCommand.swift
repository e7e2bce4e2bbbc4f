import ArgumentParser
import Foundation
import SelfCDJudges
import SelfCDRuns
import SelfCDStore
import SelfCDSupport

/// `selfcd import`: replies that were made elsewhere become a run.
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take replies that were made elsewhere into the store, as a run to judge, report and compare.",
    discussion: """
      FILE holds replies, as for 'selfcd judge': a table or JSON records, conversations, logs of Inspect, samples of \
      lm-evaluation-harness (samples_*.jsonl) or results of promptfoo; '-' is standard input. Each file is a condition, \
      named after it or by --condition, unless a column 'condition', or the one that --condition-column names, says it row \
      by row. Replies meet at a prompt by its identifier or its text, so that conditions are compared on the same prompts.

      The replies are judged. Then report, runs, export, judge, audit and compare-runs take the run as one of their own; it \
      has no speed and no cost, and cannot be resumed.

      EXAMPLES
        selfcd import replies.jsonl --run first --label safe
        selfcd import before.jsonl after.jsonl --run release --condition before \\
          --condition after
        selfcd import answers.csv --run models --condition-column model \\
          --column response
        selfcd import samples_xstest_2026.jsonl --run harness --model my-model
        selfcd import promptfoo.json --run prompts --set xstest --judge selfcd
        inspect log dump LOG.eval | selfcd import - --run inspect
      """)

  @Argument(help: .init("Files of replies, or '-' for standard input.", valueName: "file"))
  var files: [String]

  @Option(name: .customLong("run"), help: .init("The run's name in the store.", valueName: "name"))
  var runName: String

  @Option(
    help: .init(
      "The name of the model that wrote the replies; if not given, that of a column 'model'.",
      valueName: "name"))
  var model: String?

  @Option(
    help: .init(
      "How a file's replies were made. Once for all files, or for each file in their order.",
      valueName: "name"))
  var condition: [String] = []

  @Option(
    help: .init(
      "The column that says how each reply was made: a model, a prompt, a version. If not given, 'condition'.",
      valueName: "name"))
  var conditionColumn: String?

  @Option(
    name: .customLong("set"),
    help: .init(
      "The name of the set of prompts; if not given, that of a column 'dataset', else the first file's.",
      valueName: "name"))
  var setName: String?

  @Option(
    help: .init(
      "The condition that others are compared with; guarded, else the first, if not given.", valueName: "name"
    ))
  var reference: String?

  @OptionGroup(title: "Files of replies") var replyOptions: ReplyFileOptions
  @OptionGroup(title: "Files of replies") var groupOptions: GroupOptions
  @OptionGroup(title: "Judges") var judgeOptions: JudgeOptions
  @OptionGroup(title: "Store") var storeOptions: StoreOptions

  @Flag(help: "Print one JSON object instead of tables.")
  var json = false

  func validate() throws {
    if runName.isEmpty { throw ValidationError("--run is empty.") }
    if runName == "latest" { throw ValidationError("'latest' means the latest run; choose another name.") }
    if files.count(where: { $0 == "-" }) > 1 {
      throw ValidationError("Standard input ('-') can be read once only.")
    }
    if replyOptions.humanColumn != nil {
      throw ValidationError("--human-column goes with 'selfcd judge --agreement'.")
    }
    if conditionColumn != nil, !condition.isEmpty {
      throw ValidationError("Give --condition or --condition-column, not both.")
    }
    guard condition.count < 2 || condition.count == files.count else {
      throw ValidationError(
        "--condition is given \(condition.count) times for \(NumberFormat.counted(files.count, "file")): give it once, or "
          + "for each file.")
    }
    if condition.contains("") { throw ValidationError("--condition is empty.") }
    if setName == "" { throw ValidationError("--set is empty.") }
  }

  func run() async throws {
    let console = Console.standard
    var read: [JudgedReplies.File] = []
    var conditions: [String?] = []
    for (index, argument) in files.enumerated() {
      for file in try ReplyFileOptions.files(argument) {
        read.append(
          JudgedReplies.File(
            name: file == "-" ? ReplyFileOptions.standardInput : OutputFile.name(file),
            replies: try replyOptions.read(file, condition: conditionColumn)))
        conditions.append(condition.count == files.count ? condition[index] : condition.first)
      }
    }
    JudgeRemarks(console: console).say(of: read, label: replyOptions.label)
    let store = try storeOptions.open()
    let judges = try await judgeOptions.judges(judging: nil, cache: store, console: console)
    let imported = try imported(read, conditions: conditions, judges: judges.map(\.name))
    try groupOptions.check(imported.datasets)
    try keep(imported, in: store)
    try await judge(by: judges, in: store, console: console)
    let result = EvaluationResult(try StoredEvaluation(runID: runName, in: store), store: store)
    if json {
      try console.writeJSON(result.record)
    } else {
      try console.write(EvaluationTable(result, console: console).text)
    }
    say(imported, store: store, console: console)
  }

  /// - Parameter conditions: What --condition says of each file.
  private func imported(
    _ read: [JudgedReplies.File], conditions: [String?], judges: [String]
  ) throws -> ImportedRun {
    let sources = zip(read, conditions).map { file, condition in
      ImportedRun.File(name: file.name, replies: file.replies, condition: condition)
    }
    do {
      return try ImportedRun(
        sources,
        options: .init(
          model: model, set: setName, conditionColumn: conditionColumn, reference: reference,
          group: groupOptions.group, judges: judges, skipsBadRows: replyOptions.skipBad))
    } catch {
      guard case .badRows = error else { throw error }
      throw CommandError.invalid("\(error) --skip-bad leaves such replies out.")
    }
  }

  private func keep(_ imported: ImportedRun, in store: RunStore) throws {
    do {
      try imported.store(as: runName, in: store)
    } catch RunError.nameTaken {
      let name = ShellWord.quoted(runName)
      throw CommandError.invalid(
        "The store already has a run '\(runName)'. Import under another name, or delete it with "
          + "'selfcd runs delete \(name)'.")
    }
  }

  private func judge(by judges: [any ReplyJudge], in store: RunStore, console: Console) async throws {
    let display = RunDisplay(label: "judging", console: console)
    defer { display.end() }
    let name = runName
    do {
      try await Interruption.cancellable {
        try await store.judge(runID: name, by: judges, onlyMissing: true) { display.show($0) }
      }
    } catch {
      display.end()
      console.note(
        "the replies are stored; judge them with: selfcd judge \(ShellWord.quoted(name))"
          + storeOptions.arguments.map { " " + ShellWord.quoted($0) }.joined()
          + judgeOptions.argumentsOfModels.map { " " + ShellWord.quoted($0) }.joined())
      throw error
    }
  }

  private func say(_ imported: ImportedRun, store: RunStore, console: Console) {
    if let issue = imported.skipped.first {
      console.note(
        "\(NumberFormat.counted(imported.skipped.count, "reply", "replies")) left out; the first: "
          + "\(TerminalText.singleLine("\(issue)")).")
    }
    var text = "run '\(runName)' is in \(store.path): \(NumberFormat.counted(imported.prompts, "prompt"))"
    if imported.conditions.count > 1 {
      text +=
        ", \(imported.compared) of them with a reply under each of \(imported.conditions.count) conditions"
    }
    console.note(TerminalText.singleLine(text + "."))
  }
}
