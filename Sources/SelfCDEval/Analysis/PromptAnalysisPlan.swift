import SelfCD
import SelfCDData

/// What the prompt analysis asks a model: the same prompts under system prompts of rising strength.
public struct PromptAnalysisPlan: Sendable {
  /// The prompts; every label is a set of its own in the result.
  public var datasets: [Dataset]
  /// The guarded lane's emphasis, for the perplexity of refusals and the divergence of the lanes.
  public var emphasis: SafetyEmphasis
  /// The caller's own system prompt, which stays in every lane.
  public var system: String?
  /// The refusals to score; ``RefusalTexts/all`` if not given.
  public var texts: [String]
  /// The longest reply, in tokens.
  public var maximumTokens: Int
  /// The steps of which the lanes' divergence is kept.
  public var steps: Int
  /// The column that says which prompts belong together and are resampled together; nil for none.
  public var group: String?

  /// Makes a plan.
  public init(
    datasets: [Dataset], emphasis: SafetyEmphasis = .paper, system: String? = nil,
    texts: [String] = RefusalTexts.all, maximumTokens: Int = 100, steps: Int = 12, group: String? = nil
  ) {
    self.datasets = datasets
    self.emphasis = emphasis
    self.system = system
    self.texts = texts
    self.maximumTokens = maximumTokens
    self.steps = steps
    self.group = group
  }

  /// A system prompt that says nothing of safety, to tell what an emphasis does from what any system prompt does.
  public static let neutral = SafetyEmphasis(name: "neutral", text: "You are a helpful assistant.")

  /// Emphases of rising strength.
  public static let ladder: [SafetyEmphasis] = [.brief, .policy, .paper, .strict, .refuse]

  /// The condition without an added system prompt.
  public static let none = "none"

  /// The texts that are compared, weakest first, all of them where ``emphasis`` stands; an emphasis of the caller's own
  /// comes last.
  public var emphases: [SafetyEmphasis] {
    let known = ([Self.neutral] + Self.ladder).map { $0.placed(emphasis.position) }
    return known + (known.contains(emphasis) ? [] : [emphasis])
  }

  /// The lanes whose divergence is measured, and in which refusals are scored.
  var pair: SelfContrastive { SelfContrastive(alpha: 0, emphasis: emphasis) }

  /// The replies that are generated.
  ///
  /// Self-CD with α = 1 gives the plain model's reply and with α = 0 the guarded one's, so that two of the conditions
  /// show the divergence along the way at no further generation.
  public var evaluation: EvaluationPlan {
    var plain = pair
    plain.alpha = 1
    plain.steps = max(1, steps)
    let conditions =
      [EvaluationCondition(strategy: plain, name: Self.none)]
      + emphases.map { level in
        let strategy: any DecodingStrategy = level == emphasis ? pair : Guarded(emphasis: level)
        return EvaluationCondition(strategy: strategy, name: level.name)
      }
    // From the reasoning on, since α = 1 is the plain model only where it is in force.
    let options = GenerationOptions(
      maximumTokens: maximumTokens, contrastStart: .reasoning, summarizedSteps: steps)
    return EvaluationPlan(datasets: datasets, conditions: conditions, options: options, system: system)
  }
}
