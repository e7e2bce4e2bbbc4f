import SelfCDData
import SelfCDSupport

/// A reply from elsewhere that is to be judged.
public struct ForeignReply: Codable, Sendable, Hashable {
  /// The file's own identifier, else the position.
  public var id: String
  /// The prompt; empty where the file has none.
  public var prompt: String
  /// The reply.
  public var completion: String
  /// What a well-behaved model does with the prompt; nil where nothing says so.
  public var label: Sample.Label?

  /// Makes a reply.
  public init(id: String, prompt: String = "", completion: String, label: Sample.Label? = nil) {
    self.id = id
    self.prompt = prompt
    self.completion = completion
    self.label = label
  }
}

/// The replies of one file, with how it was read.
public struct ForeignReplies: Codable, Sendable, Hashable {
  /// What the caller knows or wants.
  public struct Options: Codable, Sendable, Hashable {
    /// Which columns mean what.
    public var columns: ReplyColumns
    /// The label of every row that has none of its own.
    public var label: Sample.Label?
    /// Whether rows that hold no reply are left out and reported instead of ending the reading.
    public var skipsBadRows: Bool

    /// Makes options; all have defaults.
    public init(
      columns: ReplyColumns = ReplyColumns(), label: Sample.Label? = nil, skipsBadRows: Bool = false
    ) {
      self.columns = columns
      self.label = label
      self.skipsBadRows = skipsBadRows
    }
  }

  /// The replies in file order.
  public var replies: [ForeignReply]
  /// The column they were in.
  public var column: String
  /// Other columns that might have held them.
  public var otherColumns: [String]
  /// Rows that were left out.
  public var skipped: [RowIssue]

  /// Reads a file: a table or JSON records, plain or packed.
  /// - Throws: `DatasetError` for what is wrong with the file, `JudgeError` for its columns and labels.
  public init(path: String, options: Options = Options()) throws {
    try self.init(
      bytes: try DatasetReader.load(path, limit: DatasetReader.Options().byteLimit), fileName: path,
      options: options)
  }

  /// Reads a file's bytes.
  /// - Throws: as ``init(path:options:)``.
  public init(bytes: [UInt8], fileName: String, options: Options = Options()) throws {
    let table = try ReplyTable(
      of: bytes, fileName: fileName, columns: options.columns, skipsBadRows: options.skipsBadRows)
    let labels = ReplyLabel(named: options.columns.label, rows: table.rows)
    replies = try table.rows.map { row in
      let label = labels.of(row)
      // A column that was named is meant; a word in it that says nothing is a mistake.
      if label == nil, let named = options.columns.label, let word = row[named],
        !word.trimmingSpaces().isEmpty
      {
        throw JudgeError.unknownSet(word, position: row.position)
      }
      return ForeignReply(
        id: row.id, prompt: row.prompt, completion: row.text, label: label ?? options.label)
    }
    column = table.columns.reply
    otherColumns = table.columns.others
    skipped = table.issues
  }
}
