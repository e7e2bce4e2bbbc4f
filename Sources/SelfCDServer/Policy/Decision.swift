import SelfCD

/// How a request is decoded, after its wishes met the operator's policy.
struct Decision: Sendable {
  let strategy: any DecodingStrategy
  /// The profile it comes from.
  let profile: String?

  var isCalibrated: Bool { profile != nil }
}

extension ServerPolicy {
  /// What a request's extras come to.
  ///
  /// - Throws: ``APIError``: 400 for what makes no sense, 403 for what the operator does not allow, 404 for a profile
  ///   that does not exist.
  func decide(_ wish: SelfCDFields, profiles: [ServedProfile]) throws(APIError) -> Decision {
    if let name = wish.profile { return try profile(name, wish, profiles) }
    guard wish.strategy != nil || wish.hasParameters else {
      if !overridesProfiles, let profile = profiles.first {
        return Decision(strategy: profile.strategy, profile: profile.name)
      }
      return Decision(strategy: defaultStrategy, profile: nil)
    }
    guard wish.strategy != nil || overridesProfiles || profiles.isEmpty else {
      throw .invalid(
        "The model decodes by a calibrated profile, which parameters would undo. Name 'selfcd.strategy' beside them.",
        param: "selfcd", code: "profile_is_fixed")
    }
    let usual = defaultStrategy
    let name = wish.strategy ?? usual.name
    guard StrategyFactory.names.contains(name) else {
      throw .invalid(
        "There is no strategy '\(name.prefix(40))' here. Offered: \(offered.joined(separator: ", ")).",
        param: "selfcd.strategy", code: "unknown_strategy")
    }
    guard offered.contains(name) else {
      throw .notAllowed(
        "This server does not offer '\(name)'. Offered: \(offered.joined(separator: ", ")).",
        param: "selfcd.strategy", code: "strategy_not_allowed")
    }
    try rejectUnused(wish, by: name)
    let own = StrategyFacts(
      name == defaultStrategy.name ? defaultStrategy : StrategyFactory.make(name) ?? defaultStrategy)
    let made = StrategyFactory.make(
      name, alpha: try alpha(wish.alpha, of: name), beta: wish.beta ?? own.beta,
      steps: wish.steps ?? own.steps,
      emphasis: try emphasis(wish.guardedPrompt))
    guard let made else { throw .fault }
    do {
      try made.validate()
    } catch {
      throw .invalid("\(error)", param: "selfcd")
    }
    try check(wish.beta, "beta", usual: own.beta, allowed: betaRange)
    try check(wish.steps, "steps", usual: own.steps, allowed: stepsRange)
    return Decision(strategy: made, profile: nil)
  }

  private func check<Value: Comparable & Sendable>(
    _ wish: Value?, _ field: String, usual: Value?, allowed: ClosedRange<Value>?
  ) throws(APIError) {
    guard let wish, wish != usual, allowed?.contains(wish) != true else { return }
    let known = allowed.map { "allows \($0.lowerBound) to \($0.upperBound)" } ?? "leaves it to the operator"
    throw .notAllowed(
      "'selfcd.\(field)' is \(wish), but this server \(known).", param: "selfcd.\(field)",
      code: "\(field)_not_allowed")
  }

  private func profile(
    _ name: String, _ wish: SelfCDFields, _ profiles: [ServedProfile]
  ) throws(APIError) -> Decision {
    guard wish.strategy == nil, !wish.hasParameters else {
      throw .invalid(
        "'selfcd.profile' fixes the strategy and its parameters; leave them out.", param: "selfcd.profile")
    }
    guard let profile = profiles.first(where: { $0.name == name }) else {
      let known = profiles.isEmpty ? "It has none" : "It has: " + profiles.map(\.name).joined(separator: ", ")
      throw .notFound(
        "The model has no profile '\(name.prefix(80))'. \(known).", param: "selfcd.profile",
        code: "profile_not_found")
    }
    return Decision(strategy: profile.strategy, profile: profile.name)
  }

  /// A parameter that has no effect would mislead, so it is an error.
  private func rejectUnused(_ wish: SelfCDFields, by name: String) throws(APIError) {
    let given: [(String, Bool, [String])] = [
      ("alpha", wish.alpha != nil, StrategyFactory.contrastive),
      ("beta", wish.beta != nil, StrategyFactory.contrastive),
      ("steps", wish.steps != nil, StrategyFactory.contrastive),
      ("guarded_prompt", wish.guardedPrompt != nil, StrategyFactory.guarding),
    ]
    for (field, isGiven, takers) in given where isGiven && !takers.contains(name) {
      throw .invalid(
        "'selfcd.\(field)' has no effect on '\(name)'; it goes with \(takers.joined(separator: ", ")).",
        param: "selfcd.\(field)")
    }
  }

  private func alpha(_ wish: Float?, of name: String) throws(APIError) -> Float? {
    guard let range = alphaRange(of: name) else { return nil }
    guard let wish else { return usualAlpha(of: name) }
    guard range.contains(wish) else {
      throw .notAllowed(
        "'selfcd.alpha' is \(wish), but this server allows \(range.lowerBound) to \(range.upperBound) for '\(name)'.",
        param: "selfcd.alpha", code: "alpha_not_allowed")
    }
    return wish
  }

  /// α where a request names none: the operator's or the strategy's own, within what is allowed.
  func usualAlpha(of name: String) -> Float? {
    guard let range = alphaRange(of: name) else { return nil }
    let usual =
      name == defaultStrategy.name
      ? StrategyFactory.alpha(of: defaultStrategy) : StrategyFactory.defaultAlpha(of: name)
    return usual.map { min(max($0, range.lowerBound), range.upperBound) }
  }

  private func emphasis(_ wish: String?) throws(APIError) -> SafetyEmphasis? {
    guard let wish else { return guardedPrompts.first }
    if let prompt = guardedPrompts.first(where: { $0.name == wish }) { return prompt }
    guard allowsOwnGuardedPrompt else {
      let known =
        guardedPrompts.isEmpty
        ? "Leave it out" : "Known by name: " + guardedPrompts.map(\.name).joined(separator: ", ")
      throw .notAllowed(
        "This server takes no guarded prompts from clients. \(known).", param: "selfcd.guarded_prompt",
        code: "guarded_prompt_not_allowed")
    }
    guard wish.contains(where: { !$0.isWhitespace }) else {
      throw .invalid("'selfcd.guarded_prompt' is empty.", param: "selfcd.guarded_prompt")
    }
    return SafetyEmphasis.preset(named: wish) ?? SafetyEmphasis(text: wish)
  }
}
