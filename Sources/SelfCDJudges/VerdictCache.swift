import Crypto
import Foundation
import SelfCDSupport

/// Which question a verdict answers: one judge, in one version, on one reply to one prompt.
public struct VerdictKey: Codable, Sendable, Hashable {
  /// The judge's name.
  public let judge: String
  /// Its version.
  public let version: String
  /// SHA-256 over prompt and reply, in hexadecimal.
  public let exchange: String

  /// Makes the key of a question to `judge`.
  public init(judge: some ReplyJudge, prompt: String, reply: String) {
    self.judge = judge.name
    version = judge.version
    var hash = SHA256()
    for text in [prompt, reply] {
      // With its length before it, or text could move from one to the other unnoticed.
      withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { hash.update(bufferPointer: $0) }
      hash.update(data: Data(text.utf8))
    }
    exchange = hash.finalize().hexadecimal
  }
}

/// Remembers verdicts that cost something.
public protocol VerdictCache: Sendable {
  /// The verdict kept under `key`; nil without one.
  func verdict(for key: VerdictKey) async throws -> Verdict?
  /// Keeps a verdict; one that is there already stays.
  func keep(_ verdict: Verdict, for key: VerdictKey) async throws
}

/// Asks another judge only what it has not answered before. Failures are not kept.
public struct CachedJudge<Base: ReplyJudge>: ReplyJudge {
  /// The judge that is asked.
  public let base: Base
  private let cache: any VerdictCache

  /// Puts `cache` before `base`.
  public init(_ base: Base, cache: any VerdictCache) {
    self.base = base
    self.cache = cache
  }

  /// The wrapped judge's name: the verdict is its own.
  public var name: String { base.name }
  /// The wrapped judge's version.
  public var version: String { base.version }

  /// The verdict kept, else the wrapped judge's.
  /// - Throws: What the judge or the cache throws.
  public func judge(prompt: String, reply: String) async throws -> Verdict {
    let key = VerdictKey(judge: base, prompt: prompt, reply: reply)
    if let verdict = try await cache.verdict(for: key) { return verdict }
    let verdict = try await base.judge(prompt: prompt, reply: reply)
    try await cache.keep(verdict, for: key)
    return verdict
  }
}
