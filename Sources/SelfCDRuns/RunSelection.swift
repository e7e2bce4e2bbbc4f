import SelfCDStore

extension RunError {
  /// The word that stands for the latest run wherever one is named.
  static let latest = "latest"

  /// Checks the name of a new run.
  /// - Throws: ``RunError/reservedName(run:)``.
  static func check(newRun name: String) throws(RunError) {
    if name == latest { throw .reservedName(run: name) }
  }
}

extension RunStore {
  /// The run that is meant by a whole identifier, the beginning of only one, or `latest`.
  /// - Throws: ``RunError`` where that is none or several, `StoreError`.
  public func identifier(matching name: String) throws -> String { try identifiers(matching: [name])[0] }

  /// The runs that are meant by whole identifiers, the beginning of only one, or `latest`; each once.
  /// - Throws: ``RunError`` where one is none or several, `StoreError`.
  public func identifiers(matching names: [String]) throws -> [String] {
    let known = try runs().map(\.id)
    guard let latest = known.first else { throw RunError.noRuns(store: path) }
    var result: [String] = []
    for name in names {
      let matches =
        name == RunError.latest
        ? [latest] : known.contains(name) ? [name] : known.filter { $0.hasPrefix(name) }
      guard let match = matches.first, !name.isEmpty else {
        throw RunError.unknown(run: name, store: path, latest: Array(known.prefix(5)))
      }
      guard matches.count == 1 else {
        throw RunError.ambiguous(run: name, matches: Array(matches.prefix(5)))
      }
      if !result.contains(match) { result.append(match) }
    }
    return result
  }
}
