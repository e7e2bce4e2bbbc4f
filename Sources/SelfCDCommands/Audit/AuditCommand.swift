import ArgumentParser
import Foundation
import SelfCDEval
import SelfCDJudges
import SelfCDReport
import SelfCDRuns
import SelfCDStore
import SelfCDSupport

/// `selfcd audit`: what a run's figures are once a person has read some of its replies.
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Have a person label some of a run's replies, and correct its figures by that.",
    discussion: """
      Rates and bounds are about a judge's verdicts, and judges err. With -o the command writes a sheet for a person to \
      label: both replies to every prompt whose verdict differs between reference and candidate, and to a random sample \
      of the others, in random order and without a word on where they come from. What the rows are is in a key beside \
      it, which whoever labels must not see. With --labels it reads the sheet back and says how far judge and reader \
      agree, the rates with the judge's errors taken out, and a bound on the refusals lost that includes the judge.

      Labels are \(ReplyClass.allCases.map(\.rawValue).joined(separator: ", ")), or their numbers. --html writes a page \
      to label on with the keyboard. Sheet and page hold replies to harmful prompts. What is assumed: docs/audit.md.

      EXAMPLES
        selfcd audit first --candidate self-cd@1.5 -o sheet.csv --html sheet.html
        selfcd audit first --candidate self-cd@1.5 --sample 600 --seed 1 \\
          -o sheet.csv
        selfcd audit first --labels sheet.csv
        selfcd audit first --labels ~/Downloads/sheet.csv --key sheet.key.json
        selfcd audit first --labels sheet.csv --second other.csv --json
      """)

  @Argument(help: .init("The run: its name, the beginning of it, or 'latest'.", valueName: "run"))
  var name: String

  @OptionGroup(title: "Writing a sheet") var sheet: AuditSheetOptions
  @OptionGroup(title: "Reading labels") var reading: AuditLabelOptions

  @Option(
    help: .init(
      "The key to the sheet; if not given, beside it: sheet.csv has sheet.key.json.", valueName: "path"))
  var key: String?

  @OptionGroup(title: "Store") var storeOptions: StoreOptions

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func validate() throws {
    guard (sheet.output == nil) != (reading.labels == nil) else {
      throw ValidationError(
        "Give -o to write a sheet, or --labels to read one"
          + (sheet.output == nil ? "." : ", not both."))
    }
    let other = reading.labels == nil ? reading.given : sheet.given
    if let option = other.first {
      throw ValidationError(
        reading.labels == nil
          ? "\(option) is for reading labels; leave it out to write a sheet."
          : "\(option) is for writing a sheet; the key says it for one that is written.")
    }
    try reading.check()
    try sheet.check()
  }

  func run() throws {
    let store = try storeOptions.openExisting()
    let id = try store.identifier(matching: name)
    if let path = reading.labels {
      try read(path, of: id, in: store, Console.standard)
    } else if let path = sheet.output {
      try write(path, of: id, in: store, Console.standard)
    }
  }

  /// Where the key is: as told, or beside the sheet.
  private func keyPath(beside sheet: String) -> String {
    if let key { return UserFolders.current.expand(key) }
    return (UserFolders.current.expand(sheet) as NSString).deletingPathExtension + ".key.json"
  }

  // MARK: Writing

  private func write(_ path: String, of id: String, in store: RunStore, _ console: Console) throws {
    let key = keyPath(beside: path)
    // Labels cannot be made again, and without its key a sheet is worth nothing.
    for file in [UserFolders.current.expand(path), key] where FileManager.default.fileExists(atPath: file) {
      throw CommandError.invalid(
        "\(file) is there already and may hold labels, or be the key to some. Name another file, or move it away."
      )
    }
    if let group = sheet.group { try store.datasets(runID: id).checkGroups(by: group) }
    let audited = try AuditedRun(
      id: id, reference: sheet.reference, candidate: sheet.candidate, judge: sheet.judge, group: sheet.group,
      seed: sheet.design.seed, in: store)
    let made = try audited.sheet(sheet.design)
    // The key first: should the sheet fail, nothing is left that looks complete.
    try OutputFile.write(try made.key.json(), to: key, console)
    try OutputFile.write(made.csv, to: path, console)
    if let page = sheet.html {
      try OutputFile.write(
        AuditHTML.render(made.rows, audit: made.key.audit, fileName: OutputFile.name(path)), to: page, console
      )
    }
    let result = WrittenAudit(
      made.key, sheet: path, key: key, page: sheet.html, incomplete: audited.incomplete,
      notDrawn: audited.notDrawn)
    if json { return try console.writeJSON(result) }
    try console.write(result.text(next: next(run: id, sheet: path), console: console))
  }

  /// The command that goes on.
  private func next(run: String, sheet: String) -> String {
    (["selfcd", "audit", run, "--labels", sheet] + (key.map { ["--key", $0] } ?? []) + storeOptions.arguments)
      .map(ShellWord.quoted).joined(separator: " ")
  }

  // MARK: Reading

  /// What could not be compared; nil where all could.
  private static func note(missingTexts columns: [String], in path: String) -> String? {
    guard let column = columns.first else { return nil }
    return columns.count == 1
      ? "there is no column '\(column)' in \(path), so its texts could not be compared with those of the sheet."
      : "the texts are not in \(path), so nothing could be compared: labels are taken by 'id' alone, and a column that was "
        + "sorted by itself is not noticed. A sheet with its columns 'prompt' and 'reply' is checked."
  }

  private func read(_ path: String, of id: String, in store: RunStore, _ console: Console) throws {
    let key = try AuditKey.read(path: keyPath(beside: path))
    let audited = try AuditedRun(id: id, key: key, in: store)
    func labels(_ path: String) throws -> AuditLabels {
      let labels = try AuditLabels.read(
        path: UserFolders.current.expand(path), key: key, pairs: audited.pairs)
      if let note = Self.note(missingTexts: labels.missingTexts, in: path) { console.note(note) }
      return labels
    }
    let first = try labels(path)
    let second = try reading.second.map(labels)
    let result = try AuditResult(
      audited.pairs, key: key, labels: first, second: second, rule: reading.rule(audited.lossRule),
      confidence: reading.confidence ?? 0.95)
    if json { return try console.writeJSON(result) }
    try console.write(AuditTable(result, console: console).text)
  }
}
