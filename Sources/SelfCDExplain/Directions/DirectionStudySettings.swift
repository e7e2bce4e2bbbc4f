extension DirectionStudy {
  /// How prompts are shared out, what is searched, and how long replies are.
  public struct Settings: Codable, Sendable, Hashable {
    /// Prompts of each set that directions are made from, and the papers' number.
    public var training = 128
    /// Prompts of each set that they are selected on.
    public var validation = 64
    /// Prompts of each set in the comparison at most; the rest if there are fewer.
    public var test = 1000
    /// Positions from the end that are looked at, at most; what all prompts end with alike.
    public var positions = 5
    /// False-refusal candidates whose ablation is tried.
    public var candidates = 12
    /// Harmful validation refusals that ablation may lose against the guarded model.
    public var tolerance = 0
    /// The longest reply that is judged, in tokens.
    public var maximumTokens = 48
    /// Decides which prompts go into which part, and the draws of the bootstrap.
    public var seed: UInt64 = 0
    /// The column that says which prompts belong together; nil for none. A group is in one part only, whatever the
    /// labels of its prompts, and is resampled whole.
    public var group: String?

    /// The defaults: the papers' 128 prompts to learn from, and half as many to select on.
    public init() {}
  }
}
