/// Which of several names was meant by one that is none of them.
package enum NearestName {
  /// The name among `known`, or nil where none is near enough to be offered.
  /// - Parameter synonyms: what others call some of them.
  package static func of(
    _ name: String, among known: some Collection<String>, synonyms: [String: String] = [:]
  ) -> String? {
    func plain(_ name: String) -> String { name.lowercased().replacing("_", with: "-") }
    let wanted = plain(name)
    if let same = known.first(where: { plain($0) == wanted }) { return same }
    if let synonym = synonyms[wanted], known.contains(synonym) { return synonym }
    let beginning = known.filter {
      $0.count >= 3 && (wanted.hasPrefix(plain($0)) || plain($0).hasPrefix(wanted))
    }
    if wanted.count >= 3, let shortest = beginning.min(by: { ($0.count, $0) < ($1.count, $1) }) {
      return shortest
    }
    let nearest = known.map { (distance: distance(wanted, plain($0)), name: $0) }
      .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    guard let nearest else { return nil }
    // By the longer of the two, so that a word that lost a letter is as near as one that gained one: alfa is alpha.
    let longer = max(wanted.count, nearest.name.count)
    return nearest.distance <= max(1, (longer + 1) / 3) ? nearest.name : nil
  }

  /// Changes of one letter, and swaps of two neighbours, that make `b` of `a` (restricted Damerau-Levenshtein).
  package static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var rows = [Array(0...b.count)]
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
