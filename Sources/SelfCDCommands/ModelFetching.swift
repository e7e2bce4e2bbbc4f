import SelfCDHub

/// Finds a model by its name, and fetches it with progress where that is needed.
enum ModelFetching {
  /// The path of a model's file.
  /// - Throws: `HubError`, `OrganismError`.
  static func path(of model: ModelName, console: Console) async throws -> String {
    let watch = Watch(name: model.description, console: console)
    defer { watch.meter.clear() }
    return try await model.path(onEvent: watch.show)
  }

  /// Shows what happens meanwhile.
  private struct Watch: Sendable {
    let meter: ProgressLine
    let console: Console

    init(name: String, console: Console) {
      meter = ProgressLine(label: "fetching \(name)")
      self.console = console
    }

    @Sendable func show(_ event: HubEvent) {
      switch event {
      case .progress(let received, let total): meter.update(Double(received) / Double(max(1, total)))
      case .waiting(let file):
        meter.clear()
        console.note("another process is fetching \(TerminalText.singleLine(file)); waiting for it")
      case .replacing(let file):
        meter.clear()
        console.note("\(TerminalText.singleLine(file)) in the cache is not the right file; fetching it again")
      case .retrying(let reason, let seconds):
        meter.clear()
        console.note("\(TerminalText.singleLine(reason)); next attempt in \(Int(seconds)) s")
      case .usingCache(let reason):
        meter.clear()
        console.note("\(TerminalText.singleLine(reason)); using the model that is in the cache")
      }
    }
  }
}
