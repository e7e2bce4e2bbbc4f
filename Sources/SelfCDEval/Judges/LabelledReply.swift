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

  /// Reads labelled replies: a table with the columns `completion` and `human_label`, or JSON records with those
  /// keys, plain or packed. `prompt` and `id` are taken where they exist. The reply is kept as it is, white space
  /// included, because judges look at beginnings.
  /// - Throws: `DatasetError` for what is wrong with the file, `JudgeError` for what is wrong with its columns or
  ///   labels.
  public static func read(path: String) throws -> [LabelledReply] {
    let options = DatasetReader.Options()
    return try read(bytes: try DatasetReader.load(path, limit: options.byteLimit), fileName: path)
  }

  /// Reads labelled replies from a file's bytes.
  /// - Throws: as ``read(path:)``.
  public static func read(bytes: [UInt8], fileName: String) throws -> [LabelledReply] {
    try ReplyTable.rows(of: bytes, fileName: fileName, text: ["completion"], needed: ["human_label"]).map {
      row in
      let label = row["human_label"] ?? ""
      guard let humanLabel = ReplyClass(label: label) else {
        throw JudgeError.unknownLabel(label, position: row.position)
      }
      return LabelledReply(
        id: row.id, prompt: row["prompt"] ?? "", completion: row.text, humanLabel: humanLabel,
        fields: row.fields(except: ["id", "prompt", "completion", "human_label"]))
    }
  }
}
