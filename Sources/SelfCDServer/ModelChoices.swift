/// What clients may choose of a model, for its operator to read.
public struct ModelChoices: Sendable, Equatable {
  /// A strategy that can be asked for by name.
  public struct Strategy: Sendable, Equatable {
    /// The name that requests ask for it by.
    public let name: String
    /// How far its α can be moved; `nil` where it has none.
    public let alpha: ClosedRange<Double>?
  }

  /// The name that clients ask for the model by.
  public let model: String
  /// The strategies that may be asked for, in the catalogue's order.
  public let strategies: [Strategy]
  /// Profiles that can be asked for by name.
  public let profiles: [String]
}

extension InferenceServer {
  /// Whether there is a page for people at `/`; an installation without its files serves the API alone.
  public var hasPlayground: Bool { !playground.isEmpty }

  /// What clients may choose now, by model, in the order of the models.
  public var choices: [ModelChoices] {
    pool.names.map { name in
      let profiles = pool.profiles(of: name)
      let policy = service.policy
      return ModelChoices(
        model: name,
        strategies: policy.offered(profiles: profiles).map { strategy in
          let usual = policy.usual(strategy, profiles: profiles).strategy
          return ModelChoices.Strategy(
            name: strategy, alpha: usual.isContrastive ? policy.allowed(.alpha, of: usual) : nil)
        }, profiles: profiles.map(\.name))
    }
  }
}
