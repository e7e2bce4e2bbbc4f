import SelfCD

/// How a request is decoded, after its wishes met the operator's policy.
struct Decision: Sendable {
  let strategy: any DecodingStrategy
  /// The profile it comes from.
  let profile: String?
  /// What a bound was shown under; `nil` where none was shown.
  private let conditions: MeasuredConditions?
  /// What is otherwise about the request than it was calibrated; empty where no bound was shown, so that there is none to
  /// lose.
  private(set) var differences: [MeasuredConditions.Difference] = []

  /// Whether it comes from a profile that shows a bound, and is used as that was calibrated.
  var isCalibrated: Bool { conditions != nil && differences.isEmpty }

  /// The same decoding, compared with what was calibrated.
  ///
  /// - Parameters:
  ///   - options: how it draws and ends.
  ///   - chats: what it answers.
  ///   - isContinued: whether the chats end with the beginning of the reply.
  ///   - isTemplated: whether it answers by the model's template.
  ///   - hasFormat: whether the reply has to keep to a format.
  func used(
    with options: GenerationOptions, on chats: [Chat] = [], isContinued: Bool = false,
    isTemplated: Bool = true, hasFormat: Bool = false
  ) -> Decision {
    guard let conditions else { return self }
    var decision = self
    decision.differences = conditions.differences(of: options)
    if hasFormat { decision.differences.append(.format) }
    if isTemplated {
      for chat in chats {
        for difference in conditions.differences(of: chat, isContinued: isContinued)
        where !decision.differences.contains(difference) { decision.differences.append(difference) }
      }
    } else {
      decision.differences.append(.template)
    }
    return decision
  }

  /// The same decoding, once its replies are there: one that is longer than those that were calibrated was judged by none.
  func replied(tokens: Int) -> Decision {
    guard let conditions, conditions.isExceeded(by: tokens) else { return self }
    var decision = self
    decision.differences.append(.maxTokens)
    return decision
  }

  fileprivate init(_ profile: ServedProfile) {
    strategy = profile.strategy
    conditions = profile.isCalibrated ? profile.conditions : nil
    self.profile = profile.name
  }

  fileprivate init(_ strategy: any DecodingStrategy) {
    self.strategy = strategy
    profile = nil
    conditions = nil
  }
}

extension ServerPolicy {
  /// What a request's extras come to.
  ///
  /// - Throws: ``APIError``: 400 for what makes no sense, 403 for what the operator does not allow, 404 for a profile
  ///   that does not exist.
  func decide(_ wish: SelfCDFields, profiles: [ServedProfile]) throws(APIError) -> Decision {
    if let name = wish.profile { return try Decision(profile(name, wish, profiles)) }
    if wish.asksForGuidance { return try guidance(wish, profiles: profiles) }
    guard wish.strategy != nil || wish.hasParameters else {
      if !overridesProfiles, let profile = profiles.first { return Decision(profile) }
      return usual(defaultStrategy.name, profiles: [])
    }
    guard wish.strategy != nil || overridesProfiles || profiles.isEmpty else {
      throw .invalid(
        "The model decodes by a profile, which parameters would undo. Name 'selfcd.strategy' beside them.",
        param: "selfcd", code: "profile_is_fixed")
    }
    let written = wish.strategy ?? defaultStrategy.name
    let name = StrategyCatalogue.name(meantBy: written) ?? written
    let offered = offered(profiles: profiles)
    guard let type = try? StrategyCatalogue.type(named: name), Self.knownStrategies.contains(name) else {
      throw .invalid(
        "There is no strategy '\(name.prefix(40))' here. Offered: \(offered.joined(separator: ", ")).",
        param: wish.strategyField, code: "unknown_strategy")
    }
    guard offered.contains(name) else {
      throw .notAllowed(
        "This server does not offer '\(name)'. Offered: \(offered.joined(separator: ", ")). Its operator can offer it, "
          + "too (--allow \(name)).",
        param: wish.strategyField, code: "strategy_not_allowed")
    }
    try rejectUnused(wish, by: type)
    let usual = usual(name, profiles: profiles)
    guard wish.hasParameters else { return usual }
    var asked = wish.parameters
    asked.emphasis = try emphasis(wish.guardedPrompt)
    let made: any DecodingStrategy
    do {
      made = try StrategyCatalogue.make(name, usual.strategy.parameters.replaced(by: asked))
    } catch {
      let given = asked.given
      throw .invalid("\(error)", param: given.count == 1 ? wish.field(of: given[0]) : "selfcd")
    }
    for parameter in asked.given { try check(parameter, asked, of: wish, usual: usual.strategy) }
    return Decision(made)
  }

  /// Guidance away from a negative prompt of the client's, under the operator's own safety prompt if there is one.
  private func guidance(_ wish: SelfCDFields, profiles: [ServedProfile]) throws(APIError) -> Decision {
    let field = "selfcd.\(StrategyParameter.negativePrompt)"
    guard allowsNegativePrompt else {
      throw .notAllowed(
        "This server contrasts with no prompts of its clients. Its operator can allow it (--allow-negative-prompt).",
        param: field, code: "negative_prompt_not_allowed")
    }
    guard overridesProfiles || profiles.isEmpty else {
      throw .notAllowed(
        "The model decodes by a profile, which a negative prompt would undo. Its operator can serve it otherwise "
          + "(--strategy plain --allow-negative-prompt).", param: field, code: "profile_is_fixed")
    }
    guard let negative = wish.negativePrompt, negative.contains(where: { !$0.isWhitespace }) else {
      throw .invalid("'\(Guidance.name)' needs '\(field)', a text to move away from.", param: field)
    }
    try rejectUnused(wish, by: Guidance.self)
    // Without it guidance would be plain decoding under another name.
    let own = guardedPrompts.first ?? defaultStrategy.parameters.emphasis
    var usual = Guidance(negativePrompt: negative, emphasis: own)
    if let range = ranges[.guidance] {
      usual.guidance = Float(min(max(Double(usual.guidance), range.lowerBound), range.upperBound))
    }
    var asked = wish.parameters
    asked.emphasis = try emphasis(wish.guardedPrompt)
    let made: any DecodingStrategy
    do {
      made = try StrategyCatalogue.make(Guidance.name, usual.parameters.replaced(by: asked))
    } catch {
      throw .invalid("\(error)", param: "selfcd.\(StrategyParameter.guidance)")
    }
    for parameter in asked.given { try check(parameter, asked, of: wish, usual: usual) }
    return Decision(made)
  }

  /// Guidance moves away from a prompt, and so must not be given one that is to hold: the operator's safety prompts, any
  /// that comes with the program, and the system messages of the chat, which may be the application's.
  ///
  /// What repeats a sentence of them is found, another wording is not.
  /// - Throws: ``APIError`` (403).
  func checkNegativePrompt(of guidance: Guidance, beside chats: [Chat]) throws(APIError) {
    let prompts =
      guardedPrompts + SafetyEmphasis.presets + [defaultStrategy.parameters.emphasis].compactMap(\.self)
    let systems = chats.flatMap(\.messages).filter { $0.role == .system }.map(\.content)
    let own = (prompts.map(\.text) + systems).reduce(into: Set<String>()) {
      $0.formUnion(Self.sentences(of: $1))
    }
    guard !own.isDisjoint(with: Self.sentences(of: guidance.negativePrompt)) else { return }
    throw .notAllowed(
      "'selfcd.negative_prompt' repeats a sentence of a system prompt or a safety prompt, and guidance would move the "
        + "model away from that. Use other words.", param: "selfcd.negative_prompt",
      code: "negative_prompt_not_allowed")
  }

  /// The sentences of a text as their words alone.
  private static func sentences(of text: String) -> [String] {
    text.lowercased().split { ".!?;:\n".contains($0) }.map { sentence in
      sentence.split { !$0.isLetter && !$0.isNumber }.joined(separator: " ")
    }.filter { !$0.isEmpty }
  }

  private func profile(
    _ name: String, _ wish: SelfCDFields, _ profiles: [ServedProfile]
  ) throws(APIError) -> ServedProfile {
    guard wish.strategy == nil, !wish.hasParameters else {
      throw .invalid(
        "A profile fixes the strategy and its parameters, and '\(wish.profileField)' names one; leave them out.",
        param: wish.profileField)
    }
    guard let profile = profiles.first(where: { $0.name == name }) else {
      let known = profiles.isEmpty ? "It has none" : "It has: " + profiles.map(\.name).joined(separator: ", ")
      throw .notFound(
        "The model has no profile '\(name.prefix(80))'. \(known).", param: wish.profileField,
        code: "profile_not_found")
    }
    return profile
  }

  /// A strategy that is named and nothing more: as the operator decodes with it, as it was calibrated for the model,
  /// or its own defaults within what is allowed.
  ///
  /// - Parameter name: one of the strategies that are known.
  func usual(_ name: String, profiles: [ServedProfile]) -> Decision {
    let isDefault = name == defaultStrategy.name
    if !(isDefault && overridesProfiles), let profile = profiles.first(where: { $0.strategy.name == name }) {
      return Decision(profile)
    }
    guard let base = isDefault ? defaultStrategy : try? StrategyCatalogue.make(name) else {
      return Decision(defaultStrategy)
    }
    var own = base.parameters
    if type(of: base).takes.contains(.emphasis) { own.emphasis = guardedPrompts.first ?? own.emphasis }
    if type(of: base).takes.contains(.emphasisPosition), let emphasisPosition {
      own.emphasisPosition = emphasisPosition
    }
    if !isDefault, let alpha = own.alpha, let range = ranges[.alpha] {
      own.alpha = Float(min(max(Double(alpha), range.lowerBound), range.upperBound))
    }
    return Decision((try? StrategyCatalogue.make(name, own)) ?? base)
  }

  /// The value of a strength at which it changes nothing of what is deployed: α leaves the guarded model, guidance the
  /// chat itself. `nil` for what is no strength.
  public static func identity(of parameter: StrategyParameter) -> Double? {
    switch parameter {
    case .alpha: 0
    case .guidance: 1
    default: nil
    }
  }

  /// What a client may ask for of a strategy's parameter: a strength from where it changes nothing up to what is usual
  /// where the operator gives no range, everything else only in a range that is given. What is usual is always allowed.
  func allowed(_ parameter: StrategyParameter, of strategy: any DecodingStrategy) -> ClosedRange<Double>? {
    guard let usual = strategy.parameters.number(parameter) else { return ranges[parameter] }
    if let range = ranges[parameter] {
      return min(range.lowerBound, usual)...max(range.upperBound, usual)
    }
    guard let identity = Self.identity(of: parameter) else { return usual...usual }
    return min(identity, usual)...max(identity, usual)
  }

  private func check(
    _ parameter: StrategyParameter, _ asked: StrategyParameters, of wish: SelfCDFields,
    usual: any DecodingStrategy
  ) throws(APIError) {
    guard let number = asked.number(parameter) else { return }
    let range = allowed(parameter, of: usual)
    guard range?.contains(number) != true else { return }
    let isOwn = range.map { $0.lowerBound == $0.upperBound } ?? true
    let known =
      range.map { isOwn ? "keeps it at \($0.lowerBound)" : "allows \($0.lowerBound) to \($0.upperBound)" }
      ?? "leaves it to the operator"
    throw .notAllowed(
      "\(wish.title(of: parameter)) is \(number), but this server \(known) for '\(usual.name)'. Its operator can "
        + "allow more (--\(parameter.name.replacing("_", with: "-"))-range).",
      param: wish.field(of: parameter),
      code: "\(parameter)_not_allowed")
  }

  /// A parameter that has no effect would mislead, so it is an error.
  private func rejectUnused(
    _ wish: SelfCDFields, by type: any DecodingStrategy.Type
  ) throws(APIError) {
    var given = wish.parameters.given
    if wish.guardedPrompt != nil { given.append(.emphasis) }
    if wish.negativePrompt != nil { given.append(.negativePrompt) }
    for parameter in given where !type.takes.contains(parameter) {
      throw .invalid(
        "\(wish.title(of: parameter)) has no effect on '\(type.name)'; it goes with "
          + "\(parameter.takers.joined(separator: ", ")).", param: wish.field(of: parameter))
    }
  }

  /// - Returns: `nil` where none is wished for.
  private func emphasis(_ wish: String?) throws(APIError) -> SafetyEmphasis? {
    guard let wish else { return nil }
    if let prompt = guardedPrompts.first(where: { $0.name == wish }) { return prompt }
    guard allowsOwnGuardedPrompt else {
      let known =
        guardedPrompts.isEmpty
        ? "Leave it out" : "Known by name: " + guardedPrompts.map(\.name).joined(separator: ", ")
      throw .notAllowed(
        "This server takes no guarded prompts from clients. \(known). Its operator can name more (--guarded-prompt) or "
          + "take any (--allow-own-guarded-prompt).", param: "selfcd.guarded_prompt",
        code: "guarded_prompt_not_allowed")
    }
    guard wish.contains(where: { !$0.isWhitespace }) else {
      throw .invalid("'selfcd.guarded_prompt' is empty.", param: "selfcd.guarded_prompt")
    }
    return SafetyEmphasis.preset(named: wish) ?? SafetyEmphasis(text: wish)
  }
}
