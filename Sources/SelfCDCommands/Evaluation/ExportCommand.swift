import ArgumentParser
import Foundation
import SelfCDStore

extension RunExport.Text: ExpressibleByArgument {}

/// `selfcd export`: a run's replies for other programs.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a run's verdicts, and its texts if asked, as JSON lines, CSV or logs of Inspect.",
    discussion: """
      Texts stay out unless asked for: replies to harmful prompts do not belong everywhere a file ends up. Cells that \
      a spreadsheet would execute are neutralised. The format inspect makes a folder with one log for each condition, \
      for 'inspect view --log-dir FOLDER' of UK AISI's Inspect.

      EXAMPLES
        selfcd export first > first.jsonl
        selfcd export first --format csv --text harmless -o first.csv
        selfcd export first --format inspect -o logs
      """)

  /// How a run is written.
  enum ExportFormat: String, ExpressibleByArgument, CaseIterable {
    case jsonLines = "jsonl"
    case csv
    case inspect
  }

  @Argument(help: .init("The run: its name, the beginning of it, or 'latest'.", valueName: "run"))
  var name: String

  @Option(help: .init("How replies are written.", valueName: "format"))
  var format = ExportFormat.jsonLines

  @Option(
    help: .init(
      "Prompts and replies: of no samples, of those labelled harmless, or of all.", valueName: "which"))
  var text = RunExport.Text.none

  @Option(
    name: [.short, .long],
    help: .init(
      "Write to a file instead of standard output; the folder of the format inspect.", valueName: "path"))
  var output: String?

  @OptionGroup var storeOptions: StoreOptions

  func validate() throws {
    if format == .inspect, output == nil {
      throw ValidationError("--format inspect writes several files: give their folder with -o.")
    }
  }

  func run() throws {
    let store = try storeOptions.openExisting()
    // Before a file is made or emptied for it.
    let name = try StoredRun.identifier(name, in: store)
    let console = Console.standard
    let path = output.map { ($0 as NSString).expandingTildeInPath }
    switch format {
    case .jsonLines:
      try write(RunExport(.jsonLines, text: text), of: name, in: store, to: path, console: console)
    case .csv: try write(RunExport(.csv, text: text), of: name, in: store, to: path, console: console)
    case .inspect:
      let folder = path ?? ""
      let logs = try InspectExport(text: text).write(store, runID: name, to: URL(filePath: folder))
      console.note("\(logs.count) logs are in \(folder); see them with: inspect view --log-dir \(folder)")
    }
  }

  private func write(
    _ export: RunExport, of name: String, in store: RunStore, to path: String?, console: Console
  ) throws {
    guard let path else { return try export.write(store, runID: name) { try console.write($0) } }
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let handle = FileHandle(forWritingAtPath: path)
    else { throw CommandError.outputFailed(reason: "\(path) cannot be created") }
    try export.write(store, runID: name) {
      try handle.write(contentsOf: Data($0.utf8))
    }
    try handle.close()
  }
}
