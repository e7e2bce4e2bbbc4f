import SelfCDHub

/// Fetches a model by its name in a hub, with progress.
enum ModelFetching {
  /// - Throws: `HubError`.
  static func path(of reference: HubReference, console: Console) async throws -> String {
    let meter = ProgressLine(label: "fetching \(reference)")
    defer { meter.clear() }
    return try await ModelHub(settings: try HubSettings()).path(of: reference) { event in
      switch event {
      case .progress(let received, let total): meter.update(Double(received) / Double(max(1, total)))
      case .waiting(let file):
        meter.clear()
        console.note("another process is fetching \(TerminalText.singleLine(file)); waiting for it")
      case .retrying(let reason, let seconds):
        meter.clear()
        console.note("\(TerminalText.singleLine(reason)); next attempt in \(Int(seconds)) s")
      case .usingCache(let reason):
        meter.clear()
        console.note("\(TerminalText.singleLine(reason)); using the model that is in the cache")
      }
    }.path
  }
}
