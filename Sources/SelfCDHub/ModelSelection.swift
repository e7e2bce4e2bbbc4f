/// Which files of a repository are the model asked for, by llama.cpp's rules (`find_best_model`).
struct ModelSelection: Hashable {
  /// Tried in this order when no quantisation is asked for; then the first model of the repository.
  static let preferred = ["Q4_K_M", "Q8_0"]
  /// Companions of models: projectors, importance matrices, draft heads.
  private static let companions = ["mmproj", "imatrix", "mtp-", "eagle3-", "dflash-", "dspark-"]

  /// The parts in order; a single one for most.
  let paths: [String]
  /// Whether no other listing of the same repository could make a better choice.
  let isFirstChoice: Bool

  /// Chooses among `paths`; nil if nothing fits.
  init?(among paths: [String], quantisation: String?) {
    let models = Self.models(paths)
    let wanted = quantisation.map { [$0] } ?? Self.preferred
    for (rank, tag) in wanted.enumerated() {
      if let path = models.first(where: { Self.mentions($0.path, tag: tag) }) {
        self.init(path.name, isFirstChoice: rank == 0)
        return
      }
    }
    guard quantisation == nil, let first = models.first else { return nil }
    self.init(first.name, isFirstChoice: false)
  }

  private init(_ name: GGUFName, isFirstChoice: Bool) {
    paths = (1...name.parts).map { name.path(part: $0) }
    self.isFirstChoice = isFirstChoice
  }

  /// The quantisations on offer, in the order of their files.
  static func tags(_ paths: [String]) -> [String] {
    var seen: Set<String> = []
    return models(paths).map { $0.name.tag ?? $0.path }.filter { seen.insert($0).inserted }
  }

  /// Models by their first file.
  private static func models(_ paths: [String]) -> [(path: String, name: GGUFName)] {
    paths.compactMap { path in
      guard let name = GGUFName(path), name.part == 1 else { return nil }
      let file = path.split(separator: "/").last ?? ""
      return companions.contains { file.contains($0) } ? nil : (path, name)
    }
  }

  /// The tag followed by `.` or `-`, anywhere in the path, whatever the case.
  private static func mentions(_ path: String, tag: String) -> Bool {
    let path = path.lowercased()
    let tag = tag.lowercased()
    return path.hasSuffix(".gguf") && (path.contains(tag + ".") || path.contains(tag + "-"))
  }
}
