/// What one judge said about one reply.
public struct Judgement: Codable, Sendable, Hashable {
  /// The judge's name.
  public var judge: String
  /// The judge's version; verdicts of several versions stand side by side and never mix.
  public var version: String
  /// What it said.
  public var verdict: Verdict

  /// Makes a judgement.
  public init(judge: String, version: String, verdict: Verdict) {
    self.judge = judge
    self.version = version
    self.verdict = verdict
  }

  /// The judge in this version, as `name@version`.
  public var source: String { Self.source(judge, version: version) }

  /// A judge in a version, as `name@version`.
  public static func source(_ judge: String, version: String) -> String { judge + "@" + version }
}
