import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDStore
import SelfCDSupport

/// Replies that were made elsewhere, as a run: its prompts, its conditions, and its replies to be judged.
///
/// ```swift
/// let before = try ForeignReplies(path: "before.jsonl"), after = try ForeignReplies(path: "after.jsonl")
/// let run = try ImportedRun([
///   .init(name: "before.jsonl", replies: before), .init(name: "after.jsonl", replies: after),
/// ])
/// try run.store(as: "release", in: store)
/// try await store.judge(runID: "release", by: JudgeCatalogue.local)
/// ```
public struct ImportedRun: Sendable {
  /// One file of replies.
  public struct File: Sendable {
    /// Its name without folders.
    public var name: String
    /// What it holds.
    public var replies: ForeignReplies
    /// The condition of all its replies; nil takes that of its rows, else the file's name without its ending.
    public var condition: String?

    /// Describes a file.
    public init(name: String, replies: ForeignReplies, condition: String? = nil) {
      self.name = name
      self.replies = replies
      self.condition = condition
    }

    /// Without endings: `before` of `before.jsonl.gz`.
    var stem: String {
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      let known: Set = ["gz", "jsonl", "ndjson", "json", "csv", "tsv", "txt"]
      let kept = parts.count - parts.reversed().prefix { known.contains($0.lowercased()) }.count
      let stem = parts.prefix(kept).joined(separator: ".")
      return stem.isEmpty ? name : stem
    }
  }

  /// What the caller knows or wants.
  public struct Options: Sendable {
    /// The model's name; nil takes that of a column `model`, where all rows have the same.
    public var model: String?
    /// The set's name; nil takes that of a column `dataset`, else the first file's.
    public var set: String?
    /// The column of conditions, where one was named: each row has to have a value there.
    public var conditionColumn: String?
    /// The condition that others are compared with; nil for the usual one.
    public var reference: String?
    /// The column that says which prompts belong together.
    public var group: String?
    /// The names of the judges; the first one's verdicts are counted.
    public var judges: [String]
    /// Whether replies that cannot be used are left out and listed.
    public var skipsBadRows: Bool

    /// Makes options; all have defaults.
    public init(
      model: String? = nil, set: String? = nil, conditionColumn: String? = nil, reference: String? = nil,
      group: String? = nil, judges: [String] = JudgeCatalogue.local.map(\.name), skipsBadRows: Bool = false
    ) {
      self.model = model
      self.set = set
      self.conditionColumn = conditionColumn
      self.reference = reference
      self.group = group
      self.judges = judges
      self.skipsBadRows = skipsBadRows
    }
  }

  /// What the set's `format` says in the store.
  public static let format = "imported"

  /// Columns that the run keeps in places of their own.
  static let ownColumns: Set = [
    "id", "sample", "dataset", "condition", "strategy", "alpha", "repetition", "epoch", "stop_reason",
    "model",
    "run", "label", "category", "focus", WithheldText.column,
  ]

  /// The prompts.
  public let datasets: [Dataset]
  /// The conditions, in the order in which they come first.
  public let conditions: [ConditionRecord]
  /// The replies, without verdicts.
  public let replies: [EvaluatedReply]
  /// Replies that were left out.
  public let skipped: [ImportIssue]
  /// The model's name.
  public let model: String
  private let settings: RunSettings

  /// Brings the replies of several files together.
  /// - Throws: ``ImportError``.
  public init(_ files: [File], options: Options = Options()) throws(ImportError) {
    var prompts = ImportedPrompts()
    var conditions: [ConditionRecord] = []
    var issues: [ImportIssue] = []
    var rows: [(key: (place: ImportedPrompts.Place, slot: ImportedPrompts.Slot), reply: ForeignReply)] = []
    let names = Set(files.flatMap { file in file.replies.replies.map { file.condition(of: $0) } })
    // Others count from 1, or export the last of several alone; figures are of the first, which is 0 here.
    var lowest: [String: Int] = [:]
    for file in files {
      for reply in file.replies.replies {
        lowest[file.condition(of: reply), default: .max] = min(
          reply.repetition, lowest[file.condition(of: reply), default: .max])
      }
    }
    for file in files {
      for reply in file.replies.replies {
        do throws(ImportIssue.Reason) {
          let condition = file.condition(of: reply)
          if let column = options.conditionColumn, file.condition == nil, reply.condition == nil {
            throw .noCondition(column: column)
          }
          let set = options.set ?? reply.value(ofColumn: "dataset") ?? files.first?.stem ?? Self.format
          let slot = ImportedPrompts.Slot(
            condition: condition, repetition: reply.repetition - lowest[condition, default: 0])
          let place = try prompts.place(
            of: reply.withoutSet(set), inSet: set, file: file.stem, slot: slot, needsPrompt: names.count > 1)
          rows.append((key: (place, slot), reply: reply))
          if !conditions.contains(where: { $0.id == condition }) {
            conditions.append(Self.record(condition, of: reply, in: file))
          }
        } catch {
          issues.append(ImportIssue(file: file.name, place: reply.place, reason: error))
        }
      }
    }
    if !issues.isEmpty, !options.skipsBadRows { throw .badRows(issues) }
    if rows.isEmpty { throw .nothingUsable(issues) }
    if let reference = options.reference, !conditions.contains(where: { $0.id == reference }) {
      throw .unknownReference(reference, known: conditions.map(\.id))
    }
    let digests = files.map(\.replies.sha256).joined(separator: " ")
    let left = files.flatMap(\.replies.skipped)
    datasets = prompts.sets.enumerated().filter { !$0.element.samples.isEmpty }.map { index, set in
      Dataset(
        name: set.name, sha256: digests, format: Self.format, samples: set.samples,
        skipped: index == 0 ? left : [])
    }
    replies = rows.map { row in
      EvaluatedReply(
        key: ReplyKey(
          dataset: prompts.sets[row.key.place.set].name, sample: prompts.sample(row.key.place).id,
          condition: row.key.slot.condition, repetition: row.key.slot.repetition),
        sample: prompts.sample(row.key.place), text: row.reply.completion,
        stopReason: row.reply.value(ofColumn: "stop_reason") ?? "unknown")
    }
    let models = Set(rows.map { $0.reply.value(ofColumn: "model") })
    model = options.model ?? (models.count == 1 ? models.first ?? nil : nil) ?? "unknown"
    settings = RunSettings(
      imported: .init(files: files.map(\.name)),
      repetitions: (rows.map(\.key.slot.repetition).max() ?? 0) + 1, judges: options.judges,
      reference: options.reference, group: options.group)
    self.conditions = conditions
    skipped = issues
  }

  /// Prompts that have a reply under each of the conditions.
  public var compared: Int {
    var seen: [ReplyKey: Set<String>] = [:]
    for reply in replies where reply.key.repetition == 0 {
      seen[ReplyKey(dataset: reply.key.dataset, sample: reply.key.sample, condition: ""), default: []]
        .insert(reply.key.condition)
    }
    return seen.values.count { $0.count == conditions.count }
  }

  /// Prompts in all.
  public var prompts: Int { datasets.reduce(0) { $0 + $1.samples.count } }

  /// Keeps the run. Its replies are still to be judged.
  /// - Throws: ``RunError`` for a name that is taken or stands for the latest run, `StoreError`.
  public func store(as name: String, in store: RunStore) throws {
    try RunError.check(newRun: name)
    let record = RunRecord(
      id: name, finishedAt: Date(), codeVersion: SelfCDVersion.current,
      model: .init(name: model, sha256: RunRecord.Model.imported), parameters: try settings.json(),
      machine: .imported, planned: replies.count)
    do {
      try store.begin(record, datasets: datasets, conditions: conditions)
    } catch StoreError.alreadyExists {
      throw RunError.nameTaken(run: name)
    }
    do {
      try store.add(replies, to: name)
    } catch {
      // Nobody can go on with half of it.
      try? store.delete(runID: name)
      throw error
    }
  }

  /// A condition; an export of a run says its strategy, too.
  private static func record(_ condition: String, of reply: ForeignReply, in file: File) -> ConditionRecord {
    guard file.condition == nil, reply.condition == condition,
      let strategy = reply.value(ofColumn: "strategy")
    else { return ConditionRecord(id: condition, strategy: condition) }
    return ConditionRecord(
      id: condition, strategy: strategy,
      alpha: reply.value(ofColumn: "alpha").flatMap { Double($0) })
  }
}

extension ImportedRun.File {
  func condition(of reply: ForeignReply) -> String { condition ?? reply.condition ?? stem }
}

extension ForeignReply {
  /// Logs that this program writes for Inspect have the set's name before the prompt's.
  fileprivate func withoutSet(_ name: String) -> ForeignReply {
    guard hasOwnID, id.hasPrefix(name + "/"), id.count > name.count + 1 else { return self }
    var reply = self
    reply.id = String(id.dropFirst(name.count + 1))
    return reply
  }
}
