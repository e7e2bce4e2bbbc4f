import SelfCD
import SelfCDData
import SelfCDJudges
import SelfCDSupport

/// A run in the layout of the papers' tables: a row for each condition, a column for each set, and published figures
/// beside them where the run's model is one that they were measured on.
public struct ReproductionTable: Encodable, Sendable {
  /// What a column shows.
  public struct Column: Encodable, Sendable, Hashable {
    /// The set's name; nil stands for all sets of the label.
    public let set: String?
    /// Which of its prompts.
    public let label: Sample.Label
    /// What it is called in print, with the wanted direction: `XSTest-Safe ↓`.
    public let title: String
  }

  /// One condition.
  public struct Row: Encodable, Sendable {
    /// What it is called in print.
    public let title: String
    /// The strategy's name.
    public let strategy: String
    /// The contrast strength, where the strategy has one.
    public let alpha: Double?
    /// The rate in each of ``ReproductionTable/columns``; nil where there is none.
    public let rates: [RefusalRate?]
    /// The paper's figure for XSTest-Safe, in per cent; nil for other models and conditions.
    public let published: Double?
  }

  /// Figures of others for the same model; what their default prompt was is not ours to equate with a row.
  public struct Reference: Encodable, Sendable {
    /// Whose figures, of what.
    public let title: String
    /// In per cent, for each of ``ReproductionTable/columns``; nil where there is none.
    public let rates: [Double?]
  }

  /// The run's identifier.
  public let run: String
  /// The model's name.
  public let model: String
  /// The judge whose verdicts are counted, as `name@version`.
  public let judge: String
  /// Harmless sets, then harmful ones, each with a column for all of them.
  public let columns: [Column]
  /// The run's conditions, in its order.
  public let rows: [Row]
  /// Published figures below the rows.
  public let references: [Reference]
  /// What a reader has to know about the figures.
  public let remarks: [String]

  /// - Parameter modelNames: all the names the model goes by, to find published figures by.
  public init(_ data: ReportRun, modelNames: [String]) {
    run = data.record.id
    model = data.record.model
    judge = data.judge
    let columns = [Sample.Label.safe, .harmful].flatMap { Self.columns(data, $0) }
    self.columns = columns
    let published = PublishedModel.named(modelNames)
    let paper = published?.hasPaperRows == true ? PublishedResults.selfCD : []
    rows = data.conditions.map { condition in
      Row(
        title: Self.title(condition), strategy: condition.strategy, alpha: condition.alpha,
        rates: columns.map { Self.rate(data, condition.id, $0) },
        published: paper.first { $0.strategy == condition.strategy && $0.alpha == condition.alpha }?.rate)
    }
    references = published.map { Self.references($0, columns) } ?? []
    remarks = data.remarks + [Self.source(published)]
  }

  /// Header and rows as text, with the columns of `labels`. How many prompts there are stands in the header where it is
  /// the same for all conditions, else behind each rate.
  public func lines(of labels: [Sample.Label]) -> [[String]] {
    let shown = columns.indices.filter { labels.contains(columns[$0].label) }
    // The paper's column stands beside the set it is about.
    let beside =
      rows.contains { $0.published != nil } ? shown.first { Self.matches(columns[$0], "xstest", .safe) } : nil
    func line(_ first: String, paper: String, _ cell: (Int) -> String) -> [String] {
      [first] + shown.flatMap { $0 == beside ? [cell($0), paper] : [cell($0)] }
    }
    let counts = columns.indices.map { column in Set(rows.compactMap { $0.rates[column]?.n }) }
    return [
      line("condition", paper: "paper") { column in
        columns[column].title
          + (counts[column].count == 1 ? counts[column].first.map { ", n \($0)" } ?? "" : "")
      }
    ]
      + rows.map { row in
        line(row.title, paper: row.published.map { NumberFormat.decimal($0, 1) } ?? "–") { index in
          row.rates[index].map { Self.text($0) + (counts[index].count > 1 ? " of \($0.n)" : "") } ?? "–"
        }
      }
      + references.map { reference in
        line(reference.title, paper: "") { index in
          reference.rates[index].map { NumberFormat.decimal($0, 1) } ?? "–"
        }
      }
  }

  // MARK: Columns

  private static func columns(_ data: ReportRun, _ label: Sample.Label) -> [Column] {
    let arrow = label == .safe ? "↓" : "↑"
    var sets: [String] = []
    for cell in data.cells where cell.label == label && !sets.contains(cell.set) { sets.append(cell.set) }
    func isMixed(_ set: String) -> Bool {
      data.cells.contains { $0.set == set && $0.label != label }
    }
    let suffix = label == .safe ? "-Safe" : "-Unsafe"
    return sets.map {
      Column(set: $0, label: label, title: "\($0)\(isMixed($0) ? suffix : "") \(arrow)")
    } + [Column(set: nil, label: label, title: "all \(Wording.label(label)) \(arrow)")]
  }

  private static func matches(_ column: Column, _ name: String, _ label: Sample.Label) -> Bool {
    column.label == label && column.set?.lowercased().contains(name) == true
  }

  private static func rate(_ data: ReportRun, _ condition: String, _ column: Column) -> RefusalRate? {
    guard let set = column.set else { return data.pooled(condition)?.rate(column.label) }
    return data.cells.first { $0.condition == condition && $0.set == set && $0.label == column.label }?
      .refusal
  }

  // MARK: Text

  /// The paper's name of a condition.
  private static func title(_ condition: ReportCondition) -> String {
    PublishedResults.selfCD.first {
      $0.strategy == condition.strategy && $0.alpha == condition.alpha
    }?.name
      ?? (condition.strategy == SelfContrastive.name
      ? condition.title.replacing(SelfContrastive.name, with: "Self-CD,") : condition.title)
      .replacing(AdaCD.name, with: "AdaCD,").replacing("\u{A0}", with: " ")
  }

  private static func text(_ rate: RefusalRate) -> String {
    "\(NumberFormat.decimal(100 * rate.rate, 1)) [\(rate.intervalText)]"
  }

  // MARK: Published figures

  private static func source(_ model: PublishedModel?) -> String {
    guard let model else {
      return "No published figures are known for this model; compare directions with the papers', not values."
    }
    var sources: [String] = []
    if model.hasPaperRows { sources.append("paper: Shi et al., arXiv 2401.17633, quoted second-hand") }
    if model.rerun != nil { sources.append("SCANS: arXiv 2408.11491") }
    if model.hasAdaCD { sources.append("AdaCD paper: arXiv 2604.17132") }
    return "Published: \(sources.joined(separator: "; ")). "
      + "A rerun's default prompt need not be one of the rows above."
  }

  private static func references(_ model: PublishedModel, _ columns: [Column]) -> [Reference] {
    func row(_ title: String, _ figure: (Column) -> Double?) -> Reference {
      Reference(title: title, rates: columns.map(figure))
    }
    var references: [Reference] = []
    if let rerun = model.rerun {
      func pair(_ column: Column) -> (before: Double, after: Double)? {
        zip(PublishedResults.rerunSets, rerun.pairs).first { set, _ in
          matches(column, set.matches, set.isHarmful ? .harmful : .safe)
        }?.1
      }
      references += [
        row("SCANS, default") { pair($0)?.before }, row("SCANS, Self-CD") { pair($0)?.after },
      ]
    }
    if model.hasAdaCD {
      func figures(_ column: Column) -> (set: String, matches: String, before: Double, after: Double)? {
        PublishedResults.adaCD.first { matches(column, $0.matches, .safe) }
      }
      references += [
        row("AdaCD paper, default") { figures($0)?.before }, row("AdaCD paper, AdaCD") { figures($0)?.after },
      ]
    }
    return references
  }
}
