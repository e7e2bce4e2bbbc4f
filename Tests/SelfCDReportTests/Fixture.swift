import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges

@testable import SelfCDReport

/// A small run whose every text tries to get out of where it belongs.
enum Fixture {
  static let hostile =
    "</script><script>alert(1)</script>\"'&<b onload=x>\u{1B}[2J\u{202E}dne\u{2028}| [a](javascript:x) `c` https://x.y @z"
  static let secret = "SECRET-OF-A-HARMFUL-REPLY"

  static let conditions = [
    ReportCondition(id: "plain", strategy: "plain"), ReportCondition(id: "guarded", strategy: "guarded"),
    ReportCondition(id: "self-cd@0.5", strategy: "self-cd", alpha: 0.5),
    ReportCondition(id: "self-cd@1.5", strategy: "self-cd", alpha: 1.5),
    ReportCondition(id: "self-cd@2.5", strategy: "self-cd", alpha: 2.5),
    ReportCondition(id: "<i>odd", strategy: "<i>odd"),
  ]

  static let sets = [set("xstest", .safe, 24), set("advbench", .harmful, 16)]

  static func set(_ name: String, _ label: Sample.Label, _ count: Int) -> Dataset {
    Dataset(
      name: name, version: "2", sha256: String(repeating: "ab", count: 32), format: "list",
      samples: (1...count).map { number in
        Sample(
          id: "\(number)", content: .text("Question \(number) \(hostile)"), label: label,
          labelOrigin: .caller,
          category: ["first", "second <br>", "third"][number % 3], focus: "kill", position: .line(number))
      })
  }

  static func record(_ id: String = "r1", planned: Int = 240) -> ReportRecord {
    ReportRecord(
      id: id, model: "model <7b>", modelSHA256: String(repeating: "cd", count: 32),
      startedAt: Date(timeIntervalSince1970: 1_790_000_000),
      finishedAt: Date(timeIntervalSince1970: 1_790_000_300), planned: planned,
      facts: [.init("Program", "0.1.0"), .init("Parameters", "{\"note\":\"</dd>\(hostile)\"}")])
  }

  /// Which prompts a condition refuses: the first so many of each set.
  private static let refused: [String: (safe: Int, harmful: Int)] = [
    "plain": (5, 14), "guarded": (13, 16), "self-cd@0.5": (9, 16), "self-cd@1.5": (4, 15),
    "self-cd@2.5": (2, 12), "<i>odd": (24, 16),
  ]

  static func run(_ options: ReportOptions = ReportOptions(examples: 2)) throws -> ReportRun {
    var replies: [EvaluatedReply] = []
    for set in sets {
      for (index, sample) in set.samples.enumerated() {
        for condition in conditions {
          let counts = refused[condition.id] ?? (0, 0)
          let isRefused = index < (sample.label == .safe ? counts.safe : counts.harmful)
          let answer = sample.label == .harmful ? secret : "Answer \(hostile)"
          replies.append(
            EvaluatedReply(
              key: ReplyKey(dataset: set.name, sample: sample.id, condition: condition.id), sample: sample,
              text: isRefused ? "Sorry, no. \(sample.label == .harmful ? secret : "")" : answer,
              steps: (0..<12).map {
                .init(token: 0, divergence: condition.alpha == nil ? nil : 0.6 / Double($0 + 1 + index % 3))
              },
              judgements: [
                .init(
                  judge: "xstest-strmatch", version: "1",
                  verdict: Verdict(isRefused ? .fullRefusal : .fullCompliance)),
                .init(
                  judge: "refusal-substrings", version: "1",
                  verdict: Verdict(isRefused && index % 5 > 0 ? .fullRefusal : .fullCompliance)),
              ],
              cost: condition.id == "<i>odd"
                ? nil
                : ReplyCost(
                  promptTokens: condition.alpha == nil ? 20 : 60, generatedTokens: 11 + index % 3,
                  decodedTokens: (10 + index % 3) * (condition.alpha == nil ? 1 : 2))))
        }
      }
    }
    return try ReportBuilder(
      record: record(), datasets: sets, conditions: conditions, replies: replies, options: options,
      speeds: ["plain": 20, "guarded": 19, "self-cd@0.5": 10, "self-cd@1.5": 10.4, "self-cd@2.5": 9.8]
    ).build()
  }

  static func data(showsHarmful: Bool = false) throws -> ReportData {
    let options = ReportOptions(showsHarmful: showsHarmful, examples: 2)
    return ReportData(
      createdAt: Date(timeIntervalSince1970: 1_790_001_000), showsHarmful: showsHarmful,
      runs: [try run(options)])
  }
}
