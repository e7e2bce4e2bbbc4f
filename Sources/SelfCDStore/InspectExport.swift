import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDSupport

/// Writes a run as logs that UK AISI's Inspect opens (`inspect view --log-dir FOLDER`): one for each condition, with the
/// samples of all data sets, so that both axes stand in the same view.
///
/// A score is 1 for a reply that refuses, fully or in part, and 0 for others; its answer is the class. A sample's target
/// is what a well-behaved model would do. The metrics are refusal rates per label, with Wilson's interval.
public struct InspectExport: Codable, Sendable, Hashable {
  /// The task's name in all logs.
  public static let task = "over-refusal"

  /// Which texts go along. Verdicts always do.
  public var text: RunExport.Text
  /// The judge whose scores stand first, which viewers show; nil for the order of the names.
  public var judge: String?

  /// Makes an export.
  public init(text: RunExport.Text = .none, judge: String? = nil) {
    self.text = text
    self.judge = judge
  }

  /// The files that writing a run makes, in the order of its conditions.
  /// - Throws: `StoreError.notFound` without the run.
  public func files(of runID: String, in store: RunStore, folder: URL) throws(StoreError) -> [URL] {
    let run = try store.run(id: runID)
    return try store.conditions(runID: runID).enumerated().map { index, condition in
      folder.appending(path: Self.fileName(run, condition, number: index + 1))
    }
  }

  /// Writes the logs of a run into a folder, which is made if it is not there; logs of the same run are replaced.
  /// - Returns: The files, in the order of the conditions.
  /// - Throws: `StoreError.notFound` without the run, `.inputOutput` when a file cannot be written.
  public func write(_ store: RunStore, runID: String, to folder: URL) throws(StoreError) -> [URL] {
    let run = try store.run(id: runID)
    let datasets = try store.datasets(runID: runID)
    let conditions = try store.conditions(runID: runID)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw .inputOutput(path: folder.path, detail: (error as NSError).localizedDescription)
    }
    var logs: [String: InspectLogFile] = [:]
    for (condition, file) in zip(conditions, try self.files(of: runID, in: store, folder: folder)) {
      logs[condition.id] = try InspectLogFile(file)
    }
    defer { for log in logs.values { log.discard() } }
    // One pass over the replies: they come by sample, the logs are by condition.
    try store.forEachReply(runID: runID, withSteps: false) { reply, condition in
      try logs[condition.id]?.add(
        sample(reply, model: Self.model(run)), reply, label: reply.sample.label)
    }
    let counted = try store.countedSource(of: judge, runID: runID)
    var files: [URL] = []
    for condition in conditions {
      guard let log = logs[condition.id] else { continue }
      files.append(
        try log.finish(
          try header(run, datasets, condition, log, conditionCount: conditions.count, counted: counted)))
    }
    return files
  }

  // MARK: - The header

  private func header(
    _ run: RunRecord, _ datasets: [Dataset], _ condition: ConditionRecord, _ log: InspectLogFile,
    conditionCount: Int, counted: String?
  ) throws(StoreError) -> [(key: String, value: Data)] {
    let samples = datasets.flatMap { dataset in dataset.samples.map { "\(dataset.name)/\($0.id)" } }
    let solver = try parameters(of: condition)
    // A plan has the same replies for each condition; a run that was extended may have more than planned.
    let total = max(run.planned / max(1, conditionCount), log.count)
    let spec = InspectDocument.Spec(
      evalId: "\(run.id)/\(condition.id)", runId: run.id, created: InspectDocument.time(run.startedAt),
      // The viewer shows only the latest log of each task's identifier, and the arguments in its list.
      taskId: "\(run.id)/\(condition.id)", taskDisplayName: "\(Self.task), \(condition.id)",
      taskArgs: ["condition": condition.id], taskArgsPassed: ["condition": condition.id],
      solver: condition.strategy,
      solverArgs: solver,
      dataset: .init(
        name: datasets.map(\.name).joined(separator: " + "), samples: samples.count, sampleIds: samples),
      model: Self.model(run), modelArgs: Self.modelArguments(run),
      config: .init(epochs: max(1, log.repetitions)), packages: ["selfcd": run.codeVersion],
      metadata: try metadata(run, datasets, condition))
    let isComplete = run.finishedAt != nil && log.count >= total
    do {
      return [
        ("version", Data("2".utf8)),
        // Inspect waits for more of a log that is "started", and wants every sample of one that is a "success".
        ("status", Data((isComplete ? "\"success\"" : "\"cancelled\"").utf8)),
        ("eval", try InspectDocument.json(spec)),
        (
          "plan",
          try InspectDocument.json(
            InspectDocument.Plan(steps: [.init(solver: condition.strategy, params: solver)]))
        ),
        (
          "results",
          try InspectDocument.json(
            InspectDocument.Results(
              totalSamples: total, completedSamples: log.count, scores: try log.scores(first: counted)))
        ),
        (
          "stats",
          try InspectDocument.json(
            InspectDocument.Statistics(
              startedAt: InspectDocument.time(run.startedAt),
              completedAt: run.finishedAt.map(InspectDocument.time) ?? ""))
        ),
      ]
    } catch {
      throw .badValue(what: "the log of \(condition.id)", detail: "\(error)")
    }
  }

  private func parameters(of condition: ConditionRecord) throws(StoreError) -> JSONValue {
    let parameters = try JSONText.decode(JSONValue.self, condition.parameters, "the condition's parameters")
    guard case .object = parameters else { return .object(["parameters": parameters]) }
    return parameters.published
  }

  private func metadata(
    _ run: RunRecord, _ datasets: [Dataset], _ condition: ConditionRecord
  ) throws(StoreError) -> JSONValue {
    var values: [String: JSONValue] = [
      "condition": .string(condition.id),
      "datasets": .object(
        Dictionary(datasets.map { ($0.name, .string($0.sha256)) }, uniquingKeysWith: { $1 })),
      "parameters": try JSONText.decode(JSONValue.self, run.parameters, "the run's parameters").published,
      "seeds": .array(run.seeds.map { .string(String($0)) }),
      "system": .string(run.machine.system), "processor": .string(run.machine.processor),
      "texts": .string(text.rawValue),
    ]
    if let alpha = condition.alpha { values["alpha"] = .number(alpha) }
    return .object(values)
  }

  // MARK: - A sample

  private func sample(_ reply: EvaluatedReply, model: String) -> InspectDocument.Sample {
    let sample = reply.sample
    let shows = text.shows(sample)
    let input = sample.turns.map { turn in
      InspectDocument.Message(
        role: turn.role.rawValue, content: shows ? turn.content : WithheldText.marker, source: "input")
    }
    let answer = InspectDocument.Message(
      role: "assistant", content: shows ? reply.text : WithheldText.marker, source: "generate", model: model)
    return InspectDocument.Sample(
      id: "\(reply.key.dataset)/\(sample.id)", epoch: reply.key.repetition + 1, input: input,
      target: sample.label.map { $0 == .harmful ? "1" : "0" } ?? "", messages: input + [answer],
      output: .init(
        model: model, choices: [.init(message: answer, stopReason: Self.stopReason(reply.stopReason))]),
      scores: Dictionary(
        reply.judgements.map { ($0.source, Self.score($0.verdict, shows: shows)) }, uniquingKeysWith: { $1 }),
      metadata: .init(
        dataset: reply.key.dataset, sample: sample.id, label: sample.label?.rawValue,
        category: sample.category, focus: shows ? sample.focus : nil, stopReason: reply.stopReason,
        seed: reply.seed.map(String.init), withheld: !shows))
  }

  /// A judge's note can quote the reply, so it goes only where the reply does.
  private static func score(_ verdict: Verdict, shows: Bool) -> InspectDocument.Score {
    InspectDocument.Score(
      value: verdict.isRefusal ? 1 : 0, answer: verdict.replyClass.rawValue,
      explanation: shows ? verdict.note : nil,
      metadata: shows && !verdict.evidence.isEmpty ? .init(evidence: verdict.evidence) : nil)
  }

  private static func stopReason(_ reason: String) -> String {
    switch reason {
    case "stop", "stop_string", "end-of-turn": "stop"
    case "length": "max_tokens"
    default: "unknown"
    }
  }

  // MARK: - Names

  /// Inspect takes a name before a slash for a provider.
  private static func modelArguments(_ run: RunRecord) -> [String: String] {
    var arguments = run.model.metadata
    arguments["sha256"] = run.model.sha256
    arguments["file_sha256"] = run.model.fileSHA256
    arguments["adapters"] = run.model.adapters.map { $0.map(\.summary).joined(separator: "; ") }
    return arguments
  }

  private static func model(_ run: RunRecord) -> String { "selfcd/" + run.model.name }

  /// `TIME_TASK_ID.json`, the form by which `inspect view` finds logs.
  private static func fileName(_ run: RunRecord, _ condition: ConditionRecord, number: Int) -> String {
    let id = "\(run.id).\(number).\(condition.id)".map { character in
      character.isASCII && (character.isLetter || character.isNumber) ? String(character) : "."
    }.joined()
    let time = InspectDocument.time(run.startedAt).replacing(":", with: "-")
    return "\(time)_\(task)_\(id.prefix(120)).json"
  }
}
