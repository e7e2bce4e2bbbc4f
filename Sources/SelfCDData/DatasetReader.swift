import Crypto
import Foundation
import SelfCDSupport

/// Reads sets of prompts in every format of ``DatasetFormatCatalogue``, plain or gzip-compressed.
///
/// The container (table, JSON, JSON lines, plain lines) follows from the file's extension, or from its content
/// where the extension says nothing; the format follows from the columns. Both can be given instead.
public struct DatasetReader: Sendable {
  /// How a file is laid out as text.
  public enum Container: String, Codable, Sendable, CaseIterable {
    /// Comma-separated values with a header.
    case csv
    /// One JSON document.
    case json
    /// One JSON value a line.
    case jsonLines = "jsonl"
    /// One prompt a line.
    case lines
  }

  /// What the caller knows or wants.
  public struct Options: Codable, Sendable, Hashable {
    /// The set's name; nil takes the one in the file, else the file's.
    public var name: String?
    /// The set's version; nil takes the one in the file, if any.
    public var version: String?
    /// The format; nil detects it.
    public var format: DatasetFormat?
    /// The container; nil detects it.
    public var container: Container?
    /// The delimiter of a table, an ASCII character; nil finds it: a comma, a semicolon, a tab or a bar.
    public var delimiter: UInt8?
    /// The label of every row that has none of its own (`--safe FILE` and its siblings).
    public var label: Sample.Label?
    /// Whether malformed rows are left out and reported instead of ending the reading.
    public var skipsBadRows: Bool
    /// The largest file, and the most a gzip file may unpack to, in bytes.
    public var byteLimit: Int
    /// The largest row, in bytes.
    public var recordLimit: Int

    /// Makes options; all have defaults.
    public init(
      name: String? = nil, version: String? = nil, format: DatasetFormat? = nil, container: Container? = nil,
      delimiter: UInt8? = nil, label: Sample.Label? = nil, skipsBadRows: Bool = false,
      byteLimit: Int = 1 << 30, recordLimit: Int = 1 << 20
    ) {
      self.name = name
      self.version = version
      self.format = format
      self.container = container
      self.delimiter = delimiter
      self.label = label
      self.skipsBadRows = skipsBadRows
      self.byteLimit = byteLimit
      self.recordLimit = recordLimit
    }
  }

  /// What the caller knows or wants.
  public var options: Options

  /// Makes a reader.
  public init(options: Options = Options()) {
    self.options = options
  }

  /// Reads the file at `path`.
  /// - Throws: `DatasetError`; malformed rows are collected and thrown together unless they are skipped.
  public func read(path: String) throws(DatasetError) -> Dataset {
    try read(bytes: try Self.load(path, limit: options.byteLimit), fileName: path)
  }

  /// Reads a file's bytes; `fileName` gives the extension, the set's name and the name in errors.
  /// - Throws: `DatasetError`; malformed rows are collected and thrown together unless they are skipped.
  public func read(bytes: [UInt8], fileName: String) throws(DatasetError) -> Dataset {
    let digest = SHA256.hash(data: bytes).hexadecimal
    let source = try source(bytes: bytes, fileName: fileName)
    var format =
      if let format = options.format { format } else { try detectFormat(of: source, file: fileName) }
    // A format that was asked for has no labels besides its own.
    if options.format == nil, format.labels == .none { format.labels = .usual }
    if format.layout == .records { try check(source, against: format, file: fileName) }
    let (samples, issues) = SampleBuilder(format: format, callerLabel: options.label).build(source)
    // First: where nothing is left, leaving bad rows out is no way out.
    if samples.isEmpty { throw .nothingUsable(file: fileName, issues: issues) }
    if !issues.isEmpty, !options.skipsBadRows { throw .malformedRows(file: fileName, issues: issues) }
    return Dataset(
      name: options.name ?? source.name ?? Self.stem(of: fileName),
      version: options.version ?? source.version,
      sha256: digest, format: format.name, samples: samples, skipped: issues)
  }

  /// The records of a file before a format gives them a meaning.
  package func source(bytes: [UInt8], fileName: String) throws(DatasetError) -> RecordSource {
    try records(of: try unpacked(bytes, file: fileName), file: fileName)
  }
}

// MARK: - Bytes

extension DatasetReader {
  /// The bytes at `path`, which may also be a pipe (`<(…)` in a shell), whose size no one knows beforehand.
  package static func load(_ path: String, limit: Int) throws(DatasetError) -> [UInt8] {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw .unreadable(file: path, detail: "there is no such file")
    }
    if isDirectory.boolValue { throw .unreadable(file: path, detail: "it is a directory") }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw .unreadable(file: path, detail: "it may not be opened")
    }
    defer { try? handle.close() }
    var bytes: [UInt8] = []
    do {
      while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
        bytes.append(contentsOf: chunk)
        if bytes.count > limit { break }
      }
    } catch {
      throw .unreadable(file: path, detail: "\(error.localizedDescription)")
    }
    if bytes.count > limit { throw .tooLarge(file: path, limit: limit) }
    return bytes
  }

  private func unpacked(_ bytes: [UInt8], file: String) throws(DatasetError) -> [UInt8] {
    var content = bytes
    if Gzip.isGzip(bytes) {
      do {
        content = try Gzip.unpack(bytes, limit: options.byteLimit)
      } catch {
        switch error {
        case .tooLarge: throw .tooLarge(file: file, limit: options.byteLimit)
        case .corrupt(let detail): throw .corruptGzip(file: file, detail: detail)
        }
      }
    }
    if content.starts(with: Array("PAR1".utf8)) {
      // No Parquet reader in Swift is kept well enough to depend on.
      throw .unsupported(
        file: file, kind: "a Parquet file",
        advice: "Convert it first, for example: python3 -c \"import pandas; "
          + "pandas.read_parquet('in.parquet').to_json('out.jsonl', orient='records', lines=True)\"")
    }
    if content.starts(with: Array("PK\u{3}\u{4}".utf8)) {
      throw .unsupported(
        file: file, kind: "a ZIP archive",
        advice: Self.fileExtension(of: file) == "eval"
          ? "Inspect prints its logs as JSON: inspect log dump LOG > log.json"
          : "Unpack it first; save a spreadsheet as CSV.")
    }
    do {
      content = try TextEncoding.utf8(content)
    } catch {
      throw .unsupported(
        file: file, kind: "\(error)", advice: "Write it again as UTF-8, or convert it with iconv.")
    }
    if content.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) { throw .empty(file: file) }
    return content
  }
}

// MARK: - Detection

extension DatasetReader {
  private func records(of content: [UInt8], file: String) throws(DatasetError) -> RecordSource {
    switch options.container ?? detectContainer(of: content, file: file) {
    case .csv: try table(of: content, file: file)
    case .json: try .json(content[...], file: file)
    case .jsonLines: .jsonLines(content[...], recordLimit: options.recordLimit)
    case .lines: .plainLines(content[...], recordLimit: options.recordLimit)
    }
  }

  private func table(of content: [UInt8], file: String) throws(DatasetError) -> RecordSource {
    var delimiter = delimiter(for: file)
    if let likely = likelierDelimiter(than: delimiter, in: content) {
      // One that was asked for is not changed behind the caller's back.
      guard options.delimiter == nil else {
        throw .wrongDelimiter(file: file, found: Self.name(of: delimiter), likely: Self.name(of: likely))
      }
      delimiter = likely
    }
    return try .table(content, delimiter: delimiter, recordLimit: options.recordLimit, file: file)
  }

  /// With the wrong delimiter every row is one field, and the errors would be about everything but that.
  private func likelierDelimiter(than delimiter: UInt8, in content: [UInt8]) -> UInt8? {
    let columns = header(of: content, delimiter: delimiter) ?? []
    guard !recognises(columns) else { return nil }
    let others = Self.delimiters.map(\.byte).filter { $0 != delimiter }
    let headers = others.map { (delimiter: $0, columns: header(of: content, delimiter: $0) ?? []) }
    let known = headers.first { recognises($0.columns) }
    return (known ?? headers.first { columns.count <= 1 && $0.columns.count > 1 })?.delimiter
  }

  private func recognises(_ columns: [String]) -> Bool {
    guard let format = options.format else { return DatasetFormatCatalogue.detect(columns: columns) != nil }
    let present = Set(columns.map(DatasetFormat.key))
    return present.isSuperset(of: (format.required + [format.prompt]).map(DatasetFormat.key))
  }

  private static let delimiters: [(byte: UInt8, name: String)] = [
    (UInt8(ascii: ","), "commas"), (UInt8(ascii: ";"), "semicolons"), (UInt8(ascii: "\t"), "tabs"),
    (UInt8(ascii: "|"), "bars"),
  ]

  private static func name(of delimiter: UInt8) -> String {
    delimiters.first { $0.byte == delimiter }?.name ?? "'\(Character(UnicodeScalar(delimiter)))'"
  }

  private func detectContainer(of content: [UInt8], file: String) -> Container {
    switch Self.fileExtension(of: file) {
    case "jsonl", "ndjson": return .jsonLines
    case "json": return Self.looksLikeJSONLines(content) ? .jsonLines : .json
    case "txt", "list": return .lines
    case "csv", "tsv":
      // A caller who calls a file a plain list means its lines, whatever the extension.
      return options.format?.layout == .list ? .lines : .csv
    default: break
    }
    switch content.first(where: { $0 > 0x20 }) {
    case UInt8(ascii: "["): return .json
    case UInt8(ascii: "{"):
      return Self.looksLikeJSONLines(content) || Self.isOneRecord(content) ? .jsonLines : .json
    default: break
    }
    if options.format?.layout == .list { return .lines }
    let delimiters = options.delimiter.map { [$0] } ?? Self.delimiters.map(\.byte)
    let headers = delimiters.compactMap { header(of: content, delimiter: $0) }
    // A line with semicolons is no table: only columns that mean something make one.
    return !headers.isEmpty && (options.format != nil || headers.contains(where: recognises)) ? .csv : .lines
  }

  private func detectFormat(of source: RecordSource, file: String) throws(DatasetError) -> DatasetFormat {
    let isList = source.columns.isEmpty
    if isList { return DatasetFormatCatalogue.plainList }
    if let format = DatasetFormatCatalogue.detect(columns: source.columns) { return format }
    // An export without texts has no column for them, and says so.
    let issues = source.withheld()
    guard issues.isEmpty else { throw .nothingUsable(file: file, issues: issues) }
    throw .unknownColumns(
      file: file, columns: source.columns,
      known: DatasetFormatCatalogue.promptColumns + ["text", "messages"])
  }

  private func check(
    _ source: RecordSource, against format: DatasetFormat, file: String
  ) throws(DatasetError) {
    let present = Set(source.columns.map(DatasetFormat.key))
    let missing = format.required.filter { !present.contains(DatasetFormat.key($0)) }
    guard missing.isEmpty, present.contains(DatasetFormat.key(format.prompt)) else {
      throw .missingColumns(
        file: file, format: format.name, missing: missing.isEmpty ? [format.prompt] : missing,
        present: source.columns)
    }
  }

  /// The first record of a table, nil where it is none.
  private func header(of content: [UInt8], delimiter: UInt8) -> [String]? {
    var parser = CSVParser(content, delimiter: delimiter, recordLimit: options.recordLimit)
    guard case .record(let fields, _)? = parser.next() else { return nil }
    return fields
  }

  private func delimiter(for file: String) -> UInt8 {
    options.delimiter ?? UInt8(ascii: Self.fileExtension(of: file) == "tsv" ? "\t" : ",")
  }

  /// Several lines of which the first is a complete object: what many sets call `.json`.
  private static func looksLikeJSONLines(_ content: [UInt8]) -> Bool {
    let lines = content.split(maxSplits: 1, whereSeparator: { $0 == 0x0A || $0 == 0x0D })
    guard lines.count == 2, let first = lines.first, lines[1].contains(where: { $0 > 0x20 }),
      case .object? = try? JSONValue.parse(first)
    else { return false }
    return true
  }

  /// One line with an object that holds no list of records: JSON lines of one line.
  private static func isOneRecord(_ content: [UInt8]) -> Bool {
    let lines = content.split { $0 == 0x0A || $0 == 0x0D }
    guard lines.count == 1, let line = lines.first, case .object(let values)? = try? JSONValue.parse(line)
    else { return false }
    let hasLists = RecordSource.listKeys.contains { key in
      if case .array? = values[key] { true } else { false }
    }
    return !hasLists && RecordSource.list(in: values) == nil
  }

  /// Without folders, `.gz` and the extension.
  private static func stem(of file: String) -> String {
    var url = URL(fileURLWithPath: file)
    if url.pathExtension.lowercased() == "gz" { url.deletePathExtension() }
    return url.deletingPathExtension().lastPathComponent
  }

  /// In lower case; the one before `.gz` for a packed file.
  private static func fileExtension(of file: String) -> String {
    var url = URL(fileURLWithPath: file)
    if url.pathExtension.lowercased() == "gz" { url.deletePathExtension() }
    return url.pathExtension.lowercased()
  }
}
