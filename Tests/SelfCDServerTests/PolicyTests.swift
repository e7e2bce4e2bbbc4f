import SelfCD
import Testing

@testable import SelfCDServer

@Suite("Policy")
struct PolicyTests {
  static let profile = ServedProfile(
    name: "careful", strategy: SelfContrastive(alpha: 1.5, steps: 4), summary: "s", isCalibrated: true)

  static func wish(_ change: (inout SelfCDFields) -> Void) -> SelfCDFields {
    var fields = SelfCDFields()
    change(&fields)
    return fields
  }

  @Test("profiles are the default, then the operator's strategy, then what the deployment does by itself")
  func defaults() throws {
    #expect(try ServerPolicy().decide(SelfCDFields(), profiles: []).strategy.name == "plain")
    let guarded = try ServerPolicy(guardedPrompts: [.strict, .brief]).decide(SelfCDFields(), profiles: [])
    #expect(guarded.strategy as? Guarded == Guarded(emphasis: .strict) && !guarded.isCalibrated)
    let policy = ServerPolicy(defaultStrategy: SelfContrastive(alpha: 2))
    let own = try policy.decide(SelfCDFields(), profiles: []).strategy as? SelfContrastive
    #expect(own == SelfContrastive(alpha: 2))
    let decision = try policy.decide(SelfCDFields(), profiles: [Self.profile])
    #expect(decision.profile == "careful" && decision.isCalibrated)
    #expect(decision.strategy as? SelfContrastive == SelfContrastive(alpha: 1.5, steps: 4))
  }

  @Test("a profile that fell back to its reference is not calibrated, whoever asks for it")
  func fallback() throws {
    for reference in [Plain(), Guarded()] as [any DecodingStrategy] {
      let profile = ServedProfile(name: "kept", strategy: reference, summary: "s", isCalibrated: false)
      for wish in [
        Self.wish { _ in }, Self.wish { $0.profile = "kept" }, Self.wish { $0.strategy = reference.name },
      ] {
        let decision = try ServerPolicy().decide(wish, profiles: [profile])
        #expect(
          decision.profile == "kept" && !decision.isCalibrated && decision.strategy.name == reference.name)
      }
    }
  }

  /// Plain decoding is the default without a profile; with one it would undo what the profile promises.
  @Test("the default is not offered beside a profile")
  func offered() throws {
    let policy = ServerPolicy()
    #expect(policy.offered(profiles: []) == ["plain", "guarded"])
    #expect(policy.offered(profiles: [Self.profile]) == ["guarded"])
    let error = #expect(throws: APIError.self) {
      try policy.decide(Self.wish { $0.strategy = "plain" }, profiles: [Self.profile])
    }
    #expect(error?.code == "strategy_not_allowed")
    let kept = ServedProfile(name: "kept", strategy: Plain(), summary: "s", isCalibrated: false)
    #expect(policy.offered(profiles: [kept]) == ["plain", "guarded"])
    let own = ServerPolicy(defaultStrategy: SelfContrastive(alpha: 2), overridesProfiles: true)
    #expect(own.offered(profiles: [Self.profile]) == ["guarded", "self-cd"])
    #expect(ServerPolicy(guardedPrompts: [.strict]).offered(profiles: []) == ["guarded"])
  }

  @Test("α stays within the operator's range")
  func alpha() throws {
    let policy = ServerPolicy(strategies: ["self-cd"], ranges: [.alpha: -1...2])
    for alpha in [Float(-1), 0, 2] {
      let decision = try policy.decide(
        Self.wish {
          $0.strategy = "self-cd"
          $0.parameters.alpha = alpha
        }, profiles: [])
      #expect((decision.strategy as? SelfContrastive)?.alpha == alpha)
    }
    for alpha in [Float(-1.1), 2.01, 100] {
      let error = #expect(throws: APIError.self) {
        try policy.decide(
          Self.wish {
            $0.strategy = "self-cd"
            $0.parameters.alpha = alpha
          }, profiles: [])
      }
      #expect(error?.code == "alpha_not_allowed" && error?.status == .forbidden)
    }
    // The paper's 2.5 lies outside, so that nobody gets it by naming the strategy alone.
    let decision = try policy.decide(Self.wish { $0.strategy = "self-cd" }, profiles: [])
    #expect((decision.strategy as? SelfContrastive)?.alpha == 2)
  }

  /// β = 1 leaves the plain lane's best token alone, and one step contrasts nothing behind the first token.
  @Test("β and steps stay the operator's unless ranges are given")
  func betaAndSteps() throws {
    var policy = ServerPolicy(defaultStrategy: SelfContrastive(alpha: 0.5, beta: 0.1))
    let wishes: [(String, SelfCDFields)] = [
      ("beta_not_allowed", Self.wish { $0.parameters.beta = 1 }),
      ("steps_not_allowed", Self.wish { $0.parameters.steps = 1 }),
    ]
    for (code, wish) in wishes {
      let error = #expect(throws: APIError.self) { try policy.decide(wish, profiles: []) }
      #expect(error?.code == code && error?.status == .forbidden)
    }
    let own =
      try policy.decide(Self.wish { $0.parameters.alpha = 0.4 }, profiles: []).strategy as? SelfContrastive
    #expect(own == SelfContrastive(alpha: 0.4, beta: 0.1))
    policy.ranges[.beta] = 0...1
    policy.ranges[.steps] = 1...20
    for (_, wish) in wishes { _ = try policy.decide(wish, profiles: []) }
    let over = #expect(throws: APIError.self) {
      try policy.decide(Self.wish { $0.parameters.steps = 21 }, profiles: [])
    }
    #expect(over?.code == "steps_not_allowed")
  }

  @Test("the operator's strategy goes before a profile, and a profile is not bent")
  func profileOrStrategy() throws {
    let policy = ServerPolicy(strategies: ["probe-cd"], overridesProfiles: true)
    #expect(try policy.decide(SelfCDFields(), profiles: [Self.profile]).strategy.name == "plain")
    let bent = #expect(throws: APIError.self) {
      try ServerPolicy(strategies: ["self-cd"]).decide(
        Self.wish { $0.parameters.alpha = 1 }, profiles: [Self.profile])
    }
    #expect(bent?.status == .badRequest && bent?.code == "profile_is_fixed")
    let probed = try policy.decide(Self.wish { $0.strategy = "probe-cd" }, profiles: [])
    #expect(probed.strategy as? ProbedContrast == ProbedContrast())
  }

  @Test("guarded prompts are the operator's")
  func guardedPrompts() throws {
    var policy = ServerPolicy(guardedPrompts: [.strict, .brief])
    func emphasis(_ name: String?) throws -> String? {
      (try policy.decide(
        Self.wish {
          $0.strategy = "guarded"
          $0.guardedPrompt = name
        }, profiles: []
      ).strategy
        as? Guarded)?.emphasis.name
    }
    #expect(try emphasis(nil) == "strict")
    #expect(try emphasis("brief") == "brief")
    #expect(throws: APIError.self) { try emphasis("paper") }
    #expect(throws: APIError.self) { try emphasis("Say yes to everything.") }
    policy.allowsOwnGuardedPrompt = true
    #expect(try emphasis("Say yes to everything.") == "custom")
    #expect(throws: APIError.self) { try emphasis("  ") }
  }

  @Test("where guarded prompts stand is the operator's, for whatever strategy and prompt")
  func emphasisPosition() throws {
    var policy = ServerPolicy(
      strategies: ["self-cd", "plain"], guardedPrompts: [.strict, .brief], emphasisPosition: .afterSystem,
      allowsOwnGuardedPrompt: true)
    #expect(
      try policy.decide(SelfCDFields(), profiles: []).strategy as? Guarded
        == Guarded(emphasis: .strict.placed(.afterSystem)))
    func emphasis(_ strategy: String, _ prompt: String? = nil, _ profiles: [ServedProfile] = []) throws
      -> SafetyEmphasis?
    {
      try policy.decide(
        Self.wish {
          $0.strategy = strategy
          $0.guardedPrompt = prompt
        }, profiles: profiles
      ).strategy.parameters.emphasis
    }
    #expect(try emphasis("self-cd") == SafetyEmphasis.strict.placed(.afterSystem))
    #expect(try emphasis("guarded", "brief") == SafetyEmphasis.brief.placed(.afterSystem))
    #expect(try emphasis("self-cd", "Say no.") == SafetyEmphasis(text: "Say no.", position: .afterSystem))
    #expect(try emphasis("plain") == nil)
    // A client's prompt stands where a profile has it.
    policy = ServerPolicy(strategies: ["self-cd"], allowsOwnGuardedPrompt: true)
    let profile = ServedProfile(
      name: "p", strategy: SelfContrastive(alpha: 1.5, emphasis: .paper.placed(.lastTurn)), summary: "s",
      isCalibrated: true)
    #expect(
      try emphasis("self-cd", "Say no.", [profile]) == SafetyEmphasis(text: "Say no.", position: .lastTurn))
    #expect(try emphasis("self-cd", "Say no.") == SafetyEmphasis(text: "Say no."))
  }

  @Test("clients cannot say where a guarded prompt stands")
  func positionOfClients() {
    let body = RequestTests.base.setting("selfcd", ["strategy": "guarded", "emphasis_position": "last-turn"])
    let error = #expect(throws: FieldError.self) { try RequestTests.parse(body) }
    #expect(error?.field == "selfcd.emphasis_position" && error?.isUnsupported == true)
  }

  @Test("agreement_stop stays the operator's unless a range is given")
  func agreementStop() throws {
    var policy = ServerPolicy(strategies: ["self-cd"])
    let wish = Self.wish {
      $0.strategy = "self-cd"
      $0.parameters[.agreementStop] = .integer(4)
    }
    let error = #expect(throws: APIError.self) { try policy.decide(wish, profiles: []) }
    #expect(error?.code == "agreement_stop_not_allowed" && error?.status == .forbidden)
    policy.ranges[.agreementStop] = 2...8
    let decision = try policy.decide(wish, profiles: [])
    #expect((decision.strategy as? SelfContrastive)?.agreementStop == 4)
  }

  @Test("a parameter without effect is an error")
  func unused() {
    let policy = ServerPolicy(strategies: ["plain", "self-cd"])
    let wishes: [SelfCDFields] = [
      Self.wish {
        $0.strategy = "plain"
        $0.parameters.alpha = 1
      },
      Self.wish {
        $0.strategy = "guarded"
        $0.parameters.steps = 3
      },
      Self.wish { $0.parameters.alpha = 1 },
      Self.wish {
        $0.profile = "careful"
        $0.parameters.alpha = 1
      },
      Self.wish { $0.strategy = "icl" },
      Self.wish {
        $0.strategy = "self-cd"
        $0.parameters.beta = 7
      },
    ]
    for wish in wishes {
      let error = #expect(throws: APIError.self) {
        try policy.decide(wish, profiles: [Self.profile].filter { _ in wish.profile != nil })
      }
      #expect(error?.status == .badRequest)
    }
    let missing = #expect(throws: APIError.self) {
      try policy.decide(Self.wish { $0.profile = "bold" }, profiles: [Self.profile])
    }
    #expect(missing?.status == .notFound)
  }

  /// A calibrated setting is what its strategy is on this model, so that an alias does not bring the paper's α back.
  @Test("a strategy named alone is the profile's where one decodes by it")
  func namedAlone() throws {
    let policy = ServerPolicy(strategies: ["self-cd", "ada-cd"])
    func decide(_ strategy: String, _ alpha: Float? = nil) throws -> Decision {
      try policy.decide(
        Self.wish {
          $0.strategy = strategy
          $0.parameters.alpha = alpha
        }, profiles: [Self.profile])
    }
    let named = try decide("self-cd")
    #expect(
      named.profile == "careful"
        && named.strategy as? SelfContrastive == SelfContrastive(alpha: 1.5, steps: 4))
    let weaker = try decide("self-cd", 1)
    #expect(
      weaker.profile == nil && weaker.strategy as? SelfContrastive == SelfContrastive(alpha: 1, steps: 4))
    let beyond = #expect(throws: APIError.self) { try decide("self-cd", 1.6) }
    #expect(beyond?.code == "alpha_not_allowed")
    #expect(try decide("ada-cd").strategy as? AdaCD == AdaCD())
    let own = ServerPolicy(defaultStrategy: SelfContrastive(alpha: 2), overridesProfiles: true)
    let overridden = try own.decide(Self.wish { $0.strategy = "self-cd" }, profiles: [Self.profile])
    #expect(overridden.strategy as? SelfContrastive == SelfContrastive(alpha: 2))
  }

  @Test("what gates a strategy stays the operator's unless a range is given")
  func gates() throws {
    var policy = ServerPolicy(strategies: ["probe-cd", "ada-cd", "self-cd"])
    func wish(_ strategy: String, _ parameters: StrategyParameters) -> SelfCDFields {
      Self.wish {
        $0.strategy = strategy
        $0.parameters = parameters
      }
    }
    let wishes: [(StrategyParameter, StrategyParameters)] = [
      (.agreement, .init([.agreement: .number(0.5)])), (.doubt, .init([.doubt: .number(0.2)])),
      (.probes, .init([.probes: .integer(2)])),
    ]
    for (parameter, given) in wishes {
      let refused = #expect(throws: APIError.self) {
        try policy.decide(wish("probe-cd", given), profiles: [])
      }
      #expect(refused?.code == "\(parameter)_not_allowed" && refused?.status == .forbidden)
      let unused = #expect(throws: APIError.self) { try policy.decide(wish("self-cd", given), profiles: []) }
      #expect(unused?.status == .badRequest && unused?.param == "selfcd.\(parameter)")
    }
    // What is usual may be said, in decimals.
    let usual = try policy.decide(
      wish("ada-cd", .init([.beta: .number(0.01), .agreement: .number(0.9)])), profiles: [])
    #expect(usual.strategy as? AdaCD == AdaCD())
    policy.ranges = [.agreement: 0.5...0.9, .doubt: 0.1...0.5, .probes: 0...6]
    var expected = ProbedContrast()
    expected.probes = 2
    let made = try policy.decide(wish("probe-cd", .init([.probes: .integer(2)])), profiles: [])
    #expect(made.strategy as? ProbedContrast == expected)
    let over = #expect(throws: APIError.self) {
      try policy.decide(wish("ada-cd", .init([.agreement: .number(0.91)])), profiles: [])
    }
    #expect(over?.code == "agreement_not_allowed")
  }

  @Test("clients may write strategies in any way", arguments: ["selfcd", "SelfCD", "self_cd", "Self-CD"])
  func strategyNamesForgive(written: String) throws {
    let policy = ServerPolicy(strategies: ["self-cd"])
    let decision = try policy.decide(Self.wish { $0.strategy = written }, profiles: [])
    #expect(decision.strategy.name == "self-cd")
    let alias = try ModelAlias(parsing: "organism:\(written)", models: ["organism"])
    let wish = try alias.applied(to: SelfCDFields(), profiles: [])
    #expect(try policy.decide(wish, profiles: []).strategy.name == "self-cd")
    // How it is written opens no door.
    #expect(throws: APIError.self) {
      try ServerPolicy().decide(Self.wish { $0.strategy = written }, profiles: [])
    }
  }

  @Test("errors name the field that asks for what is wrong, be it under selfcd or the model's name")
  func fieldsAtFault() throws {
    let policy = ServerPolicy(strategies: ["plain", "self-cd"], ranges: [.alpha: 0...2])
    func error(_ model: String, _ fields: SelfCDFields = SelfCDFields()) throws -> APIError {
      let error = #expect(throws: APIError.self) {
        let alias = try ModelAlias(parsing: model, models: ["organism"])
        return try policy.decide(
          try alias.applied(to: fields, profiles: [Self.profile]), profiles: [Self.profile])
      }
      return try #require(error)
    }
    for suffix in ["wibble", "ada-cd", "self-cd@9", "plain@1", "careful@1"] {
      #expect(try error("organism:\(suffix)").param == "model", "\(suffix)")
    }
    #expect(try error("organism:self-cd@9").message.hasPrefix("The alpha in the model's name is 9.0, but"))
    #expect(try error("organism:self-cd", Self.wish { $0.parameters.steps = 3 }).param == "selfcd.steps")
    let wishes: [(String, SelfCDFields)] = [
      ("selfcd.strategy", Self.wish { $0.strategy = "wibble" }),
      ("selfcd.strategy", Self.wish { $0.strategy = "ada-cd" }),
      ("selfcd.profile", Self.wish { $0.profile = "bold" }),
      (
        "selfcd.alpha",
        Self.wish {
          $0.strategy = "self-cd"
          $0.parameters.alpha = 9
        }
      ),
      (
        "selfcd.alpha",
        Self.wish {
          $0.strategy = "plain"
          $0.parameters.alpha = 1
        }
      ),
    ]
    for (param, wish) in wishes { #expect(try error("organism", wish).param == param) }
  }

  @Test("aliases name a model, a strategy and α")
  func aliases() throws {
    let models = ["organism", "a:b"]
    func parse(_ text: String) throws -> ModelAlias { try ModelAlias(parsing: text, models: models) }
    let alias = try parse("organism:self-cd@2.0")
    #expect(alias.model == "organism" && alias.suffix == "self-cd" && alias.alpha == 2)
    #expect(try parse("organism").suffix == nil)
    #expect(try parse("a:b").model == "a:b")
    #expect(try parse("a:b:plain").suffix == "plain")
    for text in [
      "", "gpt", "organism:", "organism:self-cd@", "organism:self-cd@x", "organism:self-cd@nan", "a",
    ] {
      #expect(throws: APIError.self) { try parse(text) }
    }
    let applied = try parse("organism:careful").applied(to: SelfCDFields(), profiles: [Self.profile])
    #expect(applied.profile == "careful")
    #expect(throws: APIError.self) {
      try alias.applied(to: Self.wish { $0.parameters.alpha = 1 }, profiles: [])
    }
    #expect(throws: APIError.self) {
      try alias.applied(to: Self.wish { $0.strategy = "plain" }, profiles: [])
    }
  }
}
