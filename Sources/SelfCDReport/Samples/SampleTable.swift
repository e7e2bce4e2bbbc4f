import Foundation
import SelfCDData
import SelfCDJudges
import SelfCDSupport

/// All prompts and replies of a page as columns, each text once: what the page's script reads.
///
/// A prompt that several runs have is one row, so that conditions of different runs stand side by side.
struct SampleTable: Encodable {
  /// The conditions' names, of all runs.
  private(set) var conditions: [String] = []
  /// The condition that changes are counted from, by its place.
  private(set) var before = 0
  /// The condition that changes are counted to.
  private(set) var after = 0
  private(set) var sets: [String] = []
  private(set) var categories: [String] = []
  private(set) var texts: [String] = []
  /// The texts that were shortened, by their places.
  private(set) var cut: [Int] = []
  /// One for each row, as are the following; −1 stands for what is not there, or withheld.
  private(set) var set: [Int] = []
  private(set) var id: [String] = []
  /// A letter for each row: `s`afe, `h`armful, `n`eutral, `u`nlabelled.
  private(set) var label = ""
  private(set) var category: [Int] = []
  private(set) var focus: [Int] = []
  private(set) var prompt: [Int] = []
  /// For each condition a sign for each row: the number of the reply's class, `?` without a verdict, `-` without a reply.
  private(set) var classes: [String] = []
  /// For each condition the place of the reply's text for each row.
  private(set) var replies: [[Int]] = []

  /// Takes the samples of runs that have them.
  /// - Parameters:
  ///   - runs: The runs.
  ///   - isAlone: Whether the page has one run only: then its conditions need no run beside their names.
  init(_ runs: [ReportRun], isAlone: Bool) {
    var builder = Builder()
    for run in runs { builder.add(run, isAlone: isAlone) }
    conditions = builder.conditions
    if let first = runs.first {
      before = builder.place(of: first.baseline, in: first, number: 0)
      after =
        runs.count > 1
        // What the second model does under its reference, beside the first.
        ? builder.place(of: runs[1].baseline, in: runs[1], number: 1)
        : builder.place(of: first.featured ?? first.baseline, in: first, number: 0)
    }
    (sets, categories, texts) = (builder.sets.values, builder.categories.values, builder.texts.values)
    cut = builder.cut.sorted()
    let rows = builder.rows
    set = rows.map(\.set)
    id = rows.map(\.id)
    label = String(rows.map(\.label))
    category = rows.map(\.category)
    focus = rows.map(\.focus)
    prompt = rows.map(\.prompt)
    classes = conditions.indices.map { condition in String(rows.map { $0.classes[condition] ?? "-" }) }
    replies = conditions.indices.map { condition in rows.map { $0.replies[condition] ?? -1 } }
  }

  /// What a condition is called: of several runs, each with its run.
  static func name(_ condition: String, of run: ReportRun, isAlone: Bool) -> String {
    let title = UntrustedText.singleLine(run.title(condition))
    return isAlone ? title : "\(UntrustedText.singleLine(run.record.id)): \(title)"
  }

  /// The table as JSON.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings and whole numbers can always be encoded.
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}

extension SampleTable {
  /// Values in the order in which they are first met, with their places.
  private struct Values {
    private(set) var values: [String] = []
    private var places: [String: Int] = [:]

    mutating func place(_ value: String?) -> Int {
      guard let value else { return -1 }
      if let place = places[value] { return place }
      places[value] = values.count
      values.append(value)
      return values.count - 1
    }
  }

  private struct Row {
    var set: Int
    var id: String
    var label: Character
    var category: Int
    var focus: Int
    var prompt: Int
    var classes: [Int: Character] = [:]
    var replies: [Int: Int] = [:]
  }

  /// A prompt of several runs is the same where its set, identifier, label and text are; where the text is withheld, the
  /// file's hash stands for it.
  private struct Key: Hashable {
    var set: String
    var sample: String
    var label: Sample.Label?
    var text: String
  }

  private struct Builder {
    var conditions: [String] = []
    var sets = Values()
    var categories = Values()
    var texts = Values()
    var cut: Set<Int> = []
    var rows: [Row] = []
    /// Where the conditions of each run begin.
    private var starts: [Int] = []
    private var places: [Key: Int] = [:]

    mutating func add(_ run: ReportRun, isAlone: Bool) {
      let start = conditions.count
      starts.append(start)
      conditions += run.conditions.map { SampleTable.name($0.id, of: run, isAlone: isAlone) }
      let columns = Dictionary(
        run.conditions.enumerated().map { ($1.id, start + $0) }, uniquingKeysWith: { first, _ in first })
      let hashes = Dictionary(
        run.record.sets.map { ($0.name, $0.sha256) }, uniquingKeysWith: { first, _ in first })
      for sample in run.samples ?? [] {
        let row = row(of: sample, sha256: hashes[sample.set] ?? "")
        for reply in sample.replies {
          guard let column = columns[reply.condition] else { continue }
          rows[row].classes[column] = reply.replyClass.flatMap { $0.rawValue.first } ?? "?"
          let text = texts.place(reply.text.map { UntrustedText.visible(reply.isCut ? $0 + "…" : $0) })
          rows[row].replies[column] = text
          if reply.isCut { cut.insert(text) }
        }
      }
    }

    private mutating func row(of sample: ReportSample, sha256: String) -> Int {
      let key = Key(
        set: sample.set, sample: sample.sample, label: sample.label,
        text: sample.prompt.map { "text " + $0 } ?? "hash " + sha256)
      if let row = places[key] { return row }
      places[key] = rows.count
      rows.append(
        Row(
          set: sets.place(UntrustedText.singleLine(sample.set)), id: UntrustedText.singleLine(sample.sample),
          label: sample.label?.rawValue.first ?? "u",
          category: categories.place(sample.category.map(UntrustedText.singleLine)),
          focus: texts.place(sample.focus.map(UntrustedText.singleLine)),
          prompt: texts.place(sample.prompt.map { UntrustedText.visible($0) })))
      return rows.count - 1
    }

    func place(of condition: String, in run: ReportRun, number: Int) -> Int {
      starts[number] + (run.conditions.firstIndex { $0.id == condition } ?? 0)
    }
  }
}
