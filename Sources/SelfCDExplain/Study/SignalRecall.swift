import SelfCD
import SelfCDData
import SelfCDJudges
import SelfCDStatistics

/// Signal-aware recall (arXiv 2011.14934, for code models): of the prompts that are refused, the share whose smallest
/// part that is still refused holds what makes the request what it is, the task and its object, rather than a trigger
/// word alone.
///
/// Aggregates of refusal-preserving shrinking: no prompt that is answered is sought, and none is printed.
public struct SignalRecall: Codable, Sendable, Hashable {
  /// What is shrunk.
  public struct Plan: Codable, Sendable, Hashable {
    /// Under which view.
    public var view: String
    /// What "refused" means.
    public var criterion: RefusalCriterion
    /// The column with the words of the request's object; task words are the set's focus.
    public var objectColumn: String

    /// Makes a plan.
    public init(
      view: String = Guarded.name, criterion: RefusalCriterion = .greedy, objectColumn: String = "object"
    ) {
      self.view = view
      self.criterion = criterion
      self.objectColumn = objectColumn
    }
  }

  /// A prompt with what its set says of it.
  struct Subject: Sendable {
    var sample: Sample
    var label: Sample.Label
    var chat: Chat
    /// The places of the focus words.
    var focus: [Int]
    /// Nil where prompts are not grouped.
    var group: String?
  }

  /// The set: prompts with this label.
  public var set: Sample.Label
  /// The view under which they are refused.
  public var view: String
  /// What "refused" means.
  public var criterion: RefusalCriterion
  /// Refused prompts that were shrunk.
  public var n: Int
  /// The groups they make; nil where prompts are not grouped.
  public var groups: Int?
  /// Those whose trigger holds a focus word, with Wilson's interval, or `GroupedInterval`'s where prompts are grouped.
  public var withTask: BootstrapMean
  /// Those whose trigger is focus words and nothing else, likewise.
  public var taskAlone: BootstrapMean
  /// Refused prompts whose set names an object.
  public var withObjectNamed: Int
  /// Of those, the share whose trigger holds a focus word and a word of the object: the signal-aware recall. Nil without
  /// any.
  public var signalAware: BootstrapMean?
  /// Words of a trigger, on average.
  public var words: Double
  /// Words of the prompts, on average.
  public var promptWords: Double
  /// Prompts that the model was asked about, for each that was shrunk, on average.
  public var prompts: Double
  /// Calls in which they were asked about together, likewise.
  public var calls: Double

  /// Shrinks the refused ones of `subjects` and counts, set by set; and those that could not be asked about.
  static func measure(
    _ subjects: [Subject], plan: Plan, probe: RefusalProbe, judge: any ReplyJudge, maximumTokens: Int,
    progress: @Sendable (Double) -> Void
  ) async throws -> (recalls: [SignalRecall], failures: Int) {
    var found: [Sample.Label: [Shrunk]] = [:]
    var failures = 0
    for (index, subject) in subjects.enumerated() {
      do {
        let trigger = try await MinimalTrigger.find(
          in: subject.chat, view: plan.view, criterion: plan.criterion, probe: probe, judge: judge,
          maximumTokens: maximumTokens)
        found[subject.label, default: []].append(Shrunk(trigger, of: subject, plan))
      } catch let error as ExplanationError {
        guard case .notRefused = error else { throw error }
      } catch let error as GenerationError where error.concernsOnePrompt {
        failures += 1
      }
      progress(Double(index + 1) / Double(subjects.count))
    }
    let recalls = try Sample.Label.allCases.compactMap { set in
      try found[set].map { try SignalRecall($0, set: set, plan: plan) }
    }
    return (recalls, failures)
  }

  /// What is left of one prompt.
  private struct Shrunk {
    let trigger: MinimalTrigger
    let group: String?
    let words: Int
    let hasTask: Bool
    let isTaskAlone: Bool
    /// Nil where the set names no object.
    let hasObject: Bool?

    init(_ trigger: MinimalTrigger, of subject: Subject, _ plan: Plan) {
      self.trigger = trigger
      group = subject.group
      let found = PromptWords(subject.chat.lastQuestion)
      words = found.count
      let focus = Set(subject.focus)
      hasTask = trigger.kept.contains(where: focus.contains)
      isTaskAlone = hasTask && trigger.kept.allSatisfy(focus.contains)
      let object =
        subject.sample.fields[plan.objectColumn].map { FocusWords.indices(of: $0, in: found) } ?? []
      hasObject = object.isEmpty ? nil : trigger.kept.contains(where: Set(object).subtracting(focus).contains)
    }
  }

  /// - Parameter groups: The group of each prompt; empty where prompts are not grouped.
  static func share(_ outcomes: [Bool], groups: [String]) throws -> BootstrapMean {
    let wilson = try WilsonInterval.of(successes: outcomes.count { $0 }, trials: outcomes.count)
    guard !groups.isEmpty else { return BootstrapMean(wilson) }
    if let interval = try GroupedInterval.rate(outcomes, groups: groups) { return BootstrapMean(interval) }
    var alone = BootstrapMean(wilson)
    alone.low = nil
    alone.high = nil
    return alone
  }

  private init(_ shrunk: [Shrunk], set: Sample.Label, plan: Plan) throws {
    self.set = set
    view = plan.view
    criterion = plan.criterion
    n = shrunk.count
    groups = shrunk.first?.group.map { _ in Set(shrunk.map(\.group)).count }
    let count = Double(shrunk.count)
    func share(_ subset: [Shrunk], _ holds: (Shrunk) -> Bool) throws -> BootstrapMean {
      try Self.share(subset.map(holds), groups: subset.compactMap(\.group))
    }
    withTask = try share(shrunk, \.hasTask)
    taskAlone = try share(shrunk, \.isTaskAlone)
    let named = shrunk.filter { $0.hasObject != nil }
    withObjectNamed = named.count
    signalAware = named.isEmpty ? nil : try share(named) { $0.hasTask && $0.hasObject == true }
    words = shrunk.reduce(0) { $0 + Double($1.trigger.kept.count) } / count
    promptWords = shrunk.reduce(0) { $0 + Double($1.words) } / count
    prompts = shrunk.reduce(0) { $0 + Double($1.trigger.prompts) } / count
    calls = shrunk.reduce(0) { $0 + Double($1.trigger.calls) } / count
  }
}

extension GenerationError {
  /// Whether another prompt may do where this one did not.
  var concernsOnePrompt: Bool {
    switch self {
    case .emptyPrompt, .emptyContinuation, .promptTooLong, .noFiniteScore: true
    case .tooManyLanes, .invalidToken, .engineStopped: false
    }
  }
}
