import Foundation
import SelfCDEval

/// Writes a run's replies for other programs.
public struct RunExport: Codable, Sendable, Hashable {
  /// How replies are written.
  public enum Format: String, Codable, Sendable, CaseIterable {
    /// One JSON object a line.
    case jsonLines = "jsonl"
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

  /// Makes an export.
  public init(_ format: Format, text: Text = .none) {
    self.format = format
    self.text = text
  }

  /// Hands the export of a run to `write`, piece by piece.
  ///
  /// A verdict stands under the judge's name and version, so that two versions never mix.
  /// - Throws: `StoreError.notFound` without the run, and whatever `write` throws, wrapped.
  public func write(_ store: RunStore, runID: String, to write: (String) throws -> Void) throws(StoreError) {
    switch format {
    case .jsonLines: try writeJSONLines(store, runID: runID, to: write)
    case .csv: try writeCSV(store, runID: runID, to: write)
    }
  }

  private struct Line: Encodable {
    var run: String
    var dataset: String
    var sample: String
    var label: String?
    var category: String?
    var strategy: String
    var alpha: Double?
    var condition: String
    var repetition: Int
    var stopReason: String
    var verdicts: [String: String]
    /// How sure judges are, of those that say it.
    var confidences: [String: Double]
    var prompt: String?
    var reply: String?
  }

  private func line(_ runID: String, _ reply: ReplyRecord, _ sample: Sample, _ condition: ConditionRecord)
    -> Line
  {
    let showsText = text.shows(sample)
    return Line(
      run: runID, dataset: reply.key.dataset, sample: sample.id, label: sample.label?.rawValue,
      category: sample.category, strategy: condition.strategy, alpha: condition.alpha,
      condition: condition.id,
      repetition: reply.key.repetition, stopReason: reply.stopReason,
      verdicts: Dictionary(
        reply.verdicts.map { ($0.column, $0.verdict.replyClass.rawValue) }, uniquingKeysWith: { $1 }),
      confidences: Dictionary(
        reply.verdicts.compactMap { item in item.verdict.confidence.map { (item.column, $0) } },
        uniquingKeysWith: { $1 }),
      prompt: showsText ? Self.transcript(sample) : nil, reply: showsText ? reply.text : nil)
  }

  private func writeJSONLines(
    _ store: RunStore, runID: String, to write: (String) throws -> Void
  ) throws(StoreError) {
    try store.forEachReply(runID: runID, withSteps: false) { reply, sample, condition in
      try write(try JSONText.encode(line(runID, reply, sample, condition), "a reply") + "\n")
    }
  }

  private func writeCSV(_ store: RunStore, runID: String, to write: (String) throws -> Void)
    throws(StoreError)
  {
    // The header names every judge before the first row; one that comes while this is written is left out.
    let columns = try store.judges(runID: runID).map { $0.name + "@" + $0.version }
    let texts = text == .none ? [] : ["prompt", "reply"]
    let writer = CSVWriter()
    let header =
      [
        "run", "dataset", "sample", "label", "category", "strategy", "alpha", "condition", "repetition",
        "stop_reason",
      ] + columns + columns.map { $0 + " confidence" } + texts
    do {
      try write(writer.row(header))
    } catch {
      throw .wrapping(error, path: store.path)
    }
    try store.forEachReply(runID: runID, withSteps: false) { reply, sample, condition in
      let line = line(runID, reply, sample, condition)
      let fixed = [
        line.run, line.dataset, line.sample, line.label ?? "", line.category ?? "", line.strategy,
        line.alpha.map { "\($0)" } ?? "", line.condition, "\(line.repetition)", line.stopReason,
      ]
      let shown = texts.isEmpty ? [] : [line.prompt ?? "", line.reply ?? ""]
      try write(
        writer.row(
          fixed + columns.map { line.verdicts[$0] ?? "" }
            + columns.map { line.confidences[$0].map { "\($0)" } ?? "" } + shown))
    }
  }

  /// A single text as it is; a conversation with its roles.
  private static func transcript(_ sample: Sample) -> String {
    switch sample.content {
    case .text(let text): text
    case .messages(let turns): turns.map { "\($0.role.rawValue): \($0.content)" }.joined(separator: "\n\n")
    }
  }
}
