/// Which reply of a run: a sample under a condition, perhaps several times.
public struct ReplyKey: Codable, Sendable, Hashable {
  /// The data set's name.
  public var dataset: String
  /// The sample's identifier in it.
  public var sample: String
  /// The condition's identifier.
  public var condition: String
  /// Counts repetitions of the same sample and condition, from 0.
  public var repetition: Int

  /// Makes a key.
  public init(dataset: String, sample: String, condition: String, repetition: Int = 0) {
    self.dataset = dataset
    self.sample = sample
    self.condition = condition
    self.repetition = repetition
  }

  /// The key under which replies of different conditions to one prompt meet.
  var withoutCondition: Self { Self(dataset: dataset, sample: sample, condition: "", repetition: repetition) }
}
