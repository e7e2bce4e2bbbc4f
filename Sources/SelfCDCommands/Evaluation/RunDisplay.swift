import SelfCDEval
import SelfCDRuns
import SelfCDSupport
import Synchronization

/// Shows what happens in a run: a progress line for what is being done, and notes.
final class RunDisplay: Sendable {
  private struct State {
    var label: String
    var line: (name: String, meter: ProgressLine)?
    var isJudging = false
  }

  private let console: Console
  private let state: Mutex<State>
  /// Replies after which the time left is estimated: as many as most machines decode side by side.
  private static let firstWave = 32
  private static let failuresShown = 3

  init(label: String, console: Console) {
    self.console = console
    state = Mutex(State(label: label))
  }

  /// Whether a judge was at work last.
  var isJudging: Bool { state.withLock(\.isJudging) }

  func end() {
    state.withLock { state in
      state.line?.meter.clear()
      state.line = nil
    }
  }

  func show(_ event: RunEvent) {
    switch event {
    case .stage(let stage): state.withLock { $0.label = Self.label(of: stage) }
    case .scheduled(let decision):
      end()
      console.note(TuningTable.schedule(decision))
    case .generated(let progress): meter(nil).update(text: Self.describe(progress))
    case .judged(let judge, let done, let planned):
      meter("judging with \(TerminalText.singleLine(judge))", isJudging: true).update(
        text: "\(done)/\(planned)")
    case .timed(let share): meter("timing").update(share)
    case .failed(let failures):
      end()
      for failure in failures.prefix(Self.failuresShown) {
        console.note(
          "no reply to \(failure.key.dataset)/\(failure.key.sample) under \(failure.key.condition): "
            + TerminalText.singleLine(failure.reason))
      }
      if failures.count > Self.failuresShown { console.note("\(failures.count) replies are missing in all.") }
    case .unreadable(let judge, let replies, let planned):
      end()
      Self.note(unreadable: replies, of: planned, by: judge, console: console)
    }
  }

  static func note(unreadable replies: Int, of planned: Int, by judge: String, console: Console) {
    // The only rule that can leave a reply without class says why in one way.
    let reason = judge == "selfcd" ? " (it does not know the language)" : ""
    console.note(
      "\(TerminalText.singleLine(judge)) named no class for \(replies) of "
        + "\(NumberFormat.counted(planned, "reply", "replies"))\(reason); \(replies == 1 ? "it stays" : "they stay") without its "
        + "verdict.")
  }

  /// The line for what is being done; nil is generating.
  private func meter(_ name: String?, isJudging: Bool = false) -> ProgressLine {
    state.withLock { state in
      state.isJudging = isJudging
      let name = name ?? state.label
      if let line = state.line, line.name == name { return line.meter }
      state.line?.meter.clear()
      let meter = ProgressLine(label: name)
      state.line = (name, meter)
      return meter
    }
  }

  private static func label(of stage: CalibrationRun.Stage) -> String {
    switch stage {
    case .baseRates: "base rates:"
    case .reference: "reference:"
    case .calibration: "calibrating:"
    case .confirmation: "confirming:"
    }
  }

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
