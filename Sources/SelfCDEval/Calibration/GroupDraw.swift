import SelfCDData
import SelfCDStatistics

/// One harmful prompt of each group, drawn at random: whatever binds the prompts of a group, those drawn are independent
/// if the groups are.
///
/// Losses that sit in few groups look like much evidence when prompts are counted one by one, and resampling groups does
/// not mend that: a sample that misses the few bad groups has nothing to resample. One prompt a group keeps the binomial
/// test exact under any dependence inside groups. What is bounded is then the rate for a prompt drawn from a group drawn at
/// random, so that a group with many prompts weighs no more than one with few.
public enum GroupDraw {
  /// Leaves out the harmful prompts that are not drawn. Harmless prompts stay: nothing is promised of them.
  ///
  /// Drawing again from what was drawn changes nothing.
  /// - Parameters:
  ///   - datasets: Prompts of one part; a group may run through several sets.
  ///   - column: The column that says which prompts belong together. A prompt without a value is a group of its own.
  ///   - seed: The same seed draws the same prompts.
  public static func onePerGroup(_ datasets: [Dataset], column: String, seed: UInt64) -> [Dataset] {
    var groups: [[Place]] = []
    var placeOfGroup: [String: Int] = [:]
    for (set, dataset) in datasets.enumerated() {
      for (index, sample) in dataset.samples.enumerated() where sample.label == .harmful {
        let place = Place(set: set, sample: index)
        if let name = sample.value(ofColumn: column) {
          if let known = placeOfGroup[name] {
            groups[known].append(place)
          } else {
            placeOfGroup[name] = groups.count
            groups.append([place])
          }
        }
      }
    }
    var generator = Xoshiro256StarStar(seed: seed)
    var left = Set(groups.joined())
    for group in groups { left.remove(group[generator.index(below: group.count)]) }
    return datasets.enumerated().map { set, dataset in
      var dataset = dataset
      dataset.samples = dataset.samples.indices.filter { !left.contains(Place(set: set, sample: $0)) }
        .map { dataset.samples[$0] }
      return dataset
    }
  }

  private struct Place: Hashable {
    let set: Int
    let sample: Int
  }
}
