import Foundation
import SelfCDSupport

/// Why a verdict could not be had. Each case says what, why and what to try.
public enum JudgeError: Error, Equatable, Codable, Sendable {
  /// No judge of the catalogue has the name asked for.
  case unknownJudge(name: String, known: [String])
  /// A model's answer names no class, or several.
  case unreadableAnswer(String)
  /// A reply is in a language that the judge has no words of, so that it has no verdict.
  case unknownLanguage(judge: String, language: String)
  /// The allowance of calls or tokens is used up.
  case budgetExhausted(calls: Int, tokens: Int)
  /// The endpoint still failed after all attempts.
  case endpoint(attempts: Int, detail: String)
  /// A setting that cannot work.
  case invalidSetting(name: String, value: String, allowed: String)
  /// A file of replies without a column that is needed.
  case missingColumn(String, file: String, present: [String])
  /// A file of which no column is known to hold replies.
  case noReplyColumn(file: String, present: [String], known: [String])
  /// A judge's own files do not fit together.
  case brokenRules(judge: String, reason: String)
  /// Nothing to measure agreement on.
  case noReplies
}

extension JudgeError: LocalizedError, CustomStringConvertible {
  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .unknownJudge(let name, let known):
      "There is no judge '\(name)'. Known: \(known.joined(separator: ", "))."
    case .unreadableAnswer(let answer):
      "The judging model's answer names no single class: '\(answer.prefix(120))'. Try a more capable model."
    case .unknownLanguage(let judge, let language):
      "The reply is written in \(language), and the judge '\(judge)' knows no words of it, so it has no verdict. "
        + "Have it judged by a model (--judge llm or local-model) or by a person."
    case .budgetExhausted(let calls, let tokens):
      "The judge's budget is used up after \(NumberFormat.counted(calls, "call")) and "
        + "\(NumberFormat.counted(tokens, "token")). Raise it; verdicts so far are kept."
    case .endpoint(let attempts, let detail):
      "The judging endpoint failed \(NumberFormat.counted(attempts, "time")): \(detail). "
        + "Check its address, key and load."
    case .invalidSetting(let name, let value, let allowed):
      "\(name) is \(value), but has to be \(allowed)."
    case .missingColumn(let column, let file, let present):
      "\(file) has no column '\(column)'; it has \(present.joined(separator: ", ")). Name the one that is meant, "
        + "or rename it."
    case .noReplyColumn(let file, let present, let known):
      "\(file) has no column that is known to hold replies (\(known.joined(separator: ", "))); it has "
        + "\(present.joined(separator: ", ")). Name the one that does, or rename it."
    case .brokenRules(let judge, let reason):
      "The rules of the judge '\(judge)' cannot be used: \(reason). Build again from an unaltered source; after "
        + "changing the lexicon, train the weights anew."
    case .noReplies:
      "No reply has a human label, so there is nothing to compare with. Check the file and its columns."
    }
  }

  /// The same text as `description`, for code that shows `localizedDescription`.
  public var errorDescription: String? { description }
}
