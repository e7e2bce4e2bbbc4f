import ArgumentParser
import Foundation
import SelfCDEval
import SelfCDReport
import SelfCDRuns
import SelfCDStore
import SelfCDSupport

extension ReportOptions.Samples: ExpressibleByArgument {}

/// `selfcd report`: what a stored run shows, for people.
struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "A page about stored runs: the trade-off, published figures, replies that changed.",
    discussion: """
      Writes one self-contained file, to read, print or pass on. Both axes are always there: harmless prompts left \
      unanswered, and harmful ones refused. Replies to harmful prompts are withheld.

      An HTML page ends with a list of every prompt and its replies, to search and filter. It loads nothing, and its own \
      script is the only one that it can run. The list holds the texts of harmless prompts: before you pass a page on, \
      consider --samples verdicts. Two runs stand side by side.

      The format follows from the name of the file given with -o: .html, .md, .txt, .json. Without -o, a summary goes \
      to the terminal.

      --figures makes a folder for papers: each chart as SVG and PDF, each table for LaTeX, and the figures as CSV for \
      programs. No file of it holds a prompt or a reply. The page or summary is left out then, unless it is asked for.

      EXAMPLES
        selfcd report
        selfcd report latest -o report.html
        selfcd report 3f2a 9c41 --store runs.sqlite -o both.md
        selfcd report first --group template -o report.html
        selfcd report latest --fail-if "self-cd@1.5: harmful.refused < 0.9" \\
          -o report.html
        selfcd report --format markdown > REPORT.md
        selfcd report latest --figures figures
      """)

  static let formats: [OutputFormat] = [.text, .html, .markdown, .json]

  @Argument(
    help: .init(
      "Runs: an identifier, its beginning, or 'latest' (the default).", valueName: "run"))
  var runs: [String] = []

  @OptionGroup var storeOptions: StoreOptions

  @Option(name: [.short, .long], help: .init("Where to write; '-' is standard output.", valueName: "path"))
  var output: String?

  @Option(
    help: .init(
      "How to write it: html, markdown, text or json; the ending of -o's file says it, too.",
      valueName: "format"))
  var format: OutputFormat?

  @Option(
    help: .init("The judge to count by; the run's first that has judged unless given.", valueName: "name"))
  var judge: String?

  @OptionGroup var groupOptions: GroupOptions

  @Option(help: .init("The report's title.", valueName: "text"))
  var title: String?

  @Flag(help: "Show replies to harmful prompts too.")
  var showHarmful = false

  @Option(
    help: .init(
      "What the page's list of replies holds: texts, verdicts (no text), or none (no list, and no script).",
      valueName: "content"))
  var samples: ReportOptions.Samples = .texts

  @Flag(help: "Print the report's data as one JSON object.")
  var json = false

  @Option(
    help: .init(
      "Write charts (SVG, PDF), tables (LaTeX) and figures (CSV) into a folder; replaces files of their names.",
      valueName: "folder"))
  var figures: String?

  @OptionGroup(title: "Checks") var ruleOptions: RuleOptions

  private func choice() throws -> OutputChoice {
    if json, format != nil || output != nil {
      throw ValidationError("--json goes to standard output; leave --format and --output out.")
    }
    return try OutputChoice(
      format: json ? .json : format, path: output, among: Self.formats, command: "selfcd report")
  }

  func validate() throws {
    _ = try choice()
    if figures == "" { throw ValidationError("--figures needs the name of a folder.") }
    if showHarmful, samples == .verdicts {
      throw ValidationError("--show-harmful shows texts, and --samples verdicts leaves all of them out.")
    }
    if !ruleOptions.failIf.isEmpty, judge?.contains("@") ?? false {
      throw ValidationError("--fail-if goes with --judge NAME, without a version.")
    }
  }

  func run() async throws {
    let console = Console.standard
    let choice = try choice()
    let data = try loadData(for: choice.format)
    if let figures { try Self.write(ReportFigures(data), to: figures, console) }
    if figures == nil || output != nil || format != nil || json { try Self.write(data, to: choice, console) }
    try ruleOptions.enforce(try checkedFigures(data), command: "selfcd report", console: console)
  }

  /// Writes a report in the format that was chosen.
  static func write(_ data: ReportData, to choice: OutputChoice, _ console: Console) throws {
    let text =
      switch choice.format {
      case .html: HTMLReport.render(data)
      case .markdown: MarkdownReport.render(data)
      case .json: try console.json(data) + "\n"
      default: summary(data, choice.console(console))
      }
    try OutputFile.write(text, to: choice.path, console)
  }

  /// Writes the files for papers and says what they lack.
  private static func write(_ figures: ReportFigures, to folder: String, _ console: Console) throws {
    do {
      try figures.write(to: URL(filePath: UserFolders.current.expand(folder)))
    } catch {
      throw CommandError.outputFailed(reason: "\(folder): \((error as NSError).localizedDescription)")
    }
    for file in figures.files {
      if let remark = file.remark { console.note("\(file.name): \(remark)") }
    }
    console.note("wrote \(NumberFormat.counted(figures.files.count, "file")) into \(folder).")
  }

  /// Only the page lists every reply; tables of them are what 'selfcd export' writes.
  private func loadData(for format: OutputFormat) throws -> ReportData {
    let runStore = try storeOptions.openExisting()
    let identifiers = try runStore.identifiers(matching: runs.isEmpty ? ["latest"] : runs)
    if groupOptions.group != nil {
      for identifier in identifiers { try groupOptions.check(try runStore.datasets(runID: identifier)) }
    }
    let options = ReportOptions(
      showsHarmful: showHarmful, judge: judge, group: groupOptions.group,
      samples: format == .html ? samples : .none)
    let stored = try identifiers.map { try ReportRun(id: $0, in: runStore, options: options) }
    var data = ReportData(createdAt: Date(), showsHarmful: showHarmful, runs: stored)
    if let title { data.title = title }
    return data
  }

  /// What rules of `--fail-if` are about; they are the report's figures.
  private func checkedFigures(_ data: ReportData) throws -> [CheckedFigures] {
    let store = try storeOptions.openExisting()
    return try data.runs.flatMap { run in
      let stored = try StoredEvaluation(
        runID: run.record.id, judge: judge, group: groupOptions.group, in: store)
      return EvaluationResult(stored, store: store).checkedFigures
    }
  }

  private static func summary(_ data: ReportData, _ console: Console) -> String {
    TextReport(
      width: console.width, wrap: { TextLayout.wrap($0, width: $1) },
      emphasise: { console.styled($0, .bold) }
    ).render(data)
  }
}
