import ArgumentParser
import Foundation
import SelfCDStore

extension RunExport.Format: ExpressibleByArgument {}
extension RunExport.Text: ExpressibleByArgument {}

/// `selfcd export`: a run's replies for other programs.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a run's verdicts, and its texts if asked, as JSON lines or CSV.",
    discussion: """
      Texts stay out unless asked for: replies to harmful prompts do not belong everywhere a file ends up. Cells that \
      a spreadsheet would execute are neutralised.

      EXAMPLES
        selfcd export first > first.jsonl
        selfcd export first --format csv --text harmless -o first.csv
      """)

  @Argument(help: .init("The run.", valueName: "run"))
  var name: String

  @Option(help: .init("How replies are written.", valueName: "format"))
  var format = RunExport.Format.jsonLines

  @Option(
    help: .init(
      "Prompts and replies: of no samples, of those labelled harmless, or of all.", valueName: "which"))
  var text = RunExport.Text.none

  @Option(
    name: [.short, .long], help: .init("Write to a file instead of standard output.", valueName: "path"))
  var output: String?

  @OptionGroup var storeOptions: StoreOptions

  func run() throws {
    let store = try storeOptions.openExisting()
    // Before a file is made or emptied for it.
    _ = try store.run(id: name)
    let console = Console.standard
    guard let output else {
      return try RunExport(format, text: text).write(store, runID: name) { try console.write($0) }
    }
    let path = (output as NSString).expandingTildeInPath
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let handle = FileHandle(forWritingAtPath: path)
    else { throw CommandError.outputFailed(reason: "\(path) cannot be created") }
    try RunExport(format, text: text).write(store, runID: name) {
      try handle.write(contentsOf: Data($0.utf8))
    }
    try handle.close()
  }
}
