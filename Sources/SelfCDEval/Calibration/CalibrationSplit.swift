import SelfCDData
import SelfCDStatistics

/// Prompts to calibrate on and other prompts to confirm on.
///
/// Every prompt counts once: a prompt that stands in both parts would confirm what it helped to choose, and one that
/// stands twice in a part would count as two observations. Prompts are compared as ``DuplicateReport`` does. Where a
/// column says which prompts belong together, no group is in both parts, and each has one harmful prompt (``GroupDraw``).
public struct CalibrationSplit: Sendable, Hashable {
  /// The sets to calibrate on.
  public private(set) var calibration: [Dataset]
  /// The sets to confirm on; their names end in `-confirm`.
  public private(set) var confirmation: [Dataset]
  /// How the prompts were parted, as profiles record it.
  public let origin: CalibrationProfile.Split
  /// Prompts left out because the same part has them already.
  public private(set) var repeated = 0
  /// Prompts left out of the confirmation because the calibration has them, or others of their group.
  public private(set) var shared = 0
  /// Prompts left out because they are labelled both harmless and harmful.
  public private(set) var conflicting = 0
  /// Harmful prompts left out because another one of their group was drawn.
  public private(set) var notDrawn = 0

  /// Splits sets at random, harmless and harmful prompts each for themselves. With groups, their number is what is
  /// shared out, so that which group goes where has nothing to do with its size.
  /// - Parameters:
  ///   - datasets: Prompts with labels; neutral and unlabelled ones are left out.
  ///   - confirmFraction: The share that is kept for the confirmation, in (0, 1).
  ///   - seed: The same seed splits the same way.
  ///   - group: The column that says which prompts belong together; nil for none. A prompt without a value is a group
  ///     of its own.
  /// - Throws: `StatisticsError` for a share outside (0, 1).
  public init(
    _ datasets: [Dataset], confirmFraction: Double, seed: UInt64, group: String? = nil
  ) throws(StatisticsError) {
    try StatisticsError.check(openUnit: confirmFraction, "the share to confirm on")
    origin = .init(seed: seed, confirmFraction: confirmFraction, group: group)
    calibration = []
    confirmation = []
    let conflicts = Self.conflicts(datasets)
    var seen: Set<String> = []
    let usable = datasets.map { clean($0, conflicts: conflicts, seen: &seen) }
    var generator = Xoshiro256StarStar(seed: seed)
    var held: Set<Place> = []
    /// Groups whose part is settled: one with both harmless and harmful prompts is drawn with the harmless ones.
    var settled: [String: Bool] = [:]
    for label in [Sample.Label.safe, .harmful] {
      var units: [[Place]] = []
      var unitOfGroup: [String: Int] = [:]
      for (set, dataset) in usable.enumerated() {
        for (index, sample) in dataset.samples.enumerated() where sample.label == label {
          let place = Place(set: set, sample: index)
          guard let name = group.flatMap(sample.value(ofColumn:)) else {
            units.append([place])
            continue
          }
          if let isHeld = settled[name] {
            if isHeld { held.insert(place) }
          } else if let unit = unitOfGroup[name] {
            units[unit].append(place)
          } else {
            unitOfGroup[name] = units.count
            units.append([place])
          }
        }
      }
      let count = Self.held(of: units.count, confirmFraction: confirmFraction)
      // Fisher and Yates, as far as it is needed.
      for index in 0..<count {
        units.swapAt(index, index + generator.index(below: units.count - index))
        held.formUnion(units[index])
      }
      guard let group else { continue }
      for (set, dataset) in usable.enumerated() {
        for (index, sample) in dataset.samples.enumerated() where sample.label == label {
          guard let name = sample.value(ofColumn: group) else { continue }
          settled[name] = held.contains(Place(set: set, sample: index))
        }
      }
    }
    for (set, dataset) in usable.enumerated() {
      var (kept, confirmed) = (dataset, dataset)
      kept.samples = dataset.samples.indices.filter { !held.contains(Place(set: set, sample: $0)) }
        .map { dataset.samples[$0] }
      confirmed.samples = dataset.samples.indices.filter { held.contains(Place(set: set, sample: $0)) }
        .map { dataset.samples[$0] }
      calibration.append(kept)
      confirmation.append(confirmed)
    }
    finish(group: group, seed: seed)
  }

  /// Takes sets that are apart already.
  /// - Parameters:
  ///   - calibration: Prompts to calibrate on.
  ///   - confirmation: Prompts to confirm on; those whose text or group the calibration has are left out. Empty for a
  ///     calibration in a single stage.
  ///   - group: The column that says which prompts belong together; nil for none.
  ///   - seed: Of the draw of one prompt a group.
  public init(calibration: [Dataset], confirmation: [Dataset], group: String? = nil, seed: UInt64 = 0) {
    origin = .init(seed: seed, confirmFraction: nil, group: group)
    self.calibration = []
    self.confirmation = []
    let conflicts = Self.conflicts(calibration + confirmation)
    var seen: Set<String> = []
    self.calibration = calibration.map { clean($0, conflicts: conflicts, seen: &seen) }
    func groupName(_ sample: Sample) -> String? { group.flatMap(sample.value(ofColumn:)) }
    let taken = Set(self.calibration.lazy.flatMap(\.samples).compactMap(groupName))
    var confirmed: Set<String> = []
    for dataset in confirmation {
      var dataset = dataset
      let count = dataset.samples.count
      dataset.samples.removeAll {
        seen.contains(DuplicateReport.key($0)) || groupName($0).map(taken.contains) ?? false
      }
      shared += count - dataset.samples.count
      self.confirmation.append(clean(dataset, conflicts: conflicts, seen: &confirmed))
    }
    finish(group: group, seed: seed)
  }

  private mutating func finish(group: String?, seed: UInt64) {
    if let group {
      func harmful(_ sets: [Dataset]) -> Int { sets.reduce(0) { $0 + ($1.labelCounts[.harmful] ?? 0) } }
      let before = harmful(calibration) + harmful(confirmation)
      calibration = GroupDraw.onePerGroup(calibration, column: group, seed: seed)
      confirmation = GroupDraw.onePerGroup(confirmation, column: group, seed: seed)
      notDrawn = before - harmful(calibration) - harmful(confirmation)
    }
    nameAndPrune()
  }

  /// How many of `count` prompts or groups are held back.
  static func held(of count: Int, confirmFraction: Double) -> Int {
    Int((Double(count) * confirmFraction).rounded(.down))
  }

  private struct Place: Hashable {
    let set: Int
    let sample: Int
  }

  private static func conflicts(_ datasets: [Dataset]) -> Set<String> {
    var labels: [String: Sample.Label] = [:]
    var result: Set<String> = []
    for sample in datasets.lazy.flatMap(\.samples) {
      guard let label = sample.label, label != .neutral else { continue }
      let key = DuplicateReport.key(sample)
      if let known = labels[key], known != label { result.insert(key) }
      labels[key] = label
    }
    return result
  }

  private mutating func clean(
    _ dataset: Dataset, conflicts: Set<String>, seen: inout Set<String>
  ) -> Dataset {
    var dataset = dataset
    var kept: [Sample] = []
    for sample in dataset.samples where sample.label == .safe || sample.label == .harmful {
      let key = DuplicateReport.key(sample)
      if conflicts.contains(key) {
        conflicting += 1
      } else if !seen.insert(key).inserted {
        repeated += 1
      } else {
        kept.append(sample)
      }
    }
    dataset.samples = kept
    return dataset
  }

  private mutating func nameAndPrune() {
    calibration.removeAll(where: \.samples.isEmpty)
    confirmation.removeAll(where: \.samples.isEmpty)
    var taken = Set(calibration.map(\.name))
    for index in confirmation.indices {
      let base = confirmation[index].name + "-confirm"
      var name = base
      var number = 2
      while !taken.insert(name).inserted {
        name = "\(base)-\(number)"
        number += 1
      }
      confirmation[index].name = name
    }
  }
}
