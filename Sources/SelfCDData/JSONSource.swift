import SelfCDSupport

extension RecordSource {
  /// Where an object that is a whole data set may have its list.
  static let listKeys = ["instructions", "samples", "prompts", "data", "examples"]
  private static let expectedShape =
    "a list of objects or strings, or an object with such a list under "
    + listKeys.map { "'\($0)'" }.joined(separator: ", ")

  /// Reads one JSON document: a list, or an object around a list.
  /// - Throws: `DatasetError.wrongShape` for anything else, `.empty` for an empty list.
  static func json(_ bytes: ArraySlice<UInt8>, file: String) throws(DatasetError) -> RecordSource {
    let document: JSONValue
    do {
      document = try JSONValue.parse(bytes)
    } catch {
      throw .wrongShape(
        file: file, found: "text that is not JSON (\(JSONValue.detail(of: error)))", expected: expectedShape)
    }
    var source = RecordSource()
    let elements: [JSONValue]
    switch document {
    case .array(let values): elements = values
    case .object(let values):
      guard let list = list(in: values) else {
        throw .wrongShape(
          file: file, found: "an object with \(values.keys.sorted().joined(separator: ", "))",
          expected: expectedShape)
      }
      elements = list
      if case .string(let name)? = values["name"] { source.name = name }
      if case .string(let version)? = values["version"] { source.version = version }
    default: throw .wrongShape(file: file, found: document.kind, expected: expectedShape)
    }
    if elements.isEmpty { throw .empty(file: file) }
    for (index, element) in elements.enumerated() { source.add(element, at: .element(index + 1)) }
    source.collectColumns()
    return source
  }

  /// The list of an object that is a whole data set. Results of promptfoo have theirs at `results.results`.
  static func list(in values: [String: JSONValue]) -> [JSONValue]? {
    let lists = listKeys.compactMap { key -> [JSONValue]? in
      if case .array(let list)? = values[key] { list } else { nil }
    }
    guard lists.isEmpty else { return lists.count == 1 ? lists.first : nil }
    guard case .object(let results)? = values["results"], case .array(let list)? = results["results"] else {
      return nil
    }
    return list
  }

  /// Reads one JSON value a line; empty lines are passed over.
  static func jsonLines(_ bytes: ArraySlice<UInt8>, recordLimit: Int) -> RecordSource {
    var source = RecordSource()
    for (number, line) in numberedLines(bytes) {
      guard line.count <= recordLimit else {
        source.reject(.line(number), .tooLarge(limit: recordLimit))
        continue
      }
      guard String(validating: line, as: UTF8.self) != nil else {
        source.reject(.line(number), .invalidUTF8)
        continue
      }
      do {
        source.add(try JSONValue.parse(line), at: .line(number))
      } catch {
        source.reject(.line(number), .invalidJSON(detail: JSONValue.detail(of: error)))
      }
    }
    source.collectColumns()
    return source
  }

  /// Reads one prompt a line; empty lines are passed over.
  static func plainLines(_ bytes: ArraySlice<UInt8>, recordLimit: Int) -> RecordSource {
    var source = RecordSource()
    for (number, line) in numberedLines(bytes) {
      if line.count > recordLimit {
        source.reject(.line(number), .tooLarge(limit: recordLimit))
      } else if line.contains(0) {
        source.reject(.line(number), .zeroByte)
      } else if let text = String(validating: line, as: UTF8.self) {
        source.records.append(Record(position: .line(number), value: .bare(text)))
      } else {
        source.reject(.line(number), .invalidUTF8)
      }
    }
    return source
  }

  private mutating func add(_ value: JSONValue, at position: Sample.Position) {
    switch value {
    case .object(let values): records.append(Record(position: position, value: .named(values)))
    case .string(let text): records.append(Record(position: position, value: .bare(text)))
    default: reject(position, .wrongType(found: value.kind, expected: "an object or a string"))
    }
  }

  /// The lines that are not blank, with their numbers from 1. CRLF, LF and CR end a line.
  private static func numberedLines(_ bytes: ArraySlice<UInt8>) -> [(Int, ArraySlice<UInt8>)] {
    var result: [(Int, ArraySlice<UInt8>)] = []
    var number = 1
    var start = bytes.startIndex
    var position = start
    func isBlank(_ line: ArraySlice<UInt8>) -> Bool { line.allSatisfy { $0 == 0x20 || $0 == 0x09 } }
    while position < bytes.endIndex {
      let byte = bytes[position]
      guard byte == 0x0A || byte == 0x0D else {
        position += 1
        continue
      }
      if !isBlank(bytes[start..<position]) { result.append((number, bytes[start..<position])) }
      position += 1
      if byte == 0x0D, position < bytes.endIndex, bytes[position] == 0x0A { position += 1 }
      number += 1
      start = position
    }
    if !isBlank(bytes[start...]) { result.append((number, bytes[start...])) }
    return result
  }
}
