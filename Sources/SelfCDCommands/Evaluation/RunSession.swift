import Foundation
import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDJudges
import SelfCDLlama
import SelfCDRuns
import SelfCDStore
import SelfCDSupport

/// A run and the model it is of, as commands carry it out.
struct RunSession {
  let run: EvaluationRun
  let model: ModelOptions
  /// The judge whose verdicts are counted, where one was asked for to go on with; nil for the run's own first.
  var counted: String?

  /// Stores a new run.
  /// - Parameter resume: the options that go on with a run, which its name follows.
  /// - Throws: `CommandError` for a name that is taken.
  static func begin(
    _ name: String, plan: EvaluationPlan, judges: [any ReplyJudge], reference: String?,
    group: String? = nil, calibration: RunSettings.Calibration? = nil, in store: RunStore,
    model: ModelOptions, resume: String = "--resume", console: Console
  ) async throws -> RunSession {
    let (model, file) = try await Self.file(of: model, console: console)
    do {
      return RunSession(
        run: try EvaluationRun(
          starting: name, plan: plan, judges: judges, reference: reference, group: group,
          calibration: calibration, model: file, in: store), model: model)
    } catch RunError.nameTaken {
      throw CommandError.invalid(
        "The store already has a run '\(name)'. Go on with it by \(resume) \(ShellWord.quoted(name)), begin another one "
          + "with --run and another name, or delete it with 'selfcd runs delete \(ShellWord.quoted(name))'.")
    }
  }

  /// Takes up a stored run; its own settings hold.
  /// - Parameters:
  ///   - files: what the caller named again, which has to be what the run began with.
  ///   - options: say again how the run's judges that are models are reached.
  static func resume(
    _ record: RunRecord, in store: RunStore, model: ModelOptions, checking files: [Dataset]? = nil,
    judging options: JudgeOptions? = nil, console: Console
  ) async throws -> RunSession {
    var model = model
    // The default model gives way to the run's own; one that was named has to be it.
    let settings = try RunSettings.resumable(record)
    if model.model == ModelOptions.defaultModel { model.model = settings.modelPath }
    model.adapterOptions.restore(settings.adapters ?? [])
    let file: ModelFile
    (model, file) = try await Self.file(of: model, console: console)
    let isAsked = options.map { !$0.judge.isEmpty } ?? false
    let judges =
      isAsked ? try await options?.judges(judging: file.path, cache: store, console: console) : nil
    let run = try EvaluationRun(resuming: record, judges: judges, model: file, checking: files, in: store)
    if !run.missingJudges.isEmpty {
      console.note(
        "the run was begun with \(run.missingJudges.joined(separator: ", ")) too; give the options of --judge again, or "
          + "use 'selfcd judge' afterwards.")
    }
    return RunSession(run: run, model: model, counted: judges?.first?.name)
  }

  static func file(
    of options: ModelOptions, console: Console
  ) async throws -> (ModelOptions, ModelFile) {
    var options = options
    let path = URL(filePath: try await options.modelPath(console: console)).standardizedFileURL.path
    options.model = path
    return (options, try ModelFile(describing: path, adapters: options.adapterOptions.adapters))
  }

  /// Loads the model with room for the run's plan.
  func load(_ batch: BatchOptions, console: Console) async throws -> (loaded: LoadedModel, lanes: Int) {
    try await Self.load(model, for: run.plan, batch, console: console)
  }

  /// Loads a model, whose options name its file, with room for a plan.
  static func load(
    _ model: ModelOptions, for plan: EvaluationPlan, _ batch: BatchOptions, console: Console
  ) async throws -> (loaded: LoadedModel, lanes: Int) {
    let (model, lanes) = try batch.fitted(model, to: plan, console: console)
    // Lanes that share and part leave gaps, which one buffer minds less than a buffer for each.
    let loaded = try await ModelLoading.load(
      model.repeatable, lanes: lanes, unifiedCache: true, console: console)
    return (loaded, lanes)
  }

  /// Carries something out with progress and notes, until Ctrl-C.
  /// - Parameters:
  ///   - label: what the progress line says while replies are generated.
  ///   - goOn: the command that takes the run up again, for the notes where it ends early.
  ///   - body: gets what it has to tell of its progress.
  /// - Throws: `CommandError.interrupted` after Ctrl-C.
  static func carryOut<Value: Sendable>(
    label: String, goOn: String, console: Console,
    _ body: @escaping @Sendable (@escaping RunObserver) async throws -> Value
  ) async throws -> Value {
    let display = RunDisplay(label: label, console: console)
    defer { display.end() }
    let lastWords: @Sendable () -> Void = {
      display.end()
      console.note("ended at once; the replies that are stored stay. Go on with: \(goOn)")
    }
    do {
      return try await Interruption.cancellable(lastWords: lastWords) { try await body { display.show($0) } }
    } catch RunError.interrupted(let done, let planned) {
      display.end()
      console.note(
        "stopped with \(done) of \(NumberFormat.counted(planned, "reply", "replies")); go on with: \(goOn)")
      throw CommandError.interrupted
    } catch  where display.isJudging {
      display.end()
      console.note("the replies are stored; go on with: \(goOn)")
      throw error
    }
  }

  /// Generates and judges what is missing.
  /// - Returns: what was done, and the lanes it was done with.
  func carryOut(
    _ batch: BatchOptions, label: String, goOn: String, timing: Double, console: Console
  ) async throws -> (outcome: EvaluationOutcome, lanes: Int) {
    let (loaded, lanes) = try await load(batch, console: console)
    let outcome = try await Self.carryOut(label: label, goOn: goOn, console: console) { observer in
      try await run.run(with: loaded.chat, timing: timing, observer: observer)
    }
    return (outcome, lanes)
  }
}

extension ModelFile {
  /// What a GGUF file says of itself; of a split model all parts together.
  /// - Parameters:
  ///   - path: The file, the first one of a split model.
  ///   - adapters: What the model runs with.
  /// - Throws: `ModelFileError`.
  init(describing path: String, adapters: [ModelAdapter]) throws {
    let file = try GGUFFile(path: path)
    let parts = try file.parts()
    let types = Set(parts.flatMap(\.tensors).map(\.type))
    self.init(
      path: path, name: file.modelName,
      metadata: [
        "architecture": file.architecture, "name": file.modelName,
        "bytes": String(parts.reduce(0) { $0 + $1.fileSize }),
        "tensor_types": types.sorted().joined(separator: ","),
      ].compactMapValues(\.self), adapters: adapters)
  }
}
