import ArgumentParser
import Foundation
import SelfCDReport
import SelfCDStore

/// `selfcd report`: what a stored run shows, for people.
struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "A page about stored runs: the trade-off, tables beside the papers', replies that changed.",
    discussion: """
      Writes one self-contained file without scripts, to read, print or pass on. Both axes are always there: \
      harmless prompts refused, and harmful ones. Replies to harmful prompts are withheld.

      The format follows from the name of the file given with -o: .html, .md, .txt. Without -o, a summary goes to the \
      terminal.

      EXAMPLES
        selfcd report
        selfcd report latest -o report.html
        selfcd report 3f2a 9c41 --store runs.sqlite -o both.md
        selfcd report --format markdown > REPORT.md
      """)

  /// How a report is written.
  enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
    case html, markdown, text

    /// The format that a file's name asks for.
    init?(path: String) {
      switch URL(filePath: path).pathExtension.lowercased() {
      case "html", "htm": self = .html
      case "md", "markdown": self = .markdown
      case "txt": self = .text
      default: return nil
      }
    }
  }

  @Argument(
    help: .init(
      "Runs: an identifier, its beginning, or 'latest' (the default).", valueName: "run"))
  var runs: [String] = []

  @OptionGroup var storeOptions: StoreOptions

  @Option(name: [.short, .long], help: .init("Where to write; '-' is standard output.", valueName: "path"))
  var output: String?

  @Option(help: "How to write it: html, markdown or text.")
  var format: ReportFormat?

  @Option(
    help: .init("The judge to count by; the run's first that has judged unless given.", valueName: "name"))
  var judge: String?

  @Option(help: .init("The report's title.", valueName: "text"))
  var title: String?

  @Flag(help: "Show replies to harmful prompts too.")
  var showHarmful = false

  @Flag(help: "Print the report's data as one JSON object.")
  var json = false

  func validate() throws {
    if json, format != nil || output != nil {
      throw ValidationError("--json goes to standard output; leave --format and --output out.")
    }
    if let output, output != "-", format == nil, ReportFormat(path: output) == nil {
      throw ValidationError("The name '\(output)' does not say which format: add --format.")
    }
  }

  func run() async throws {
    let console = Console.standard
    let data = try loadData()
    if json { return try console.writeJSON(data) }
    let path = output == "-" ? nil : output
    let format = format ?? path.flatMap { ReportFormat(path: $0) } ?? .text
    try Self.write(data, as: format, to: path, console)
  }

  /// Writes a report to a file, or to standard output where there is none.
  static func write(_ data: ReportData, as format: ReportFormat, to path: String?, _ console: Console) throws
  {
    try OutputFile.write(render(data, as: format, to: path, console), to: path, console)
  }

  private func loadData() throws -> ReportData {
    let runStore = try storeOptions.openExisting()
    let identifiers = try StoredRun.identifiers(runs.isEmpty ? ["latest"] : runs, in: runStore)
    let options = ReportOptions(showsHarmful: showHarmful, judge: judge)
    let stored = try identifiers.map { try StoredRun.report(runStore, id: $0, options: options) }
    var data = ReportData(createdAt: Date(), showsHarmful: showHarmful, runs: stored)
    if let title { data.title = title }
    return data
  }

  private static func render(
    _ data: ReportData, as format: ReportFormat, to path: String?, _ console: Console
  ) -> String {
    switch format {
    case .html: return HTMLReport.render(data)
    case .markdown: return MarkdownReport.render(data)
    case .text:
      let isPlain = path != nil
      return TextReport(
        width: isPlain ? 100 : console.width, wrap: { TextLayout.wrap($0, width: $1) },
        emphasise: { isPlain ? $0 : console.styled($0, .bold) }
      ).render(data)
    }
  }
}
