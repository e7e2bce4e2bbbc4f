import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDLlama
import SelfCDStore

/// A run that is about to be generated, new or resumed.
struct EvaluationSession {
  let runID: String
  let store: RunStore
  var plan: EvaluationPlan
  /// Those that judge each reply as it comes.
  let judges: [any ReplyJudge]
  /// Those that cost calls or memory: they judge what is stored, once everything is there.
  let modelJudges: [any ReplyJudge]
  let model: ModelOptions

  /// Stores a new run with everything that resuming it takes.
  /// - Parameter resume: the options that go on with a run, which its name follows.
  /// - Throws: `CommandError` for a name that is taken.
  init(
    starting name: String, plan: EvaluationPlan, judges: [any ReplyJudge], reference: String?,
    calibration: RunParameters.Calibration? = nil, in store: RunStore, model: ModelOptions,
    resume: String = "--resume", console: Console
  ) async throws {
    var model = model
    let path = URL(filePath: try await model.modelPath(console: console)).standardizedFileURL.path
    model.model = path
    let file = try GGUFFile(path: path)
    let metadata = [
      "architecture": file.architecture, "name": file.modelName, "bytes": "\(file.fileSize)",
      "tensor_types": Set(file.tensors.map(\.type)).sorted().joined(separator: ","),
    ].compactMapValues(\.self)
    let record = RunRecord(
      id: name, codeVersion: SelfCDVersion.current,
      model: .init(
        name: file.modelName ?? URL(filePath: path).lastPathComponent,
        sha256: try Provenance.sha256(ofFile: path), metadata: metadata),
      parameters: try RunParameters(
        plan: plan, judges: judges.map(\.name), reference: reference, modelPath: path,
        calibration: calibration
      ).json(),
      seeds: [plan.options.sampling.seed],
      machine: Provenance.machine(cores: ProcessInfo.processInfo.activeProcessorCount), planned: plan.planned)
    do {
      try store.begin(
        record, datasets: plan.datasets, conditions: try plan.conditions.map { try ConditionRecord($0) })
    } catch StoreError.alreadyExists {
      throw CommandError.invalid(
        "The store already has a run '\(name)'. Go on with it by \(resume) \(ShellWord.quoted(name)), begin another one "
          + "with --run and another name, or delete it with 'selfcd runs delete \(ShellWord.quoted(name))'.")
    }
    runID = name
    self.store = store
    self.plan = plan
    self.judges = judges.filter { $0 is any LocalReplyJudge }
    modelJudges = judges.filter { !($0 is any LocalReplyJudge) }
    self.model = model
  }

  /// Takes up a stored run; its own settings hold.
  /// - Parameters:
  ///   - files: what the caller named again, which has to be what the run began with.
  ///   - options: say again how the run's judges that are models are reached.
  /// - Throws: `CommandError` where model or files are others than the run's.
  init(
    resuming run: RunRecord, in store: RunStore, model: ModelOptions, checking files: [Dataset]? = nil,
    judging options: JudgeOptions? = nil, console: Console
  ) async throws {
    let parameters = try RunParameters(of: run)
    var model = model
    // The default model gives way to the run's own; one that was named has to be it.
    if model.model == ModelOptions.defaultModel { model.model = parameters.modelPath }
    let path = try await model.modelPath(console: console)
    model.model = path
    guard try Provenance.sha256(ofFile: path) == run.model.sha256 else {
      throw CommandError.invalid(
        "\(path) is not the model that run '\(run.id)' began with. Name that file with --model, or start a new run."
      )
    }
    let datasets = try store.datasets(runID: run.id)
    if let files {
      func fingerprint(_ datasets: [Dataset]) -> Set<String> {
        Set(datasets.map { "\($0.sha256) \($0.samples.map(\.id))" })
      }
      guard fingerprint(files) == fingerprint(datasets) else {
        throw CommandError.invalid(
          "The files are not those that run '\(run.id)' began with. Leave them out to go on with it, or name another run."
        )
      }
    }
    runID = run.id
    self.store = store
    plan = EvaluationPlan(
      datasets: datasets, conditions: try store.conditions(runID: run.id).map { try $0.condition() },
      options: parameters.options, system: parameters.system, repetitions: parameters.repetitions)
    judges = JudgeCatalogue.local.filter { parameters.judges.contains($0.name) }
    let asked = try await options?.judges(judging: path, cache: store, console: console) ?? []
    if let options, !options.judge.isEmpty {
      let others = asked.map(\.name).filter { !parameters.judges.contains($0) }
      guard others.isEmpty else {
        throw CommandError.invalid(
          "The run '\(run.id)' is judged by \(parameters.judges.joined(separator: ", ")), not by "
            + "\(others.joined(separator: ", ")). Leave --judge out, and use 'selfcd judge \(run.id) --judge …' afterwards."
        )
      }
    }
    modelJudges = asked.filter { !($0 is any LocalReplyJudge) }
    let missing = Set(parameters.judges).subtracting((judges + modelJudges).map(\.name)).sorted()
    if !missing.isEmpty {
      console.note(
        "the run was begun with \(missing.joined(separator: ", ")) too; give the options of --judge again, or use "
          + "'selfcd judge' afterwards.")
    }
    self.model = model
  }
}
