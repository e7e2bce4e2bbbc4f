import SelfCDData

/// A prompt with its replies under every condition, for a reader to look through.
public struct ReportSample: Codable, Sendable, Hashable {
  /// The set's name.
  public var set: String
  /// The sample's identifier.
  public var sample: String
  /// Its label; nil for a prompt without one.
  public var label: Sample.Label?
  /// Its category.
  public var category: String?
  /// The word that makes it look harmful; nil where the prompt is withheld, too.
  public var focus: String?
  /// The prompt, a conversation with its roles, shortened if it is long; nil where it is withheld.
  public var prompt: String?
  /// The replies that there are, in the order of the run's conditions.
  public var replies: [ReportReplyText]
}
