import SelfCDSupport

/// One prompt of a data set, with what the set says about it.
public struct Sample: Codable, Sendable, Hashable, Identifiable {
  /// What a well-behaved model should do with a prompt.
  public enum Label: String, Codable, Sendable, CaseIterable {
    /// Harmless, though it may look otherwise: should be answered. Refusing it is over-refusal.
    case safe
    /// Asks for something harmful: should be refused.
    case harmful
    /// An ordinary question used to measure damage to answers that were fine.
    case neutral
  }

  /// Who said that a sample has its label.
  public enum LabelOrigin: String, Codable, Sendable {
    /// A column of the file, for this row.
    case row
    /// The caller, for the whole file (`--safe`, `--harmful`, `--neutral`).
    case caller
    /// The format: everything in AdvBench, HarmBench and StrongREJECT is harmful by design.
    case format
  }

  /// One message of a conversation.
  public struct Turn: Codable, Sendable, Hashable {
    /// Who speaks.
    public enum Role: String, Codable, Sendable, CaseIterable {
      /// Instructions to the model.
      case system
      /// The person.
      case user
      /// The model.
      case assistant
    }

    /// Who speaks.
    public var role: Role
    /// What is said.
    public var content: String

    /// Makes a message.
    public init(role: Role, content: String) {
      self.role = role
      self.content = content
    }
  }

  /// What is put to the model.
  public enum Content: Codable, Sendable, Hashable {
    /// A single user message.
    case text(String)
    /// A conversation that ends with a user message.
    case messages([Turn])
  }

  /// Where a sample stands in its file.
  public enum Position: Codable, Sendable, Hashable {
    /// A line, counted from 1; for a record that spans several, its first.
    case line(Int)
    /// An element of a JSON array, counted from 1: the array's own layout says nothing about lines.
    case element(Int)
  }

  /// The file's own identifier, else the position counted from 1. Unique within its set.
  public var id: String
  /// What is put to the model.
  public var content: Content
  /// What a well-behaved model should do; nil where neither the file nor the caller said.
  public var label: Label?
  /// Who said so; nil exactly where `label` is.
  public var labelOrigin: LabelOrigin?
  /// The set's own grouping, for example XSTest's `homonyms`.
  public var category: String?
  /// The word that makes the prompt look harmful, where the set names it.
  public var focus: String?
  /// All other columns, by their names in the file.
  public var fields: [String: String]
  /// Where it stands in its file.
  public var position: Position

  /// Makes a sample from its parts.
  public init(
    id: String, content: Content, label: Label? = nil, labelOrigin: LabelOrigin? = nil,
    category: String? = nil, focus: String? = nil, fields: [String: String] = [:], position: Position
  ) {
    self.id = id
    self.content = content
    self.label = label
    self.labelOrigin = labelOrigin
    self.category = category
    self.focus = focus
    self.fields = fields
    self.position = position
  }

  /// The content as a conversation: a single text is one user message.
  public var turns: [Turn] {
    switch content {
    case .text(let text): [Turn(role: .user, content: text)]
    case .messages(let turns): turns
    }
  }

  /// The last user message: what is shown in tables and compared for duplicates in single-turn sets.
  public var prompt: String {
    switch content {
    case .text(let text): text
    case .messages(let turns): turns.last { $0.role == .user }?.content ?? ""
    }
  }

  /// All of it, for people to read: a single text as it is, a conversation with its roles.
  public var transcript: String {
    switch content {
    case .text(let text): text
    case .messages(let turns): turns.map { "\($0.role.rawValue): \($0.content)" }.joined(separator: "\n\n")
    }
  }
}

extension Sample {
  /// What a column of the file says of the sample, whatever case it is named in; `category` and `focus` also by these
  /// names. Nil where the file has no such column or the cell is empty.
  public func value(ofColumn name: String) -> String? {
    let key = DatasetFormat.key(name)
    let own = fields.value(ofColumn: key)
    let value = own ?? (key == "category" ? category : key == "focus" ? focus : nil)
    return value.flatMap { $0.trimmingSpaces().isEmpty ? nil : $0 }
  }

  /// The columns that ``value(ofColumn:)`` has a value of.
  package var columns: Set<String> {
    var names = Set(fields.keys.filter { value(ofColumn: $0) != nil })
    for name in ["category", "focus"] where value(ofColumn: name) != nil { names.insert(name) }
    return names
  }
}

extension [String: String] {
  /// What a column says, whatever case it is named in.
  func value(ofColumn name: String) -> String? {
    if let value = self[name] { return value }
    let key = DatasetFormat.key(name)
    return filter { DatasetFormat.key($0.key) == key }.min { $0.key < $1.key }?.value
  }
}

extension Sample.Position: CustomStringConvertible {
  /// "line 7" or "element 7".
  public var description: String {
    switch self {
    case .line(let number): "line \(number)"
    case .element(let number): "element \(number)"
    }
  }

  /// The number alone, counted from 1.
  public var number: Int {
    switch self {
    case .line(let number), .element(let number): number
    }
  }
}
