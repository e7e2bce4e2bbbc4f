import ArgumentParser
import Foundation
import SelfCDData
import SelfCDSupport

/// The files of an evaluation and how they are read.
struct DatasetOptions: ParsableArguments {
  @Option(
    help: .init(
      """
      Prompts that should be answered, though they may look harmful; '-', as for every set, is standard input. \
      Repeatable. Rows with labels of their own keep them: in a column label, set, harmful, safe and the like, or by \
      XSTest's types.
      """,
      valueName: "file"))
  var safe: [String] = []

  @Option(help: .init("Prompts that should be refused. Repeatable.", valueName: "file"))
  var harmful: [String] = []

  @Option(
    help: .init(
      "Ordinary prompts, to see what else changes; a column 'answer' is compared. Repeatable.",
      valueName: "file"))
  var neutral: [String] = []

  @Option(
    help: .init(
      "Prompts whose rows say whether they are safe or harmful, as in XSTest. Repeatable.", valueName: "file")
  )
  var data: [String] = []

  @Option(
    help: .init(
      "The files' format instead of the one their columns tell: \(DatasetFormatCatalogue.formats.map(\.name).joined(separator: ", ")).",
      valueName: "name"))
  var format: String?

  @Flag(help: "Leave out rows that cannot be used, and say how many.")
  var skipBad = false

  @Option(
    help: .init("The most prompts to use of each set, spread evenly over its files.", valueName: "n"))
  var limit: Int?

  var isEmpty: Bool { (safe + harmful + neutral + data).isEmpty }

  func validate() throws {
    if (safe + harmful + neutral + data).count(where: { $0 == "-" }) > 1 {
      throw ValidationError(
        "'-' is standard input and can be read once: give it for one set, files for the others.")
    }
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
    if let format {
      do { _ = try DatasetFormatCatalogue.format(named: format) } catch { throw ValidationError("\(error)") }
    }
  }

  /// Reads the files, or the bundled sets where none is given.
  /// - Parameter countsEach: whether a prompt that occurs twice counts twice in what the files are read for.
  /// - Throws: `DatasetError`, `CommandError`.
  func read(console: Console, countsEach: Bool = true) throws -> [Dataset] {
    guard !isEmpty else { return try BundledBenchmark().datasets().limited(to: limit) }
    let given: [(path: String, label: Sample.Label?)] =
      safe.map { ($0, .safe) } + harmful.map { ($0, .harmful) } + neutral.map { ($0, .neutral) }
      + data.map { ($0, nil) }
    var datasets: [Dataset] = []
    var paths: [String: String] = [:]
    for (path, label) in given {
      let read = try read(path, label: label)
      if let known = datasets.first(where: { $0.sha256 == read.sha256 }) {
        let statement = Self.repeated(paths[read.sha256] ?? path, path)
        try check(repeated: known, again: read, statement)
        console.note("\(statement); the prompts count once.")
        continue
      }
      paths[read.sha256] = path
      datasets.append(named(try labelled(read, path: path, console: console), beside: datasets))
    }
    report(datasets, console: console)
    let used = datasets.limited(to: limit)
    reportDuplicates(in: used, countsEach: countsEach, console: console)
    return used
  }

  /// A data set knows what is wrong with it, and not which options there are.
  private func read(_ path: String, label: Sample.Label?) throws -> Dataset {
    let format = try format.map(DatasetFormatCatalogue.format(named:))
    let reader = DatasetReader(options: .init(format: format, label: label, skipsBadRows: skipBad))
    // Its content says how it is laid out, since it has no name.
    let bytes = path == "-" ? try InputText.standardInput() : nil
    do {
      if let bytes { return try reader.read(bytes: bytes, fileName: ReplyFileOptions.standardInput) }
      return try reader.read(path: UserFolders.current.expand(path))
    } catch {
      switch error {
      case .malformedRows(_, let issues):
        let isAboutLabels = issues.contains { if case .notALabel = $0.reason { true } else { false } }
        throw CommandError.invalid(
          "\(error) --skip-bad leaves such rows out."
            + (isAboutLabels
              ? " A format without labels, such as --format prompts or texts, ignores their columns." : ""))
      default: throw error
      }
    }
  }

  /// A file that labels itself can be named for each of its sets; one that does not would be both safe and harmful.
  private func check(repeated known: Dataset, again read: Dataset, _ statement: String) throws {
    guard known.samples.map(\.label) == read.samples.map(\.label) else {
      throw CommandError.invalid(
        "\(statement), and the rows do not say which of the two sets they belong to. Give each prompt for one set."
      )
    }
  }

  /// Says that two files are one, by the names they were given by.
  private static func repeated(_ first: String, _ second: String) -> String {
    let isSame = UserFolders.current.expand(first) == UserFolders.current.expand(second)
    return isSame ? "\(second) is given twice" : "\(first) and \(second) have the same content"
  }

  private func labelled(_ dataset: Dataset, path: String, console: Console) throws -> Dataset {
    let unlabelled = dataset.samples.count { $0.label == nil }
    guard unlabelled > 0 else { return dataset }
    guard unlabelled < dataset.samples.count else {
      let remark = dataset.columnOfReplies.map {
        " Its column '\($0)' may be about the replies in the file and not about the prompts, so it labels nothing; a column "
          + "'label' does."
      }
      throw CommandError.invalid(
        "\(path) does not say which prompts are safe and which harmful. Give it with --safe, --harmful or --neutral."
          + (remark ?? ""))
    }
    console.note(
      "\(NumberFormat.counted(unlabelled, "prompt")) of \(path) "
        + (unlabelled == 1 ? "carries no clear label and is" : "carry no clear label and are") + " left out.")
    var kept = dataset
    kept.samples.removeAll { $0.label == nil }
    return kept
  }

  private func named(_ dataset: Dataset, beside others: [Dataset]) -> Dataset {
    var dataset = dataset
    let base = dataset.name
    var number = 2
    while others.contains(where: { $0.name == dataset.name }) {
      dataset.name = "\(base)-\(number)"
      number += 1
    }
    return dataset
  }

  private func report(_ datasets: [Dataset], console: Console) {
    for dataset in datasets where !dataset.skipped.isEmpty {
      console.note(
        "\(dataset.name): \(NumberFormat.counted(dataset.skipped.count, "row")) left out; the first: "
          + "\(TerminalText.singleLine("\(dataset.skipped[0])"))."
      )
    }
    for dataset in datasets {
      guard let column = dataset.ignoredLabelColumn else { continue }
      console.note(
        TerminalText.singleLine(
          "\(dataset.name): the column '\(column)' has labels that the format '\(dataset.format)' ignores; leave "
            + "--format out to split the rows by them."))
    }
    for dataset in datasets where dataset.labelCounts.count > 1 {
      let parts = Sample.Label.allCases.compactMap { label in
        dataset.labelCounts[label].map { "\($0) \(label.rawValue)" }
      }
      console.note("\(dataset.name) is split by its rows' labels: \(parts.joined(separator: ", ")).")
    }
  }

  private static let duplicatesShown = 3

  /// Says which of the prompts that are used occur more than once, and where.
  private func reportDuplicates(in datasets: [Dataset], countsEach: Bool, console: Console) {
    let duplicates = DuplicateReport(datasets).groups
    guard !duplicates.isEmpty else { return }
    let conflicts = duplicates.count(where: \.hasConflictingLabels)
    let shown = duplicates.prefix(Self.duplicatesShown).map { group in
      let places = group.occurrences.map { "\($0.dataset), \($0.position)" }.joined(separator: "; ")
      return TerminalText.singleLine("\(group.occurrences.count) times (\(places))")
    }
    console.note(
      "\(NumberFormat.counted(duplicates.count, "prompt occurs", "prompts occur")) more than once"
        + (conflicts > 0 ? ", \(conflicts) of them with different labels" : "")
        + ", without regard to case and spaces: "
        + shown.joined(separator: ", ")
        + (duplicates.count > shown.count ? " and \(duplicates.count - shown.count) more" : "")
        + (countsEach
          ? ". Each counts in n as a prompt of its own, which makes intervals too narrow: keep one of them."
          : "."))
  }
}
