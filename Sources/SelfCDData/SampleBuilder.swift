import SelfCDSupport

/// Turns records into samples by a format's description.
struct SampleBuilder {
  let format: DatasetFormat
  /// The label the caller gives the whole file, where the row has none of its own.
  let callerLabel: Sample.Label?

  private struct Rejected: Error {
    var reason: RowIssue.Reason
  }

  /// The samples, and the rows that gave none, in file order.
  func build(_ source: RecordSource) -> (samples: [Sample], issues: [RowIssue]) {
    var samples: [Sample] = []
    var issues = source.issues
    var seen: Set<String> = []
    let rows = format.labels == .usual ? source.records : []
    let hasReplies = LabelColumns.holdReplies(source.columns)
    let labels = LabelColumns(named: nil, rows: rows, hasReplies: hasReplies) { record, column in
      guard case .named(let values) = record.value else { return nil }
      return Self.value(column, of: values)?.text
    }
    for record in source.records {
      do throws(Rejected) {
        let sample = try sample(of: record, labels: labels)
        guard seen.insert(sample.id).inserted else { throw Rejected(reason: .repeatedID(sample.id)) }
        samples.append(sample)
      } catch {
        issues.append(
          RowIssue(position: record.position, reason: error.reason, run: Self.run(of: record)))
      }
    }
    issues.sort { $0.position.number < $1.position.number }
    return (samples, issues)
  }

  /// The stored run that a row says it is from.
  private static func run(of record: RecordSource.Record) -> String? {
    guard case .named(let values) = record.value else { return nil }
    return value(WithheldText.runColumn, of: values)?.text
  }

  /// Of two names that differ in case only the first in order, so that the same one is taken every time.
  private static func value(_ column: String, of values: [String: JSONValue]) -> JSONValue? {
    if let value = values[column] { return value }
    let key = DatasetFormat.key(column)
    return values.filter { DatasetFormat.key($0.key) == key }.min { $0.key < $1.key }?.value
  }

  private func sample(
    of record: RecordSource.Record, labels: LabelColumns
  ) throws(Rejected) -> Sample {
    switch record.value {
    case .bare(let text):
      guard format.layout == .list else {
        throw Rejected(reason: .wrongType(found: "a string", expected: "an object with '\(format.prompt)'"))
      }
      return labelled(
        Sample(
          id: String(record.position.number), content: try prompt(.string(text)), position: record.position),
        own: .none)
    case .named(let values): return try sample(of: values, at: record.position, labels: labels)
    }
  }

  private func sample(
    of values: [String: JSONValue], at position: Sample.Position, labels: LabelColumns
  ) throws(Rejected) -> Sample {
    // Sorted, so that of two names that differ in case only the same one is taken every time.
    var byKey: [String: JSONValue] = [:]
    for (name, value) in values.sorted(by: { $0.key < $1.key }) where byKey[DatasetFormat.key(name)] == nil {
      byKey[DatasetFormat.key(name)] = value
    }
    func text(_ column: String?) -> String? {
      guard let column, let value = byKey[DatasetFormat.key(column)] else { return nil }
      let text = value.text.trimmingSpaces()
      return text.isEmpty ? nil : text
    }
    let promptColumn =
      text(format.prompt) == nil && text(format.promptFallback) != nil
      ? format.promptFallback : format.prompt
    let given = promptColumn.flatMap { byKey[DatasetFormat.key($0)] }
    if WithheldText.explains(given, flag: byKey[WithheldText.column]?.text) {
      throw Rejected(reason: .withheld)
    }
    guard let value = given, value != .null else {
      throw Rejected(reason: .missingField(format.prompt))
    }
    // An identifier ends at a zero byte in too many places it is carried to, the store among them.
    if text(format.id)?.utf8.contains(0) == true { throw Rejected(reason: .zeroByte) }
    var content = try prompt(value)
    if let context = text(format.context), case .text(let behaviour) = content {
      // HarmBench's own order for contextual behaviours: the context, a rule, the request.
      content = .text(context + "\n\n---\n\n" + behaviour)
    }
    // A column that the format takes for the category, such as XSTest's 'type', is still to be found by its own name.
    let category = format.category.map(DatasetFormat.key) == "category" ? format.category : nil
    let focus = format.focus.map(DatasetFormat.key) == "focus" ? format.focus : nil
    let used = Set(
      [promptColumn, format.context, format.id, category, focus].compactMap { $0.map(DatasetFormat.key) })
    let sample = Sample(
      id: text(format.id) ?? String(position.number),
      content: content,
      category: text(format.category),
      focus: text(format.focus),
      fields: values.filter { !used.contains(DatasetFormat.key($0.key)) }.mapValues(\.text),
      position: position)
    return labelled(sample, own: try ownLabel(text, labels))
  }

  /// What the row says about its label.
  private enum OwnLabel {
    case none
    case label(Sample.Label)
    case deliberatelyNone
  }

  private func ownLabel(
    _ text: (String?) -> String?, _ labels: LabelColumns
  ) throws(Rejected) -> OwnLabel {
    switch format.labels {
    case .none, .all: return .none
    case .usual:
      switch labels.answer({ text($0) }) {
      case .label(let label): return .label(label)
      case .nothing: return .none
      case .unknown(let column, let value):
        throw Rejected(
          reason: .notALabel(value, column: column, known: LabelColumns.known(in: column)))
      }
    case .prefix(let column, let prefix):
      guard let value = text(column) else { return .none }
      return .label(value.lowercased().hasPrefix(prefix) ? .harmful : .safe)
    case .column(let column, let known, let unlabelled):
      guard let value = text(column)?.lowercased() else { return .none }
      if let label = known[value] { return .label(label) }
      if unlabelled.contains(value) { return .deliberatelyNone }
      throw Rejected(
        reason: .notALabel(value, column: column, known: (known.keys + unlabelled).sorted()))
    }
  }

  private func labelled(_ sample: Sample, own: OwnLabel) -> Sample {
    var sample = sample
    switch own {
    case .label(let label): (sample.label, sample.labelOrigin) = (label, .row)
    case .deliberatelyNone: break
    case .none:
      if let callerLabel {
        (sample.label, sample.labelOrigin) = (callerLabel, .caller)
      } else if case .all(let label) = format.labels {
        (sample.label, sample.labelOrigin) = (label, .format)
      }
    }
    return sample
  }

  /// White space around a prompt is dropped: sets differ in it (every OKTest prompt ends in a newline), and a
  /// single space at the end can change what a model does (arXiv 2407.03232), which is not what is measured.
  private func prompt(_ value: JSONValue) throws(Rejected) -> Sample.Content {
    let isConversation = DatasetFormat.key(format.prompt) == "messages"
    switch value {
    case .string(let text) where isConversation:
      guard let parsed = try? JSONValue.parse(text.utf8), case .array(let turns) = parsed else {
        throw Rejected(reason: .badConversation(detail: "the cell is not a JSON list of messages"))
      }
      return .messages(try conversation(turns))
    case .string(let text):
      let trimmed = text.trimmingSpaces()
      guard !trimmed.isEmpty else { throw Rejected(reason: .emptyPrompt) }
      if trimmed.utf8.contains(0) { throw Rejected(reason: .zeroByte) }
      return .text(trimmed)
    case .array(let turns): return .messages(try conversation(turns))
    default: throw Rejected(reason: .wrongType(found: value.kind, expected: "a text or a list of messages"))
    }
  }

  private func conversation(_ values: [JSONValue]) throws(Rejected) -> [Sample.Turn] {
    var turns: [Sample.Turn] = []
    for (index, value) in values.enumerated() {
      guard case .object(let message) = value, case .string(let roleName)? = message["role"],
        case .string(let content)? = message["content"]
      else {
        throw Rejected(reason: .badConversation(detail: "message \(index + 1) needs 'role' and 'content'"))
      }
      guard let role = Sample.Turn.Role(rawValue: roleName) else {
        throw Rejected(
          reason: .badConversation(
            detail: "message \(index + 1) has the role '\(roleName)'; known are system, user and assistant"))
      }
      if role == .system, index > 0 {
        throw Rejected(reason: .badConversation(detail: "a system message stands only at the beginning"))
      }
      guard !content.trimmingSpaces().isEmpty else { throw Rejected(reason: .emptyPrompt) }
      if WithheldText.isMarker(content) { throw Rejected(reason: .withheld) }
      if content.utf8.contains(0) { throw Rejected(reason: .zeroByte) }
      turns.append(Sample.Turn(role: role, content: content))
    }
    guard turns.last?.role == .user else {
      throw Rejected(reason: .badConversation(detail: "it has to end with a user message"))
    }
    return turns
  }
}
