import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges

/// Writes a run's replies for other programs.
public struct RunExport: Codable, Sendable, Hashable {
  /// How replies are written.
  public enum Format: String, Codable, Sendable, CaseIterable {
    /// One JSON object a line.
    case jsonLines = "jsonl"
    /// One list of the same objects.
    case json
    /// A table with a header; cells that a spreadsheet would execute are neutralised.
    case csv
  }

  /// Which texts go along. Verdicts always do.
  public enum Text: String, Codable, Sendable, CaseIterable {
    /// None: what is needed for rates, and nothing that could do harm where the file ends up.
    case none
    /// Prompts and replies of samples that are not labelled harmful and not unlabelled.
    case harmless
    /// All of them.
    case all

    /// Whether the texts of `sample` go along.
    func shows(_ sample: Sample) -> Bool {
      switch self {
      case .none: false
      case .harmless: sample.label == .safe || sample.label == .neutral
      case .all: true
      }
    }
  }

  /// How replies are written.
  public var format: Format
  /// Which texts go along.
  public var text: Text
  /// The judge whose verdicts stand in columns of their own; nil for none.
  public var judge: String?

  /// Makes an export.
  public init(_ format: Format, text: Text = .none, judge: String? = nil) {
    self.format = format
    self.text = text
    self.judge = judge
  }

  /// Hands the export of a run to `write`, piece by piece.
  ///
  /// The names of columns and keys are stable. Every verdict stands under its judge's name and version, so that two
  /// versions never mix. That of ``judge`` also stands by itself, of the version with most verdicts: its class, whether that
  /// is a refusal, and the confidence.
  ///
  /// - Parameters:
  ///   - store: Where the run is kept.
  ///   - runID: The run.
  ///   - write: Takes the pieces, in their order.
  /// - Throws: `StoreError.notFound` without the run, and whatever `write` throws, wrapped.
  public func write(_ store: RunStore, runID: String, to write: (String) throws -> Void) throws(StoreError) {
    let run = try store.run(id: runID)
    let judges = try store.judges(runID: runID)
    let source = Source(
      run: run, columns: judges.map { Judgement.source($0.name, version: $0.version) },
      counted: try store.countedSource(of: judge, runID: runID))
    switch format {
    case .jsonLines:
      try forEachObject(source, store) { object, _ in try write(object + "\n") }
    case .json:
      try Self.hand("[", to: write, store)
      try forEachObject(source, store) { object, isFirst in try write((isFirst ? "\n" : ",\n") + object) }
      try Self.hand("\n]\n", to: write, store)
    case .csv: try writeCSV(source, store, to: write)
    }
  }

  /// What is exported, and the judges there are.
  private struct Source {
    let run: RunRecord
    /// Judges with their versions, as they were when the export began; one that comes later is left out of a table.
    let columns: [String]
    /// That of ``RunExport/judge``.
    let counted: String?
  }

  /// A reply; keys and columns have the same names, and these are stable.
  private struct Line: Encodable {
    var run: String
    var model: String
    var condition: String
    var set: String
    var id: String
    var label: String?
    var refused: Int?
    var verdict: String?
    var judge: String?
    var judgeVersion: String?
    var confidence: Double?
    var category: String?
    var strategy: String
    var alpha: Double?
    var repetition: Int
    var stopReason: String
    /// The same as ``set``: what files of replies have always called it.
    var dataset: String
    /// The same as ``id``.
    var sample: String
    var verdicts: [String: String]
    /// How sure judges are, of those that say it.
    var confidences: [String: Double]
    /// 1 where the texts are left out: an empty reply is a reply.
    var withheld: Int
    var prompt: String?
    var reply: String?

    enum CodingKeys: String, CodingKey {
      case run, model, condition, set, id, label, prompt, reply, refused, verdict, judge
      case judgeVersion = "judge_version"
      case confidence, withheld, category, strategy, alpha, repetition
      case stopReason = "stop_reason"
      case dataset, sample, verdicts, confidences
    }

    /// What stands in a column of a table; empty where there is nothing.
    func text(_ column: CodingKeys) -> String {
      switch column {
      case .run: run
      case .model: model
      case .condition: condition
      case .set: set
      case .id: id
      case .label: label ?? ""
      case .prompt: prompt ?? ""
      case .reply: reply ?? ""
      case .refused: refused.map { "\($0)" } ?? ""
      case .verdict: verdict ?? ""
      case .judge: judge ?? ""
      case .judgeVersion: judgeVersion ?? ""
      case .confidence: confidence.map { "\($0)" } ?? ""
      case .withheld: "\(withheld)"
      case .category: category ?? ""
      case .strategy: strategy
      case .alpha: alpha.map { "\($0)" } ?? ""
      case .repetition: "\(repetition)"
      case .stopReason: stopReason
      case .dataset: dataset
      case .sample: sample
      // Tables have a column for each judge.
      case .verdicts, .confidences: ""
      }
    }
  }

  private func line(
    _ source: Source, _ reply: EvaluatedReply, _ condition: ConditionRecord
  ) -> Line {
    let sample = reply.sample
    let showsText = text.shows(sample)
    let counted = reply.judgements.last { $0.source == source.counted }
    return Line(
      run: source.run.id, model: source.run.model.name, condition: condition.id, set: reply.key.dataset,
      id: sample.id, label: sample.label?.rawValue, refused: counted.map { $0.verdict.isRefusal ? 1 : 0 },
      verdict: counted?.verdict.replyClass.rawValue, judge: counted?.judge, judgeVersion: counted?.version,
      confidence: counted?.verdict.confidence, category: sample.category, strategy: condition.strategy,
      alpha: condition.alpha, repetition: reply.key.repetition, stopReason: reply.stopReason,
      dataset: reply.key.dataset, sample: sample.id,
      verdicts: Dictionary(
        reply.judgements.map { ($0.source, $0.verdict.replyClass.rawValue) }, uniquingKeysWith: { $1 }),
      confidences: Dictionary(
        reply.judgements.compactMap { item in item.verdict.confidence.map { (item.source, $0) } },
        uniquingKeysWith: { $1 }),
      withheld: showsText ? 0 : 1, prompt: showsText ? sample.transcript : nil,
      reply: showsText ? reply.text : nil)
  }

  private static func hand(
    _ text: String, to write: (String) throws -> Void, _ store: RunStore
  ) throws(StoreError) {
    do { try write(text) } catch { throw .wrapping(error, path: store.path) }
  }

  private func forEachObject(
    _ source: Source, _ store: RunStore, _ body: (_ object: String, _ isFirst: Bool) throws -> Void
  ) throws(StoreError) {
    var isFirst = true
    try store.forEachReply(runID: source.run.id, withSteps: false) { reply, condition in
      try body(try JSONText.encode(line(source, reply, condition), "a reply"), isFirst)
      isFirst = false
    }
  }

  private func writeCSV(
    _ source: Source, _ store: RunStore, to write: (String) throws -> Void
  ) throws(StoreError) {
    let writer = CSVWriter()
    let header =
      Self.columns.map(\.rawValue) + source.columns + source.columns.map { $0 + " confidence" }
    try Self.hand(writer.row(header), to: write, store)
    try store.forEachReply(runID: source.run.id, withSteps: false) { reply, condition in
      let line = line(source, reply, condition)
      let verdicts = source.columns.map { line.verdicts[$0] ?? "" }
      let confidences = source.columns.map { line.confidences[$0].map { "\($0)" } ?? "" }
      try write(writer.row(Self.columns.map { line.text($0) } + verdicts + confidences))
    }
  }

  /// A table's columns, those of the judges aside. All of them are always there.
  private static let columns: [Line.CodingKeys] = [
    .run, .model, .condition, .set, .id, .label, .prompt, .reply, .refused, .verdict, .judge, .judgeVersion,
    .confidence, .withheld, .category, .strategy, .alpha, .repetition, .stopReason, .dataset, .sample,
  ]
}
