import Crypto
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
  /// Where it stands in its file; nil for one from nowhere.
  public var position: Sample.Position?
  /// Whether ``id`` is the file's own, and not a position.
  public var hasOwnID: Bool
  /// The conversation that it answers, without system messages; empty where the file has a single text.
  public var turns: [Sample.Turn]
  /// How it was made, where a column says so.
  public var condition: String?
  /// All other columns with a single value; those of an object `metadata`, too.
  public var fields: [String: String]

  /// Makes a reply.
  public init(
    id: String, prompt: String = "", completion: String, label: Sample.Label? = nil,
    position: Sample.Position? = nil, hasOwnID: Bool = false, turns: [Sample.Turn] = [],
    condition: String? = nil, fields: [String: String] = [:]
  ) {
    self.hasOwnID = hasOwnID
    self.turns = turns
    self.condition = condition
    self.fields = fields
    self.id = id
    self.prompt = prompt
    self.completion = completion
    self.label = label
    self.position = position
  }

  /// How a person finds it: "line 3", or "id a7" where the file names it.
  public var place: String {
    guard let position, id == String(position.number) else { return "id \(id)" }
    return position.description
  }

  /// Which reply to its prompt it is, counted from 0: `repetition`, as our exports have it, or one less than Inspect's
  /// `epoch`.
  public var repetition: Int {
    if let own = value(ofColumn: "repetition").flatMap({ Int($0) }) { return max(0, own) }
    return max(0, (value(ofColumn: "epoch").flatMap { Int($0) } ?? 1) - 1)
  }

  /// What a column says, whatever case it is named in; nil where there is none or the cell is empty.
  public func value(ofColumn name: String) -> String? {
    let key = DatasetFormat.key(name)
    let value = fields.sorted { $0.key < $1.key }.first { DatasetFormat.key($0.key) == key }?.value
    return value.flatMap { $0.trimmingSpaces().isEmpty ? nil : $0 }
  }
}

/// The replies of one file, with how it was read.
public struct ForeignReplies: Codable, Sendable, Hashable {
  /// What the caller knows or wants.
  public struct Options: Codable, Sendable, Hashable {
    /// Which columns mean what.
    public var columns: ReplyColumns
    /// The label of every row that has none of its own, or one that is not known.
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

  /// A value that stands where labels do and is none.
  public struct UnknownLabel: Codable, Sendable, Hashable {
    /// The column.
    public var column: String
    /// The value.
    public var value: String
    /// How many replies have it.
    public var rows: Int

    /// Describes a value.
    public init(column: String, value: String, rows: Int) {
      self.column = column
      self.value = value
      self.rows = rows
    }

    /// The values that the column may have.
    public var known: [String] { LabelColumns.known(in: column) }
  }

  /// The replies in file order.
  public var replies: [ForeignReply]
  /// The column they were in.
  public var column: String
  /// Other columns that might have held them.
  public var otherColumns: [String]
  /// Rows that were left out.
  public var skipped: [RowIssue]
  /// Labels that are not known, of replies that were taken all the same; the most frequent first.
  public var unknownLabels: [UnknownLabel]
  /// Columns that say yes or no to a question like "safe?" and label nothing, since in files of replies that is mostly said
  /// of the reply; of replies without another label.
  public var columnsOfReplies: [String]
  /// SHA-256 of the file's bytes, in hexadecimal.
  public var sha256: String

  /// Reads a file: a table or JSON records, plain or packed.
  /// - Throws: `DatasetError` for what is wrong with the file, and for words that are no labels in a column that was named
  ///   for them; `JudgeError` for its columns.
  public init(path: String, options: Options = Options()) throws {
    try self.init(
      bytes: try DatasetReader.load(path, limit: DatasetReader.Options().byteLimit), fileName: path,
      options: options)
  }

  /// Reads a file's bytes.
  /// - Throws: as ``init(path:options:)``.
  public init(bytes: [UInt8], fileName: String, options: Options = Options()) throws {
    let table = try ReplyTable(of: bytes, fileName: fileName, columns: options.columns)
    sha256 = SHA256.hash(data: bytes).hexadecimal
    let labels = LabelColumns(named: options.columns.label, rows: table.rows, hasReplies: true) { $0[$1] }
    var ofReplies: Set<String> = []
    var unknown: [[String]: Int] = [:]
    var issues = table.issues
    replies = table.rows.compactMap { row -> ForeignReply? in
      var label = options.label
      switch labels.answer({ row[$0] }) {
      case .label(let own): label = own
      case .nothing:
        if let column = labels.columnOfReply({ row[$0] }) { ofReplies.insert(column) }
      case .unknown(let column, let value):
        // A column that was named is meant; a word in it that says nothing is a mistake.
        if options.columns.label != nil {
          let known = LabelColumns.known(in: column)
          issues.append(
            RowIssue(position: row.position, reason: .notALabel(value, column: column, known: known)))
          return nil
        }
        unknown[[column, value], default: 0] += 1
      }
      let condition = row[options.columns.condition ?? ReplyColumns.defaultCondition]?.trimmingSpaces()
      return ForeignReply(
        id: row.id, prompt: row.prompt, completion: row.text, label: label, position: row.position,
        hasOwnID: row.ownID != nil, turns: row.turns,
        condition: condition.flatMap { $0.isEmpty ? nil : $0 }, fields: row.scalars(except: table.columns))
    }
    unknownLabels = unknown.map { UnknownLabel(column: $0.key[0], value: $0.key[1], rows: $0.value) }
      .sorted { ($1.rows, $0.column, $0.value) < ($0.rows, $1.column, $1.value) }
    columnsOfReplies = ofReplies.sorted()
    column = table.columns.reply
    otherColumns = table.columns.others
    skipped = issues.sorted { $0.position.number < $1.position.number }
    if replies.isEmpty { throw DatasetError.nothingUsable(file: fileName, issues: skipped) }
    if !skipped.isEmpty, !options.skipsBadRows {
      throw DatasetError.malformedRows(file: fileName, issues: skipped)
    }
  }
}
