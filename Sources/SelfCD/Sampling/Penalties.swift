/// Penalties on tokens that occurred before, as settings: what is stored with runs.
///
/// A closed set of numbers and not a list of processors: settings are stored as JSON and compared, when a run is resumed
/// or reproduced, and what a program brings along can be neither. Its own ``LogitsProcessor`` values go into
/// ``GenerationRequest/processors``, which is not stored.
public struct Penalties: Codable, Sendable, Hashable {
  /// Divides positive scores, and multiplies negative ones, of every token in the prompt or the reply
  /// (``RepetitionPenalty``). Greater than 0 and at most 10; 1 is off, below 1 favours repetition.
  public var repetition: Float
  /// Subtracted from a token's score for each time that it occurred in the reply (``OccurrencePenalty``). -2 … 2; 0 is off.
  public var frequency: Float
  /// Subtracted from the score of every token that occurred in the reply (``OccurrencePenalty``). -2 … 2; 0 is off.
  public var presence: Float

  /// Makes penalties; without arguments none.
  public init(repetition: Float = 1, frequency: Float = 0, presence: Float = 0) {
    self.repetition = repetition
    self.frequency = frequency
    self.presence = presence
  }

  /// Nothing is penalised.
  public static let none = Penalties()

  /// Whether they change nothing.
  public var isNeutral: Bool { self == .none }

  /// Checks the numbers.
  ///
  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)``.
  public func validate() throws(StrategyError) {
    try RepetitionPenalty.check(repetition)
    try OccurrencePenalty.check(frequency, "frequency-penalty")
    try OccurrencePenalty.check(presence, "presence-penalty")
  }

  /// What carries them out, in order; none where they are neutral, so that greedy decoding keeps its fast path.
  var processors: [any LogitsProcessor] {
    var processors: [any LogitsProcessor] = []
    if repetition != 1 { processors.append(RepetitionPenalty(unchecked: repetition)) }
    if frequency != 0 || presence != 0 {
      processors.append(OccurrencePenalty(unchecked: frequency, presence: presence))
    }
    return processors
  }
}

extension Penalties {
  private enum CodingKeys: String, CodingKey { case repetition, frequency, presence }

  /// Reads penalties; those stored when there was only one have no other.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      repetition: try container.decodeIfPresent(Float.self, forKey: .repetition) ?? 1,
      frequency: try container.decodeIfPresent(Float.self, forKey: .frequency) ?? 0,
      presence: try container.decodeIfPresent(Float.self, forKey: .presence) ?? 0)
  }

  /// Writes penalties, those besides the first only where they are on: the others read as they did before there were any.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(repetition, forKey: .repetition)
    if frequency != 0 { try container.encode(frequency, forKey: .frequency) }
    if presence != 0 { try container.encode(presence, forKey: .presence) }
  }
}
