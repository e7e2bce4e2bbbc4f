import SelfCDData

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

  /// Reads labelled replies: a table with the column `human_label` and one of replies, or JSON records with those
  /// keys, plain or packed. Prompts and `id` are taken where they exist. The reply is kept as it is, white space
  /// included, because judges look at beginnings.
  /// - Throws: `DatasetError` for what is wrong with the file, `JudgeError` for what is wrong with its columns or
  ///   labels.
  public static func read(
    path: String, columns: ReplyColumns = ReplyColumns(), skipsBadRows: Bool = false
  ) throws -> [LabelledReply] {
    let options = DatasetReader.Options()
    return try read(
      bytes: try DatasetReader.load(path, limit: options.byteLimit), fileName: path, columns: columns,
      skipsBadRows: skipsBadRows)
  }

  /// Reads labelled replies from a file's bytes.
  /// - Throws: as ``read(path:columns:skipsBadRows:)``.
  public static func read(
    bytes: [UInt8], fileName: String, columns: ReplyColumns = ReplyColumns(), skipsBadRows: Bool = false
  ) throws -> [LabelledReply] {
    let table = try ReplyTable(
      of: bytes, fileName: fileName, columns: columns, needed: ["human_label"], skipsBadRows: skipsBadRows)
    let used = Set(
      ["id", "human_label", table.columns.reply, table.columns.prompt].compactMap {
        $0.map(DatasetFormat.key)
      })
    return try table.rows.map { row in
      let label = row["human_label"] ?? ""
      guard let humanLabel = ReplyClass(label: label) else {
        throw JudgeError.unknownLabel(label, position: row.position)
      }
      return LabelledReply(
        id: row.id, prompt: row.prompt, completion: row.text, humanLabel: humanLabel,
        fields: row.fields(except: used))
    }
  }
}
