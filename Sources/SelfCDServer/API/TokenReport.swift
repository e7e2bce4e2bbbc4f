import Foundation
import SelfCD

/// Log-probabilities of chat completions: of the combined distribution, behind penalties, before temperature and filters.
struct ChatLogProbabilities: Encodable {
  struct Candidate: Encodable {
    let token: String
    let logprob: Double
    let bytes: [UInt8]
  }

  struct Entry: Encodable {
    let token: String
    let logprob: Double
    let bytes: [UInt8]
    let topLogprobs: [Candidate]
  }

  let content: [Entry]
}

/// Log-probabilities of completions, in the older shape.
struct TextLogProbabilities: Encodable {
  let tokens: [String]
  let tokenLogprobs: [Double]
  let topLogprobs: [[String: Double]]?
  /// Where each token begins in the choice's text, in Unicode scalars.
  let textOffset: [Int]
}

/// What the contrast did at each token of a piece of text; under `selfcd` of a choice.
struct TokenExplanation: Encodable {
  struct Candidate: Encodable {
    let id: TokenID
    let text: String
    let probability: Float
  }

  struct Lane: Encodable {
    /// Natural logarithm of the chosen token's probability in this lane.
    let logprob: Double?
    let candidates: [Candidate]
  }

  struct Token: Encodable {
    let id: TokenID
    let text: String
    let bytes: [UInt8]
    /// Natural logarithm of the token's probability in the combined distribution.
    let logprob: Double
    /// `logprob` minus the guarded lane's: how much the contrast, and a penalty, raised or lowered the token, in nats.
    /// Absent where there is no guarded lane at this token.
    let shift: Double?
    /// Jensen–Shannon divergence of the lanes in nats, 0 … ln 2; absent with one lane.
    let divergence: Double?
    let lanes: [String: Lane]
    let combined: [Candidate]
  }

  let tokens: [Token]
}

/// Turns generated tokens into what clients asked to be told about them.
struct TokenReporter: Sendable {
  let vocabulary: any Vocabulary
  /// Candidates per token; `nil` reports no log-probabilities.
  let logProbabilities: Int?
  /// Candidates per lane and token; 0 explains nothing.
  let explained: Int

  /// Candidates the engine has to record at each step.
  var traceCandidates: Int {
    max(explained, logProbabilities.map { max($0, 1) } ?? 0)
  }

  /// Log-probabilities that one token may give away.
  ///
  /// The chosen token's own counts beside the candidates: in the combined distribution, and where tokens are explained
  /// in each lane, too.
  func reported(lanes: Int) -> Int {
    (logProbabilities.map { $0 + 1 } ?? 0) + (explained > 0 ? (explained + 1) * (lanes + 1) : 0)
  }

  /// JSON has no −∞; this is what OpenAI's servers write for it.
  private static let least = -9999.0

  private func finite(_ value: Double) -> Double { value.isFinite ? value : Self.least }

  private func text(of token: TokenID) -> String {
    String(decoding: vocabulary.bytes(of: token), as: UTF8.self)
  }

  func chat(_ tokens: [GeneratedToken]) -> ChatLogProbabilities? {
    guard let count = logProbabilities else { return nil }
    return ChatLogProbabilities(
      content: tokens.compactMap { token in
        guard let trace = token.trace else { return nil }
        return ChatLogProbabilities.Entry(
          token: token.text, logprob: finite(trace.logProbability), bytes: token.bytes,
          topLogprobs: trace.combined.prefix(count).map {
            ChatLogProbabilities.Candidate(
              token: text(of: $0.token), logprob: finite($0.logProbability),
              bytes: vocabulary.bytes(of: $0.token))
          })
      })
  }

  /// - Parameter offset: where the first token begins in the text.
  func text(_ tokens: [GeneratedToken], offset: Int) -> TextLogProbabilities? {
    guard let count = logProbabilities else { return nil }
    var offsets: [Int] = []
    var position = offset
    for token in tokens {
      offsets.append(position)
      position += token.scalarsBegun
    }
    return TextLogProbabilities(
      tokens: tokens.map(\.text),
      tokenLogprobs: tokens.map { finite($0.trace?.logProbability ?? -.infinity) },
      topLogprobs: count == 0
        ? nil
        : tokens.map { candidates(of: $0, count) }, textOffset: offsets)
  }

  /// The candidates by their texts. Where several have the same, parts of a character above all, the chosen one's number
  /// stands: clients look it up to see whether the best token was chosen.
  private func candidates(of token: GeneratedToken, _ count: Int) -> [String: Double] {
    let listed = token.trace?.combined.prefix(count) ?? []
    let chosen = listed.filter { $0.token == token.id }
    return Dictionary(
      (chosen + listed).map { (text(of: $0.token), finite($0.logProbability)) }
    ) { first, _ in first }
  }

  func explanation(_ tokens: [GeneratedToken]) -> TokenExplanation? {
    guard explained > 0, !tokens.isEmpty else { return nil }
    return TokenExplanation(
      tokens: tokens.compactMap { token in
        guard let trace = token.trace else { return nil }
        let logProbability = finite(trace.logProbability)
        let guarded = token.lanes?.logProbabilities[.guarded]
        return TokenExplanation.Token(
          id: token.id, text: token.text, bytes: token.bytes, logprob: logProbability,
          shift: guarded.map { logProbability - finite($0) }, divergence: token.lanes?.divergence,
          lanes: Dictionary(
            trace.lanes.map { role, candidates in
              (
                role.rawValue,
                TokenExplanation.Lane(
                  logprob: token.lanes?.logProbabilities[role].map(finite), candidates: named(candidates))
              )
            }
          ) { first, _ in first },
          combined: named(trace.combined))
      })
  }

  private func named(_ candidates: [Candidate]) -> [TokenExplanation.Candidate] {
    candidates.prefix(explained).map {
      TokenExplanation.Candidate(id: $0.token, text: text(of: $0.token), probability: $0.probability)
    }
  }
}

extension GeneratedToken {
  /// Unicode scalars that begin in it: a character may be split across tokens.
  var scalarsBegun: Int { bytes.count { $0 & 0b1100_0000 != 0b1000_0000 } }
}
