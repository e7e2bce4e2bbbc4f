import SelfCDSupport

/// How the samples of one published format lie in their records. A description, not code: the reader interprets it.
///
/// Column names are compared without regard to case and surrounding white space. A format applies to records
/// whatever they came from: a CSV row and a JSON object with the same names mean the same.
public struct DatasetFormat: Codable, Sendable, Hashable {
  /// The layout around the samples.
  public enum Layout: String, Codable, Sendable {
    /// Rows of a table, objects of a JSON array, or one JSON object a line.
    case records
    /// One prompt a line, JSON strings a line, or a JSON array of strings.
    case list
  }

  /// Where labels come from.
  public enum LabelRule: Codable, Sendable, Hashable {
    /// The format says nothing.
    case none
    /// Every sample has this label by design of the set.
    case all(Sample.Label)
    /// A column that begins with `prefix` makes a row harmful, everything else in it is safe.
    case prefix(column: String, harmfulPrefix: String)
    /// The columns and words that files of prompts and of replies usually have for it: `label`, `set` or `harmfulness`,
    /// yes or no in `harmful`, `unsafe`, `safe` or `harmless`, XSTest's `type`. Beside replies, `unsafe` and columns that
    /// begin with `is_` are about these.
    case usual
    /// A column whose value is looked up without regard to case. A value in `unlabelled` is known and leaves
    /// the row without label, whatever the caller says about the file; any other value is an error of the row,
    /// and an empty one leaves the row to the caller.
    case column(String, values: [String: Sample.Label], unlabelled: [String])
  }

  /// The name for `--format` and the run record.
  public var name: String
  /// What it is, with its source, in one line.
  public var summary: String
  /// The layout around the samples.
  public var layout: Layout
  /// Columns a file must have to be taken for this format.
  public var required: [String]
  /// Whether a file may have further columns and still be taken for it.
  public var allowsOtherColumns: Bool
  /// Whether the format is found by its columns, or only when asked for by name.
  public var isDetected: Bool
  /// The column with the prompt.
  public var prompt: String
  /// The column with the prompt of rows that leave `prompt` empty, as WildJailbreak's `vanilla`.
  public var promptFallback: String?
  /// A column with text that belongs before the prompt, for example HarmBench's `ContextString`.
  public var context: String?
  /// The column with the identifier.
  public var id: String?
  /// The column with the category.
  public var category: String?
  /// The column with the focus word.
  public var focus: String?
  /// Where labels come from.
  public var labels: LabelRule

  /// Describes a format. A caller may describe one that is not in the catalogue and pass it to the reader.
  public init(
    name: String, summary: String, layout: Layout = .records, required: [String] = [],
    allowsOtherColumns: Bool = true, isDetected: Bool = true, prompt: String, promptFallback: String? = nil,
    context: String? = nil, id: String? = nil, category: String? = nil, focus: String? = nil,
    labels: LabelRule = .none
  ) {
    self.name = name
    self.summary = summary
    self.layout = layout
    self.required = required
    self.allowsOtherColumns = allowsOtherColumns
    self.isDetected = isDetected
    self.prompt = prompt
    self.promptFallback = promptFallback
    self.context = context
    self.id = id
    self.category = category
    self.focus = focus
    self.labels = labels
  }

  /// Whether records with these columns can be this format.
  func accepts(columns: some Collection<String>) -> Bool {
    let present = Set(columns.map(Self.key))
    let needed = Set(required.map(Self.key))
    return needed.isSubset(of: present) && (allowsOtherColumns || present == needed)
  }

  /// The form in which column names are compared.
  package static func key(_ column: String) -> String {
    column.lowercased().trimmingSpaces()
  }
}
