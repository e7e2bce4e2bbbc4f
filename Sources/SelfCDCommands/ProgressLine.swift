import Foundation
import SelfCDSupport
import Synchronization

/// A line on standard error that says how far something is, if it takes a while. Where no one watches, in a file or a
/// pipe, a line of its own every few seconds.
final class ProgressLine: Sendable {
  private struct State {
    var isShown = false
    var lastPercent = -1
    var lastLine = Duration.zero
    var lastText = ""
    var isTextShown = true
    var isEnded = false
  }

  private let label: String
  private let start = ContinuousClock.now
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let state = Mutex(State())
  private static let patience = Duration.milliseconds(500)
  private static let lineInterval = Duration.seconds(5)

  init(label: String) {
    self.label = label
  }

  /// Shows a text of its own instead of a percentage.
  func update(text: @autoclosure () -> String) {
    let elapsed = start.duration(to: .now)
    guard elapsed > Self.patience else { return }
    state.withLock { state in
      if isTerminal || elapsed - state.lastLine > Self.lineInterval {
        show(text(), at: elapsed, &state)
      } else {
        state.lastText = text()
        state.isTextShown = false
      }
    }
  }

  /// Shows a text at once, so that nobody waits without knowing for what.
  func begin(text: String) {
    state.withLock { show(text, at: start.duration(to: .now), &$0) }
  }

  /// Says that it still goes on, where nothing else has for a while.
  func beat() {
    let elapsed = start.duration(to: .now)
    state.withLock { state in
      guard !state.isEnded, elapsed - state.lastLine > Self.lineInterval else { return }
      let known = state.lastText
      guard state.isTextShown else { return show(known, at: elapsed, &state) }
      show(
        known + (known.isEmpty ? "" : "; ") + "\(NumberFormat.duration(elapsed)) so far", at: elapsed, &state)
      state.lastText = known
    }
  }

  private func show(_ text: String, at elapsed: Duration, _ state: inout State) {
    state.isShown = state.isShown || isTerminal
    state.lastLine = elapsed
    state.lastText = text
    state.isTextShown = true
    write(isTerminal ? "\r\u{1B}[K\(label) \(text)" : "\(label) \(text)\n")
  }

  /// - Parameter share: how much is done, 0 … 1.
  func update(_ share: Double) {
    let elapsed = start.duration(to: .now)
    guard elapsed > Self.patience else { return }
    let percent = Int(share * 100)
    let isNews = state.withLock { state in
      defer { state.lastPercent = percent }
      return percent != state.lastPercent
    }
    // A terminal shows what it was told last; elsewhere a line that has not changed says that it still goes on.
    guard share < 1, isNews || !isTerminal else { return }
    update(
      text: "\(percent) %"
        + (share > 0.01 ? ", \(NumberFormat.duration(elapsed * ((1 - share) / share))) left" : ""))
  }

  func clear() {
    state.withLock { state in
      if state.isShown { write("\r\u{1B}[K") }
      state.isShown = false
      state.isEnded = true
    }
  }

  private func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
