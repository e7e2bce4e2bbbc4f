import SelfCD
import SelfCDEval
import SelfCDLlama
import SelfCDStore
import SelfCDSupport

/// A sitting of a run: everything that is missing is generated, judged and stored.
extension EvaluationSession {
  /// Generates what the store does not have yet, with progress, and marks the run finished when nothing failed.
  ///
  /// - Parameters:
  ///   - label: what the progress line says is being done.
  ///   - goOn: the command that takes the run up again, for the note after an interruption.
  ///   - timing: seconds a condition for timing its decoding alone; 0 for none, as where it was timed before.
  /// - Returns: what was done, and the lanes it was done with.
  /// - Throws: `CommandError.interrupted` after Ctrl-C; what was generated until then is stored.
  func generate(
    _ batch: BatchOptions, label: String, goOn: String, timing: Double = 0, console: Console
  ) async throws -> (outcome: EvaluationOutcome, lanes: Int) {
    let (loaded, lanes) = try await load(batch, console: console)
    let outcome = try await generate(with: loaded, label: label, goOn: goOn, console: console)
    if outcome.failures.isEmpty { try store.finish(runID: runID) }
    if timing > 0, try store.speeds(runID: runID).isEmpty {
      try await time(loaded, seconds: timing)
    }
    return (outcome, lanes)
  }

  /// Loads the model with room for the plan.
  func load(
    _ batch: BatchOptions, console: Console
  ) async throws -> (loaded: LoadedModel, lanes: Int) {
    let (model, lanes) = try batch.fitted(model, to: plan, console: console)
    // Lanes that share and part leave gaps, which one buffer minds less than a buffer for each.
    let loaded = try await ModelLoading.load(
      model.repeatable, lanes: lanes, unifiedCache: true, console: console)
    return (loaded, lanes)
  }

  /// Generates what the store lacks of the plan, which may be a part of the run's; the run is not marked finished.
  /// - Throws: `CommandError.interrupted` after Ctrl-C; what was generated until then is stored.
  func generate(
    with loaded: LoadedModel, label: String, goOn: String, console: Console
  ) async throws -> EvaluationOutcome {
    let runner = EvaluationRunner(model: loaded.chat, plan: plan, judges: judges)
    let outcome = try await run(runner, label: label)
    for failure in outcome.failures.prefix(3) {
      console.note(
        "no reply to \(failure.key.dataset)/\(failure.key.sample) under \(failure.key.condition): "
          + TerminalText.singleLine(failure.reason))
    }
    if outcome.failures.count > 3 { console.note("\(outcome.failures.count) replies are missing in all.") }
    if outcome.isInterrupted {
      let progress = outcome.progress
      console.note("stopped with \(progress.done) of \(progress.planned) replies; go on with: \(goOn)")
      throw CommandError.interrupted
    }
    if outcome.progress.done == 0, let failure = outcome.failures.first {
      throw CommandError.nothingAnswered(reason: failure.reason)
    }
    return outcome
  }

  /// Times the conditions one reply at a time, since those of an evaluation share lanes and steps.
  private func time(_ loaded: LoadedModel, seconds: Double) async throws {
    let meter = ProgressLine(label: "timing")
    defer { meter.clear() }
    let trial = SpeedTrial(model: loaded.chat, plan: plan)
    let work = Task { try await trial.run(seconds: seconds) { meter.update($0) } }
    let stop: @Sendable () -> Void = { work.cancel() }
    do {
      let speeds = try await Interruption.handling(stop) { try await work.value }
      try store.add(speeds: speeds, to: runID)
    } catch is CancellationError {
      throw CommandError.interrupted
    }
  }

  private func run(_ runner: EvaluationRunner, label: String) async throws -> EvaluationOutcome {
    let meter = ProgressLine(label: label)
    defer { meter.clear() }
    let (sets, conditions) = (Set(plan.datasets.map(\.name)), Set(plan.conditions.map(\.id)))
    let done = try store.keys(runID: runID)
      .filter { sets.contains($0.dataset) && conditions.contains($0.condition) }
    let sink = RunSink(store, runID: runID)
    let work = Task {
      try await runner.run(skipping: done, into: sink) { progress in
        meter.update(text: Self.describe(progress))
      }
    }
    let stop: @Sendable () -> Void = { work.cancel() }
    return try await Interruption.handling(stop) { try await work.value }
  }

  /// Replies after which the time left is estimated: as many as most machines decode side by side.
  private static let firstWave = 32

  private static func describe(_ progress: EvaluationProgress) -> String {
    var text = "\(progress.done)/\(progress.planned)"
    // Replies come in waves, one of each lane: the first of a wave says nothing of the pace.
    if progress.done < min(Self.firstWave, progress.planned / 4) { return text + ", first replies" }
    if let rate = progress.rate, let remaining = progress.remaining {
      let tokens = Double(progress.tokens) / max(progress.elapsed.seconds, 1e-3)
      text +=
        ", \(NumberFormat.decimal(rate, rate < 10 ? 1 : 0)) replies/s, \(NumberFormat.decimal(tokens, 0)) tokens/s, "
        + "\(NumberFormat.duration(remaining)) left"
    }
    return text
  }
}
