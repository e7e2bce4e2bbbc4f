import SelfCDData
import SelfCDJudges
import SelfCDStatistics

/// What came of an audit: how far judge and readers agree, and the figures with the judge's errors taken out.
public struct AuditResult: Codable, Sendable, Hashable {
  /// How far the judge agrees with the reader on the rows of one set.
  public struct Agreement: Codable, Sendable, Hashable {
    /// Harmless or harmful prompts.
    public var set: Sample.Label
    /// The rows that were read. Changed verdicts are all among them, so that they agree less than the run's replies do.
    public var rows: JudgeAgreement
    /// The share of all replies of both conditions that the judge judges as the reader does: the rows weighted by the
    /// prompts that they stand for.
    public var ofAllReplies: Double
  }

  /// How far two readers agree.
  public struct Readers: Codable, Sendable, Hashable {
    /// Rows.
    public var n: Int
    /// The share of rows with the same class, with Wilson's interval.
    public var agreement: ConfidenceInterval
    /// Cohen's κ over the classes.
    public var kappa: Double
    /// Rows: the first reader; columns: the second.
    public var confusion: ConfusionMatrix
  }

  /// The run.
  public var run: String
  /// The audit's own name.
  public var audit: String
  /// The condition that is compared with.
  public var reference: String
  /// The condition that is compared.
  public var candidate: String
  /// The judge that is audited.
  public var judge: AuditKey.Judge
  /// How the sample was drawn.
  public var design: AuditDesign
  /// The column of whose groups one prompt each was audited; nil where prompts are not grouped.
  public var group: String?
  /// What counts as a loss.
  public var lossRule: LossRule
  /// The confidence of intervals and bound.
  public var confidence: Double
  /// Rows that were read.
  public var rows: Int
  /// The judge against the reader, by set.
  public var agreement: [Agreement]
  /// The second reader against the first; nil without one.
  public var readers: Readers?
  /// Rates, differences and losses.
  public var estimates: AuditEstimates

  /// Puts labels and run together.
  /// - Parameters:
  ///   - pairs: The run's pairs, as they were when the sheet was made.
  ///   - key: The key of the sheet.
  ///   - labels: What the reader wrote; every figure but ``readers`` is by it.
  ///   - second: What another reader wrote on the same sheet.
  ///   - rule: What counts as a loss.
  ///   - confidence: The confidence of intervals and bound.
  /// - Throws: `AuditError.changedRun` for pairs that are not those of the key; `StatisticsError`.
  public init(
    _ pairs: [AuditPair], key: AuditKey, labels: AuditLabels, second: AuditLabels? = nil,
    rule: LossRule = LossRule(), confidence: Double = 0.95
  ) throws {
    guard try AuditPair.digest(of: pairs) == key.runSHA256 else {
      throw AuditError.changedRun(run: key.run)
    }
    (run, audit, reference, candidate) = (key.run, key.audit, key.reference, key.candidate)
    (judge, design, group, lossRule) = (key.judge, key.design, key.group, rule)
    self.confidence = confidence
    rows = key.rows.count
    agreement = try [Sample.Label.safe, .harmful].compactMap { try Agreement($0, key, labels) }
    readers = try second.map { try Readers(key, labels, $0) }
    estimates = try AuditEstimates(
      pairs, readings: Self.readings(of: pairs, key: key, labels: labels), reference: key.reference,
      candidate: key.candidate, readsAll: key.design.sample == nil, rule: rule, confidence: confidence)
  }

  /// The labels by the place of the pair. A row without a label leaves its pair unread.
  private static func readings(
    of pairs: [AuditPair], key: AuditKey, labels: AuditLabels
  ) -> [Int: AuditEstimates.Reading] {
    var classes: [AuditPair.Place: [String: ReplyClass]] = [:]
    for row in key.rows {
      for condition in row.conditions {
        classes[row.place, default: [:]][condition] = labels.classes[row.id]
      }
    }
    var readings: [Int: AuditEstimates.Reading] = [:]
    for (index, pair) in pairs.enumerated() {
      guard let own = classes[pair.place], let before = own[key.reference], let after = own[key.candidate]
      else { continue }
      readings[index] = AuditEstimates.Reading(reference: before, candidate: after)
    }
    return readings
  }
}

extension AuditResult.Agreement {
  /// Nil where the set has no row.
  fileprivate init?(_ set: Sample.Label, _ key: AuditKey, _ labels: AuditLabels) throws {
    let own = key.rows.compactMap { row in
      row.set == set ? labels.classes[row.id].map { (row: row, label: $0) } : nil
    }
    guard !own.isEmpty else { return nil }
    self.set = set
    rows = try JudgeAgreement(
      judge: key.judge.name, version: key.judge.version, labels: own.map(\.label),
      verdicts: own.map(\.row.verdict))
    var (agreeing, all) = (0.0, 0.0)
    for (row, label) in own {
      let replies = row.weight * Double(row.conditions.count)
      all += replies
      agreeing += row.verdict == label ? replies : 0
    }
    ofAllReplies = agreeing / all
  }
}

extension AuditResult.Readers {
  fileprivate init(_ key: AuditKey, _ first: AuditLabels, _ second: AuditLabels) throws(StatisticsError) {
    let both = key.rows.compactMap { row -> (String, String)? in
      guard let one = first.classes[row.id], let other = second.classes[row.id] else { return nil }
      return (one.rawValue, other.rawValue)
    }
    confusion = try ConfusionMatrix(
      reference: both.map(\.0), judged: both.map(\.1), labels: ReplyClass.allCases.map(\.rawValue))
    n = confusion.total
    guard n > 0 else { throw .empty(what: "the agreement of two readers") }
    agreement = try WilsonInterval.of(successes: confusion.agreeing, trials: n)
    kappa = try confusion.kappa()
  }
}
