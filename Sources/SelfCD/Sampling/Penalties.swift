/// Penalties on tokens that occurred before, as settings: what is stored with runs.
///
/// A closed set of numbers and not a list of processors: settings are stored as JSON and compared, when a run is resumed
/// or reproduced, and what a program brings along can be neither. Its own ``LogitsProcessor`` values go into
/// ``GenerationRequest/processors``, which is not stored.
public struct Penalties: Codable, Sendable, Hashable {
  /// Divides positive scores, and multiplies negative ones, of every token in the prompt or the reply
  /// (``RepetitionPenalty``). Greater than 0 and at most 10; 1 is off, below 1 favours repetition.
  public var repetition: Float

  /// Makes penalties; without arguments none.
  public init(repetition: Float = 1) {
    self.repetition = repetition
  }

  /// Nothing is penalised.
  public static let none = Penalties()

  /// Whether they change nothing.
  public var isNeutral: Bool { repetition == 1 }

  /// Checks the numbers.
  ///
  /// - Throws: ``StrategyError/outOfRange(parameter:value:allowed:)``.
  public func validate() throws(StrategyError) { try RepetitionPenalty.check(repetition) }

  /// What carries them out, in order; none where they are neutral, so that greedy decoding keeps its fast path.
  var processors: [any LogitsProcessor] { isNeutral ? [] : [RepetitionPenalty(unchecked: repetition)] }
}
