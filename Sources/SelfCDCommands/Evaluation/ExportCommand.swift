import ArgumentParser
import Foundation
import SelfCDStore
import SelfCDSupport

extension RunExport.Text: ExpressibleByArgument {}

/// `selfcd export`: a run's replies for other programs.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a run's verdicts, and its texts if asked, as JSON lines, JSON, CSV or logs of Inspect.",
    discussion: """
      Texts stay out unless asked for: replies to harmful prompts do not belong everywhere a file ends up. Where they \
      are left out, 'withheld' is 1, so that nobody takes a reply for an empty one. Cells that a spreadsheet would \
      execute are neutralised. Names of columns are stable; docs/figures.md has them. The format inspect makes a folder with one log for each condition, for \
      'inspect view --log-dir FOLDER' of UK AISI's Inspect.

      EXAMPLES
        selfcd export first > first.jsonl
        selfcd export first --text harmless -o first.csv
        selfcd export first --format inspect -o logs
      """)

  private static let formats: [OutputFormat] = [.jsonLines, .json, .csv, .inspect]

  @Argument(help: .init("The run: its name, the beginning of it, or 'latest'.", valueName: "run"))
  var name: String

  @Option(
    help: .init(
      "How replies are written: jsonl, json, csv or inspect; the ending of -o's file says it, too.",
      valueName: "format"))
  var format: OutputFormat?

  @Option(
    help: .init(
      "Prompts and replies: of no samples, of those labelled harmless, or of all.", valueName: "which"))
  var text = RunExport.Text.none

  @Option(
    name: [.short, .long],
    help: .init(
      "Write to a file instead of standard output; the folder of the format inspect.", valueName: "path"))
  var output: String?

  @Flag(help: "Replace files that are there already.")
  var force = false

  @OptionGroup var storeOptions: StoreOptions

  private func choice() throws -> OutputChoice {
    if format == .inspect, output == nil || output == "-" {
      throw ValidationError("--format inspect writes several files: give their folder with -o.")
    }
    return try OutputChoice(format: format, path: output, among: Self.formats, command: "selfcd export")
  }

  func validate() throws { _ = try choice() }

  func run() throws {
    let store = try storeOptions.openExisting()
    // Before a file is made or emptied for it.
    let run = try store.run(id: try store.identifier(matching: name))
    let console = Console.standard
    let choice = try choice()
    // A run that another program stored may say nothing of its judges; its verdicts are exported all the same.
    let judge = try? store.countedJudge(of: run)
    let formats: [OutputFormat: RunExport.Format] = [.jsonLines: .jsonLines, .json: .json, .csv: .csv]
    guard let format = formats[choice.format] else {
      let folder = choice.path ?? ""
      let export = InspectExport(text: text, judge: judge)
      try check(files: export.files(of: run.id, in: store, folder: URL(filePath: folder)).map(\.path))
      let logs = try export.write(store, runID: run.id, to: URL(filePath: folder))
      let count = NumberFormat.counted(logs.count, "log is", "logs are")
      return console.note(
        "\(count) in \(folder); see \(logs.count == 1 ? "it" : "them") with: "
          + "inspect view --log-dir \(ShellWord.quoted(folder))")
    }
    if let path = choice.path { try check(files: [path]) }
    let export = RunExport(format, text: text, judge: judge)
    try OutputFile.stream(to: choice.path, console) { try export.write(store, runID: run.id, to: $0) }
  }

  /// What is there may hold texts that this export leaves out, or verdicts that are gone from the store.
  private func check(files: [String]) throws {
    guard !force, let file = files.first(where: OutputFile.isFile) else { return }
    throw CommandError.invalid(
      "\(file) is there already. Name another \(format == .inspect ? "folder" : "file"), or replace it with --force."
    )
  }
}
