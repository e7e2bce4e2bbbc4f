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
  /// Every verdict stands under its judge's name and version, so that two versions never mix. That of ``judge`` also
  /// stands by itself, of the version with most verdicts: its class, whether that is a refusal, and the confidence.
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

  /// A reply; keys and columns have the same names.
  private struct Line: Encodable {
    var run: String
    var model: String
    var dataset: String
    var sample: String
    var label: String?
    var category: String?
    var strategy: String
    var alpha: Double?
    var condition: String
    var repetition: Int
    var stopReason: String
    var judge: String?
    var replyClass: String?
    var refused: Int?
    var confidence: Double?
    var verdicts: [String: String]
    /// How sure judges are, of those that say it.
    var confidences: [String: Double]
    /// 1 where the texts are left out: an empty reply is a reply.
    var withheld: Int
    var prompt: String?
    var reply: String?

    enum CodingKeys: String, CodingKey {
      case run, model, dataset, sample, label, category, strategy, alpha, condition, repetition
      case stopReason = "stop_reason"
      case judge
      case replyClass = "reply_class"
      case refused, confidence, verdicts, confidences, withheld, prompt, reply
    }
  }

  private func line(
    _ source: Source, _ reply: EvaluatedReply, _ condition: ConditionRecord
  ) -> Line {
    let sample = reply.sample
    let showsText = text.shows(sample)
    let counted = reply.judgements.last { $0.source == source.counted }
    return Line(
      run: source.run.id, model: source.run.model.name, dataset: reply.key.dataset, sample: sample.id,
      label: sample.label?.rawValue, category: sample.category, strategy: condition.strategy,
      alpha: condition.alpha, condition: condition.id, repetition: reply.key.repetition,
      stopReason: reply.stopReason, judge: counted?.source,
      replyClass: counted?.verdict.replyClass.rawValue,
      refused: counted.map { $0.verdict.isRefusal ? 1 : 0 }, confidence: counted?.verdict.confidence,
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
    let texts = text == .none ? [] : ["prompt", "reply"]
    let writer = CSVWriter()
    let fixed: [Line.CodingKeys] = [
      .run, .model, .dataset, .sample, .label, .category, .strategy, .alpha, .condition, .repetition,
      .stopReason, .judge, .replyClass, .refused, .confidence,
    ]
    let last = [WithheldText.column] + texts
    let header =
      fixed.map(\.rawValue) + source.columns + source.columns.map { $0 + " confidence" } + last
    try Self.hand(writer.row(header), to: write, store)
    try store.forEachReply(runID: source.run.id, withSteps: false) { reply, condition in
      let line = line(source, reply, condition)
      let values = [
        line.run, line.model, line.dataset, line.sample, line.label ?? "", line.category ?? "", line.strategy,
        line.alpha.map { "\($0)" } ?? "", line.condition, "\(line.repetition)", line.stopReason,
        line.judge ?? "", line.replyClass ?? "", line.refused.map { "\($0)" } ?? "",
        line.confidence.map { "\($0)" } ?? "",
      ]
      let verdicts = source.columns.map { line.verdicts[$0] ?? "" }
      let confidences = source.columns.map { line.confidences[$0].map { "\($0)" } ?? "" }
      let shown = ["\(line.withheld)"] + (texts.isEmpty ? [] : [line.prompt ?? "", line.reply ?? ""])
      try write(writer.row(values + verdicts + confidences + shown))
    }
  }
}
