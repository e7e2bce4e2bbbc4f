/// A reply with the class that people gave it.
public struct LabelledReply: Codable, Sendable, Hashable {
  /// The file's own identifier, else the position.
  public var id: String
  /// The prompt; empty where the file has none.
  public var prompt: String
  /// The reply.
  public var completion: String
  /// The final human label.
  public var humanLabel: ReplyClass
  /// All other columns.
  public var fields: [String: String]

  /// Makes a labelled reply.
  public init(
    id: String, prompt: String, completion: String, humanLabel: ReplyClass, fields: [String: String] = [:]
  ) {
    self.id = id
    self.prompt = prompt
    self.completion = completion
    self.humanLabel = humanLabel
    self.fields = fields
  }
}
