import Foundation
import SelfCDData

/// A report's charts and tables as files for papers: vector figures, tables of LaTeX, and the figures behind them as CSV.
///
/// None of them holds a prompt or a reply. The same report gives the same bytes.
///
///     let report = ReportData(runs: [try ReportRun(id: "first", in: store)])
///     try ReportFigures(report).write(to: URL(filePath: "figures"))
public struct ReportFigures: Sendable {
  /// How charts and tables are written.
  public enum Format: String, Codable, Sendable, CaseIterable {
    /// Each chart as SVG that needs no style sheet.
    case svg
    /// Each chart as PDF, in vectors.
    case pdf
    /// Each table as a `tabular` of booktabs.
    case latex
    /// The figures of all runs, one a row.
    case csv

    var ending: String { self == .latex ? "tex" : rawValue }
  }

  /// One file.
  public struct File: Sendable, Hashable {
    /// Its name; of several runs, behind the folder of its run.
    public let name: String
    /// What is in it.
    public let contents: Data
    /// What a reader has to know of it; nil where there is nothing to say.
    public let remark: String?
  }

  /// The files, in the order of the report.
  public let files: [File]

  /// Draws and sets what there is.
  /// - Parameters:
  ///   - data: The report.
  ///   - formats: The kinds of files that are wanted.
  public init(_ data: ReportData, formats: Set<Format> = Set(Format.allCases)) {
    var files: [File] = []
    for (index, run) in data.runs.enumerated() {
      let folder = data.runs.count > 1 ? "run\(index + 1)-\(Self.fileName(run.record.id))/" : ""
      files += Self.charts(run, folder, formats)
      if formats.contains(.latex) { files += Self.tables(run, folder) }
    }
    if formats.contains(.latex), data.runs.count > 1 {
      files.append(Self.file(RunTables.overview(data.runs), "overview", data.intervals))
    }
    if formats.contains(.csv) {
      files += ReportDataTables(runs: data.runs).all.map {
        File(name: "\($0.name).csv", contents: Data($0.csv.utf8), remark: nil)
      }
    }
    self.files = files
  }

  /// Writes the files into a folder, which is made if need be. Files of the same names are replaced.
  /// - Parameter folder: Where they go.
  /// - Throws: What the file system says.
  public func write(to folder: URL) throws {
    for file in files {
      let url = folder.appending(path: file.name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try file.contents.write(to: url, options: .atomic)
    }
  }

  // MARK: Charts

  private static func charts(_ run: ReportRun, _ folder: String, _ formats: Set<Format>) -> [File] {
    var taken: Set<String> = []
    var files: [File] = []
    for figure in RunCharts(run: run).all {
      var own = fileName(figure.name)
      while !taken.insert(own).inserted { own += "-" }
      for drawing in figure.chart.drawings {
        let name = folder + own + (drawing.fit == .narrow ? "-narrow" : "")
        if formats.contains(.svg) {
          let text = FigureSVG(drawing: drawing).text
          files.append(File(name: "\(name).svg", contents: Data(text.utf8), remark: nil))
        }
        if formats.contains(.pdf) {
          files.append(
            File(
              name: "\(name).pdf", contents: FigurePDF(drawing: drawing).data,
              remark: FigurePDF.remark(on: drawing)))
        }
      }
    }
    return files
  }

  // MARK: Tables

  private static func tables(_ run: ReportRun, _ folder: String) -> [File] {
    let tables = RunTables(run: run)
    var named: [(name: String, table: Table?)] = []
    named.append(("rates", tables.rates))
    named.append(("comparisons", tables.comparisons))
    for label in [Sample.Label.safe, .harmful] {
      named.append(("categories-\(label.rawValue)", tables.categories(label)))
    }
    named.append(("judges", tables.judges))
    for (index, pair) in run.judgePairs.enumerated() {
      named.append(("confusion-\(index + 1)", tables.confusion(pair)))
    }
    for published in PaperTables(run: run).named { named.append((published.name, published.table)) }
    named.append(("sets", tables.sets))
    let notes = [
      "Run \(run.record.id); model \(run.record.model); judge \(run.judge).", Wording.measured(run),
      Wording.intervals(run), Wording.counting,
    ]
    return named.compactMap { entry in entry.table.map { file($0, folder + entry.name, notes) } }
  }

  private static func file(_ table: Table, _ name: String, _ notes: [String]) -> File {
    File(name: "\(name).\(Format.latex.ending)", contents: Data(table.latex(notes).utf8), remark: nil)
  }

  /// A name that every file system takes and that is no path.
  private static func fileName(_ name: String) -> String {
    let scalars = name.unicodeScalars.map { scalar -> Character in
      let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
      return isPlain || "-_.".unicodeScalars.contains(scalar) ? Character(scalar) : "-"
    }
    return String(scalars.prefix(64))
  }
}

extension FigurePDF {
  /// What the file cannot show; nil where it shows everything.
  static func remark(on drawing: Drawing) -> String? {
    var missing: [String] = []
    for mark in drawing.marks {
      let text: String? =
        switch mark {
        case .text(let text, _, _, _): text
        case .upright(let text, _, _): text
        default: nil
        }
      for scalar in StandardFont.missing(in: text ?? "") where !missing.contains(String(scalar)) {
        missing.append(String(scalar))
      }
    }
    guard !missing.isEmpty else { return nil }
    return
      "The standard fonts of PDF lack \(missing.joined(separator: " ")): a question mark stands there. The SVG has them."
  }
}
