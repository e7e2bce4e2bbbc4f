import Foundation
import Synchronization

/// Counts what each client asks for, in token buckets that fill up over a minute.
///
/// The worst case of a request is taken out before it starts and what it did not use is put back, so that
/// requests side by side cannot exceed a limit together.
final class ClientMeter: Sendable {
  private struct Bucket {
    var level: Double
    var updated: Double
  }

  fileprivate enum Kind: Hashable { case requests, tokens, logProbabilities }

  private struct Slot: Hashable {
    let client: String
    let kind: Kind
  }

  private let buckets = Mutex<[Slot: Bucket]>([:])
  private let now: @Sendable () -> Double

  /// - Parameter now: seconds of a clock that never goes back.
  init(now: @escaping @Sendable () -> Double = { ProcessInfo.processInfo.systemUptime }) {
    self.now = now
  }

  /// Counts one request.
  ///
  /// - Throws: ``APIError`` (429).
  func countRequest(of client: Client) throws(APIError) {
    try take(1, .requests, client, limit: client.limits.requestsPerMinute, "requests", "fewer of them")
  }

  /// Takes out the most that a request can use.
  ///
  /// - Throws: ``APIError`` (429 until there is enough; 400 for more than a full minute allows).
  func reserve(tokens: Int, logProbabilities: Int, for client: Client) throws(APIError) -> Reservation {
    try take(
      tokens, .tokens, client, limit: client.limits.tokensPerMinute, "tokens", "a smaller 'max_tokens'")
    do {
      try take(
        logProbabilities, .logProbabilities, client, limit: client.limits.logProbabilitiesPerMinute,
        "log-probabilities", "fewer of them, or a smaller 'max_tokens'")
    } catch {
      put(tokens, .tokens, client, limit: client.limits.tokensPerMinute)
      throw error
    }
    return Reservation(meter: self, client: client, tokens: tokens, logProbabilities: logProbabilities)
  }

  /// Takes out what a request used, even where it is more than there is left: it is known only afterwards, and whoever
  /// overdraws waits the longer. Who comes is turned away by ``checkTokens(of:)`` before the work is done, never after it:
  /// what many had done at once would be free.
  func charge(tokens: Int, for client: Client) {
    put(-tokens, .tokens, client, limit: client.limits.tokensPerMinute)
  }

  /// - Throws: ``APIError`` (429) where a client has no tokens left.
  func checkTokens(of client: Client) throws(APIError) {
    try take(1, .tokens, client, limit: client.limits.tokensPerMinute, "tokens", "a shorter text")
    put(1, .tokens, client, limit: client.limits.tokensPerMinute)
  }

  private func take(
    _ amount: Int, _ kind: Kind, _ client: Client, limit: Int?, _ what: String, _ remedy: String
  ) throws(APIError) {
    guard let limit, amount > 0 else { return }
    guard amount <= limit else {
      throw .invalid(
        "This request may use \(amount) \(what), more than the \(limit) a minute this key has. Ask for \(remedy).",
        code: "over_limit")
    }
    let missing = buckets.withLock { buckets -> Double in
      let slot = Slot(client: client.name, kind: kind)
      var bucket = filled(buckets[slot], limit)
      defer { buckets[slot] = bucket }
      guard bucket.level >= Double(amount) else { return Double(amount) - bucket.level }
      bucket.level -= Double(amount)
      return 0
    }
    guard missing > 0 else { return }
    throw .rateLimited(
      "The limit of \(limit) \(what) a minute is used up.", code: "rate_limit_exceeded",
      retryAfter: Int((missing / Double(limit) * 60).rounded(.up)))
  }

  fileprivate func put(_ amount: Int, _ kind: Kind, _ client: Client, limit: Int?) {
    guard let limit, amount != 0 else { return }
    buckets.withLock { buckets in
      let slot = Slot(client: client.name, kind: kind)
      var bucket = filled(buckets[slot], limit)
      bucket.level = min(Double(limit), bucket.level + Double(amount))
      buckets[slot] = bucket
    }
  }

  private func filled(_ bucket: Bucket?, _ limit: Int) -> Bucket {
    let time = now()
    guard var bucket else { return Bucket(level: Double(limit), updated: time) }
    bucket.level = min(Double(limit), bucket.level + (time - bucket.updated) / 60 * Double(limit))
    bucket.updated = time
    return bucket
  }

  /// What a request has taken out; settled once. What is never settled stays charged in full.
  final class Reservation: Sendable {
    private let meter: ClientMeter
    private let client: Client
    private let tokens: Int
    private let logProbabilities: Int
    private let isSettled = Atomic(false)

    fileprivate init(meter: ClientMeter, client: Client, tokens: Int, logProbabilities: Int) {
      self.meter = meter
      self.client = client
      self.tokens = tokens
      self.logProbabilities = logProbabilities
    }

    /// Puts back what was not used.
    func settle(tokens usedTokens: Int, logProbabilities used: Int) {
      guard !isSettled.exchange(true, ordering: .relaxed) else { return }
      meter.put(tokens - usedTokens, .tokens, client, limit: client.limits.tokensPerMinute)
      meter.put(
        logProbabilities - used, .logProbabilities, client, limit: client.limits.logProbabilitiesPerMinute)
    }
  }
}

/// Who sent a request: the key's name, or where it came from.
struct Client: Sendable, Hashable {
  let name: String
  let limits: ClientLimits
}
