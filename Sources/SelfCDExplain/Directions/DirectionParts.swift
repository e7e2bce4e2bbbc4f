import SelfCD
import SelfCDData
import SelfCDEval
import SelfCDStatistics

/// The prompts of a direction study in three parts: what is learned from, selected on, and compared.
extension DirectionStudy {
  struct SampleKey: Hashable, Sendable {
    let dataset: String
    let sample: String

    init(dataset: String, sample: String) {
      self.dataset = dataset
      self.sample = sample
    }

    init(_ key: ReplyKey) { self.init(dataset: key.dataset, sample: key.sample) }
  }

  struct Item: Sendable {
    let key: SampleKey
    let sample: Sample
    /// Nil where prompts are not grouped.
    let group: String?
  }

  enum Part: Hashable { case training, validation, test }

  struct Split: Sendable {
    var items: [Sample.Label: [Part: [Item]]] = [:]

    func training(_ label: Sample.Label) -> [Item] { items[label]?[.training] ?? [] }
    func validation(_ label: Sample.Label) -> [Item] { items[label]?[.validation] ?? [] }
    func test(_ label: Sample.Label) -> [Item] { items[label]?[.test] ?? [] }

    var counts: [Parts] {
      Sample.Label.allCases.map { label in
        let groups = test(label).compactMap(\.group)
        return Parts(
          set: label, training: training(label).count, validation: validation(label).count,
          test: test(label).count, groups: groups.isEmpty ? nil : Set(groups).count)
      }
    }
  }

  /// Fewer say nothing.
  static let leastPrompts = 8
  /// A part of a label may be this small where groups do not allow for more.
  private static let leastOfPart = 4

  /// Checks that there are prompts enough for every part of a study, which takes no model.
  /// - Throws: ``DirectionStudyError``.
  public static func check(_ datasets: [Dataset], settings: Settings) throws(DirectionStudyError) {
    _ = try split(datasets, settings)
  }

  /// Drawn by the seed, so that no order of the files decides; each label apart.
  ///
  /// A group goes whole, and where it has prompts of several labels, all of them go to one part.
  static func split(_ datasets: [Dataset], _ settings: Settings) throws(DirectionStudyError) -> Split {
    var split = Split()
    var generator = Xoshiro256StarStar(seed: settings.seed)
    var settled: [String: Part] = [:]
    for label in Sample.Label.allCases {
      let items = Self.items(datasets, label, settings)
      if items.isEmpty { throw .noPrompts(label) }
      guard items.count >= 3 * leastPrompts else {
        throw .tooFew(what: "\(label.rawValue) prompts", found: items.count)
      }
      var units = Self.units(items)
      for index in units.indices.dropLast() {
        units.swapAt(index, index + generator.index(below: units.count - index))
      }
      // Small sets are shared out two, one and one quarter.
      let training = min(settings.training, items.count / 2)
      let validation = min(settings.validation, items.count / 4)
      var parts: [Part: [Item]] = [:]
      func count(_ part: Part) -> Int { parts[part]?.count ?? 0 }
      func settledPart(_ unit: [Item]) -> Part? { unit.first?.group.flatMap { settled[$0] } }
      for unit in units {
        if let part = settledPart(unit) { parts[part, default: []] += unit }
      }
      for unit in units where settledPart(unit) == nil {
        let part: Part =
          count(.training) < training ? .training : count(.validation) < validation ? .validation : .test
        parts[part, default: []] += unit
        if let group = unit.first?.group { settled[group] = part }
      }
      parts[.test] = Array((parts[.test] ?? []).prefix(settings.test))
      if let column = settings.group {
        let found = [count(.training), count(.validation), count(.test)]
        let wanted = [training, validation, settings.test].map { min($0, leastOfPart) }
        guard zip(found, wanted).allSatisfy({ $0 >= $1 }) else {
          throw .groupsTooLarge(
            column: column, set: label, training: found[0], validation: found[1], test: found[2])
        }
      }
      split.items[label] = parts
    }
    return split
  }

  private static func items(_ datasets: [Dataset], _ label: Sample.Label, _ settings: Settings) -> [Item] {
    datasets.flatMap { dataset in
      dataset.samples.filter { $0.label == label }.map { sample in
        Item(
          key: SampleKey(dataset: dataset.name, sample: sample.id), sample: sample,
          group: settings.group.map { sample.group(inColumn: $0, of: dataset.name) })
      }
    }
  }

  /// What goes to one part together: the prompts of a group, or each prompt.
  private static func units(_ items: [Item]) -> [[Item]] {
    var units: [[Item]] = []
    var places: [String: Int] = [:]
    for item in items {
      if let group = item.group, let place = places[group] {
        units[place].append(item)
      } else {
        if let group = item.group { places[group] = units.count }
        units.append([item])
      }
    }
    return units
  }

  func datasets(_ split: Split, _ parts: [Part]) -> [Dataset] {
    let wanted = Set(
      split.items.values.flatMap { items in parts.flatMap { items[$0] ?? [] } }.map(\.key))
    return datasets.map { dataset in
      var dataset = dataset
      dataset.samples.removeAll { !wanted.contains(SampleKey(dataset: dataset.name, sample: $0.id)) }
      return dataset
    }.filter { !$0.samples.isEmpty }
  }
}
