import Foundation
import SelfCDData
import SelfCDJudges
import SelfCDSupport

/// The parts of an Inspect log, version 2, that a stored run can fill (`inspect_ai.log.EvalLog`). Keys are written in
/// snake case; Inspect reads them in this order and stops before the samples when it only wants the header.
enum InspectDocument {
  struct Spec: Encodable {
    struct Dataset: Encodable {
      let name: String
      let samples: Int
      let sampleIds: [String]
      let shuffled = false
    }
    struct Configuration: Encodable {
      let epochs: Int
      let logSamples = true
    }
    let evalId: String
    let runId: String
    let created: String
    let task = InspectExport.task
    let taskId: String
    let taskVersion = 0
    let taskDisplayName: String
    let taskArgs: [String: String]
    let taskArgsPassed: [String: String]
    let solver: String
    let solverArgs: JSONValue
    let dataset: Dataset
    let model: String
    let modelArgs: [String: String]
    let config: Configuration
    let packages: [String: String]
    let metadata: JSONValue
  }

  struct Plan: Encodable {
    struct Step: Encodable {
      let solver: String
      let params: JSONValue
    }
    let name = "plan"
    let steps: [Step]
  }

  struct Results: Encodable {
    struct Metric: Encodable {
      struct Interval: Encodable {
        let refused: Int
        let n: Int
        let low: Double
        let high: Double
      }
      let name: String
      let value: Double
      let params: Interval
    }
    struct Score: Encodable {
      let name: String
      let scorer: String
      let scoredSamples: Int
      let metrics: [String: Metric]
    }
    let totalSamples: Int
    let completedSamples: Int
    let scores: [Score]
  }

  struct Statistics: Encodable {
    let startedAt: String
    let completedAt: String
  }

  struct Message: Encodable {
    let role: String
    let content: String
    var source: String?
    var model: String?
  }

  struct Output: Encodable {
    struct Choice: Encodable {
      let message: Message
      let stopReason: String
    }
    let model: String
    let choices: [Choice]
  }

  struct Score: Encodable {
    struct Metadata: Encodable {
      let evidence: [Verdict.Evidence]
    }
    let value: Int
    let answer: String
    let explanation: String?
    let metadata: Metadata?
  }

  struct Sample: Encodable {
    struct Metadata: Encodable {
      let dataset: String
      let sample: String
      let label: String?
      let category: String?
      let focus: String?
      let stopReason: String
      let seed: String?
      /// Whether the texts are left out.
      let withheld: Bool
    }
    let id: String
    let epoch: Int
    let input: [Message]
    let target: String
    let messages: [Message]
    let output: Output
    let scores: [String: Score]
    let metadata: Metadata
  }

  /// A time as Inspect writes it, in UTC.
  static func time(_ date: Date) -> String {
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions = [.withInternetDateTime]
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    return formatter.string(from: date).replacing("Z", with: "+00:00")
  }

  static func json(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(value)
  }
}
