import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges

/// A log while it is written: samples go to a file beside the final one, since the header, which comes before them,
/// holds figures that are known only after the last.
final class InspectLogFile {
  private struct Judged {
    var classes: [Sample.Label: [ReplyClass]] = [:]
    var count = 0
  }

  private static let flushSize = 256 << 10
  private let url: URL
  private let body: URL
  private let handle: FileHandle
  private var buffer = Data()
  private var judged: [String: Judged] = [:]
  private(set) var count = 0
  private(set) var repetitions = 0

  init(_ url: URL) throws(StoreError) {
    self.url = url
    body = url.appendingPathExtension("partial")
    do {
      try Data().write(to: body)
      handle = try FileHandle(forUpdating: body)
    } catch {
      throw Self.failure(body, error)
    }
  }

  /// Adds a sample and counts its verdicts.
  func add(_ sample: InspectDocument.Sample, _ reply: EvaluatedReply, label: Sample.Label?) throws {
    if count > 0 { buffer += Data(",\n".utf8) }
    buffer += try InspectDocument.json(sample)
    count += 1
    repetitions = max(repetitions, reply.key.repetition + 1)
    for judgement in reply.judgements {
      judged[judgement.source, default: Judged()].count += 1
      if let label {
        judged[judgement.source]?.classes[label, default: []].append(judgement.verdict.replyClass)
      }
    }
    if buffer.count > Self.flushSize { try flush() }
  }

  /// Refusal rates per judge and label, those of `first` before the others: viewers show the first score.
  func scores(first: String?) throws -> [InspectDocument.Results.Score] {
    try judged.sorted { ($0.key == first ? 0 : 1, $0.key) < ($1.key == first ? 0 : 1, $1.key) }.map {
      column, judged in
      var metrics: [String: InspectDocument.Results.Metric] = [:]
      for (label, classes) in judged.classes {
        let rate = try RefusalRate(classes)
        let name = "refused_" + label.rawValue
        metrics[name] = .init(
          name: name, value: rate.rate,
          params: .init(refused: rate.refused, n: rate.n, low: rate.low, high: rate.high))
      }
      return .init(name: column, scorer: column, scoredSamples: judged.count, metrics: metrics)
    }
  }

  /// Puts header and samples together under the final name.
  func finish(_ header: [(key: String, value: Data)]) throws(StoreError) -> URL {
    let whole = url.appendingPathExtension("whole")
    do {
      try flush()
      try Data("{\n".utf8).write(to: whole)
      let output = try FileHandle(forWritingTo: whole)
      defer { try? output.close() }
      try output.seekToEnd()
      for (key, value) in header {
        try output.write(contentsOf: Data("\"\(key)\": ".utf8) + value + Data(",\n".utf8))
      }
      try output.write(contentsOf: Data("\"samples\": [\n".utf8))
      try handle.seek(toOffset: 0)
      while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
        try output.write(contentsOf: piece)
      }
      try output.write(contentsOf: Data("\n]\n}\n".utf8))
      guard rename(whole.path, url.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    } catch {
      try? FileManager.default.removeItem(at: whole)
      throw Self.failure(url, error)
    }
    return url
  }

  /// Removes what was only needed meanwhile.
  func discard() {
    try? handle.close()
    try? FileManager.default.removeItem(at: body)
  }

  private func flush() throws {
    try handle.write(contentsOf: buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  private static func failure(_ url: URL, _ error: any Error) -> StoreError {
    error as? StoreError ?? .inputOutput(path: url.path, detail: (error as NSError).localizedDescription)
  }
}
