import SelfCD
import SelfCDData

/// What an evaluation generates: every sample under every condition, some number of times.
public struct EvaluationPlan: Sendable {
  /// The sets of prompts, each with a name of its own.
  public var datasets: [Dataset]
  /// The ways of decoding, each once.
  public var conditions: [EvaluationCondition]
  /// How long to generate and how to draw; the seed is the run's, from which every generation's own is derived.
  public var options: GenerationOptions
  /// A system prompt for samples that have none of their own; it stays in every lane.
  public var system: String?
  /// How often each sample is answered under each condition. More than once makes sense for sampling only.
  public var repetitions: Int

  /// Makes a plan.
  public init(
    datasets: [Dataset], conditions: [EvaluationCondition], options: GenerationOptions = .init(),
    system: String? = nil, repetitions: Int = 1
  ) {
    self.datasets = datasets
    self.conditions = conditions
    self.options = options
    self.system = system
    self.repetitions = repetitions
  }

  /// Replies that a complete run has.
  public var planned: Int {
    datasets.reduce(0) { $0 + $1.samples.count } * conditions.count * repetitions
  }

  /// Checks the plan before any model work is spent.
  /// - Throws: `EvaluationError`, or `StrategyError` for a parameter.
  public func validate() throws {
    guard datasets.contains(where: { !$0.samples.isEmpty }) else { throw EvaluationError.noSamples }
    guard !conditions.isEmpty else { throw EvaluationError.noConditions }
    guard repetitions >= 1 else { throw EvaluationError.repetitions(repetitions) }
    if let name = Self.repeated(datasets.map(\.name)) {
      throw EvaluationError.repeated(what: "data set", name)
    }
    if let id = Self.repeated(conditions.map(\.id)) { throw EvaluationError.repeated(what: "condition", id) }
    for condition in conditions { try condition.strategy.validate() }
    try options.validate()
  }

  /// The conversation that a sample puts to the model.
  public func chat(for sample: Sample) -> Chat {
    let chat = Chat(messages: sample.turns.map { ChatMessage(role: Self.role($0.role), content: $0.content) })
    guard let system, chat.systemPrompt == nil else { return chat }
    return chat.replacingSystemPrompt(with: system)
  }

  /// Lanes that one sample occupies when all its replies are generated at once.
  public var lanesPerSample: Int { repetitions * lanesOfConditions.reduce(0, +) }

  /// Lanes of the condition that has most: the engine needs as many.
  public var widestCondition: Int { lanesOfConditions.max() ?? 1 }

  private var lanesOfConditions: [Int] {
    let chat = Chat(question: "?", system: system)
    return conditions.map { $0.strategy.lanesToStart(for: chat) }
  }

  private static func role(_ role: Sample.Turn.Role) -> ChatRole {
    switch role {
    case .system: .system
    case .user: .user
    case .assistant: .assistant
    }
  }

  private static func repeated(_ names: [String]) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0).inserted }
  }
}

/// Why an evaluation cannot be run. Each case says what, why and what to try.
public enum EvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No data set has a sample.
  case noSamples
  /// Nothing to compare.
  case noConditions
  /// Fewer than one repetition.
  case repetitions(Int)
  /// A name that has to be unique is not.
  case repeated(what: String, String)
  /// The engine has too few lanes for a strategy.
  case tooFewLanes(needed: Int, available: Int)

  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .noSamples: "There are no prompts to evaluate on. Check the files, their labels and --limit."
    case .noConditions: "There are no strategies to compare. Name at least one."
    case .repetitions(let count): "The number of repetitions is \(count), but it must be 1 or more."
    case .repeated(let what, let name):
      "The \(what) '\(name)' is there twice. Leave one out, or give it another name."
    case .tooFewLanes(let needed, let available):
      "A strategy needs \(needed) lanes at a time, but there are \(available). Allow more lanes or more memory."
    }
  }
}
