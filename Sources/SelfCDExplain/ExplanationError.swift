import SelfCDData

/// Why something cannot be explained. Each case says what, why and what to try.
public enum ExplanationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No judged reply refuses, so there is nothing to learn how refusals begin.
  case noRefusals(replies: Int)
  /// Every judged reply refuses, so nothing tells refusals from answers.
  case onlyRefusals(replies: Int)
  /// The prompt has no words.
  case noWords
  /// None of the prompts names a focus word that it contains beside other words.
  case noFocus(prompts: Int)
  /// The prompt is not refused, so there is no trigger to look for.
  case notRefused(score: Double)
  /// A search for an answer was asked for on a prompt that is not labelled safe.
  case notLabelledSafe(Sample.Label?)
  /// No view of that name is explained.
  case unknownView(String, known: [String])
  /// The strategy decides on copies of the question too, which are no part of an explanation.
  case readsCopies(strategy: String)
  /// The system prompt has fewer than two sentences, so that none can be left out beside others.
  case tooFewSentences(Int)
  /// No harmless prompt could be measured.
  case noHarmlessPrompts(given: Int)
  /// A number is outside what makes sense.
  case outOfRange(what: String, value: String, allowed: String)

  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .noRefusals(let replies):
      "None of \(replies) replies refuses, so it cannot be learned how this model's refusals begin. Learn from "
        + "harmful prompts, or from a stored run that has refusals (--run)."
    case .onlyRefusals(let replies):
      "All of \(replies) replies refuse, so nothing tells this model's refusals from its answers. Learn from harmless "
        + "prompts too, or from a stored run that has answers (--run)."
    case .noWords: "The prompt has no words that could be explained. Give one that has."
    case .noFocus(let prompts):
      "None of the \(prompts) prompts names a focus word that it contains beside other words, so there is nothing to compare. "
        + "Files name it in a column 'focus', as XSTest does, or give one that does."
    case .notRefused(let score):
      "The prompt is not refused (score \((score * 100).rounded() / 100)), so nothing in it triggers a refusal. Take another view or prompt."
    case .notLabelledSafe(let label):
      "The prompt is labelled \(label?.rawValue ?? "nothing"), and edits that turn a refusal into an answer are only "
        + "searched for prompts labelled safe (docs/safety.md). Say --label safe if it is harmless."
    case .unknownView(let name, let known):
      "There is no view '\(name)'. There are \(known.joined(separator: ", "))."
    case .readsCopies(let strategy):
      "'\(strategy)' decides on shortened copies of the question too, which are not explained. Give --probes 0 to explain "
        + "what the question itself does."
    case .tooFewSentences(let count):
      "The system prompt has \(count == 0 ? "no sentences" : "one sentence"), so none can be left out beside others. "
        + "Give one that has two or more; what a single sentence does, 'selfcd eval' says with and without --system."
    case .noHarmlessPrompts(let given):
      given == 0
        ? "There are no harmless prompts, so it cannot be said what raises their refusals. Give some that should be "
          + "answered (--safe or --neutral)."
        : "None of the \(given) harmless prompts could be measured: they are too long, or have a system prompt of "
          + "their own. Give shorter ones without a system message."
    case .outOfRange(let what, let value, let allowed): "\(what) is \(value), but has to be \(allowed)."
    }
  }
}
