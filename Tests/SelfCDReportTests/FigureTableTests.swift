import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges
import Testing

@testable import SelfCDReport

/// A report's tables for LaTeX, and its figures for programs.
@Suite struct FigureTableTests {
  private static func text(_ name: String, in figures: ReportFigures) throws -> String {
    String(decoding: try #require(figures.files.first { $0.name == name }).contents, as: UTF8.self)
  }

  @Test func noFileHoldsAPromptOrAReply() throws {
    for file in ReportFigures(try Fixture.data(showsHarmful: true)).files where !file.name.hasSuffix(".pdf") {
      let text = String(decoding: file.contents, as: UTF8.self)
      #expect(!text.contains(Fixture.secret) && !text.contains("Question 1"), "\(file.name)")
    }
  }

  @Test func severalRunsHaveFoldersOfTheirOwn() throws {
    var data = try Fixture.data()
    data.runs.append(try Fixture.run())
    data.runs[1].record.id = "../up\u{2F}é"
    let names = ReportFigures(data).files.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.contains("run1-r1/frontier.svg") && names.contains("run2-..-up--/rates.tex"))
    #expect(names.contains("overview.tex") && names.contains("rates.csv"))
    #expect(!names.contains { $0.split(separator: "/").contains("..") || $0.hasPrefix("/") })
  }

  @Test func filesAreWrittenIntoAFolder() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "selfcd-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var data = try Fixture.data()
    data.runs.append(try Fixture.run())
    let figures = ReportFigures(data)
    try figures.write(to: folder)
    for file in figures.files {
      let written = try Data(contentsOf: folder.appending(path: file.name))
      #expect(written == file.contents, "\(file.name)")
    }
  }

  // MARK: LaTeX

  @Test func everyCharacterThatLaTeXReadsIsEscaped() {
    let special = "\\ { } $ & # % _ ~ ^ < > | \" ` [ ] * -- ''"
    #expect(
      LaTeXText.escaped(special)
        == "\\textbackslash{} \\{ \\} \\$ \\& \\# \\% \\_ \\textasciitilde{} \\textasciicircum{} \\textless{} "
        + "\\textgreater{} \\textbar{} \\symbol{34} \\textasciigrave{} {[} {]} {*} -{}- '{}'")
    #expect(
      LaTeXText.escaped("48.1–60.4 α\u{A0}2.5 −3 ≥ 1\u{202F}200")
        == "48.1--60.4 $\\alpha$~2.5 $-$3 $\\geq$ 1\\,200")
    // The end of a line would end a comment, and what is behind it would be read.
    let comment = LaTeXText.comment("a\nb\r\\input{c}\u{2028}d")
    #expect(comment.hasPrefix("% a") && !comment.contains { $0.isNewline })
    #expect(LaTeXText.isPlain(LaTeXText.escaped("Über 50% – α")) && !LaTeXText.isPlain("雪"))
  }

  /// As LaTeX takes them apart: rows of as many cells as there are columns, and no command that is not the table's own.
  @Test func tablesAreWhatLaTeXExpects() throws {
    let files = ReportFigures(try Fixture.data(), formats: [.latex]).files
    #expect(
      Set(files.map(\.name)).isSuperset(of: [
        "rates.tex", "comparisons.tex", "categories-safe.tex", "categories-harmful.tex", "judges.tex",
        "confusion-1.tex", "published-self-cd.tex", "sets.tex",
      ]))
    let known = [
      "\\begin{tabular}", "\\end{tabular}", "\\toprule", "\\midrule", "\\bottomrule", "\\textbf", "\\texttt",
      "\\footnotesize", "\\textless", "\\textgreater", "\\alpha", "\\kappa", "\\times", "\\leq", "\\geq",
      "\\rightarrow", "\\uparrow", "\\downarrow", "\\textbackslash", "\\ldots",
    ]
    for file in files {
      let text = String(decoding: file.contents, as: UTF8.self)
      let lines = text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("%") }
      let format = try #require(lines.first { $0.hasPrefix("\\begin{tabular}{") })
      let columns = format.dropFirst("\\begin{tabular}{".count).dropLast().count
      let rows = lines.filter { $0.hasSuffix(" \\\\") }
      #expect(rows.count == lines.count - 5 && rows.count > 1, "\(file.name)")
      for row in rows {
        var cells = row
        for escaped in ["\\\\", "\\&", "\\%", "\\$", "\\#", "\\_", "\\{", "\\}", "\\,"] {
          cells = cells.replacingOccurrences(of: escaped, with: "")
        }
        #expect(cells.count { $0 == "&" } == columns - 1, "\(file.name): \(row)")
        #expect(cells.count { $0 == "{" } == cells.count { $0 == "}" }, "\(file.name): \(row)")
        #expect(!cells.contains("%") && !cells.contains("#") && !cells.contains("_"), "\(row)")
        for name in known { cells = cells.replacingOccurrences(of: name, with: "") }
        #expect(!cells.contains("\\"), "\(file.name): \(cells)")
      }
    }
  }

  /// Whoever copies a table has what a reader has to know of it.
  @Test func commentsSayWhatTheFiguresAre() throws {
    let figures = ReportFigures(try Fixture.data(), formats: [.latex])
    let comment = try Self.text("rates.tex", in: figures).split(separator: "\n").filter { $0.hasPrefix("%") }
      .joined(separator: "\n")
    for fact in [
      "Caption: Refused in per cent", "Run r1; model model <7b>; judge xstest-strmatch@1",
      "24 harmless prompts and 16 harmful prompts", "Wilson", "booktabs",
    ] { #expect(comment.contains(fact), "\(fact)") }
    let grouped = try Fixture.run(ReportOptions(group: "category", examples: 2))
    let table = try Self.text(
      "rates.tex", in: ReportFigures(ReportData(createdAt: Date(), runs: [grouped]), formats: [.latex]))
    #expect(table.contains("3 groups of harmless and 3 groups of harmful prompts (column category)"))
  }

  // MARK: CSV

  /// Programs rely on names of columns, and the page that documents them has all of them.
  @Test func columnsAreDocumented() throws {
    let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/figures.md")
    let text = try String(contentsOf: page.standardizedFileURL, encoding: .utf8)
    for table in ReportDataTables(runs: [try Fixture.run()]).all {
      #expect(text.contains("`\(table.name).csv`"), "\(table.name)")
      for column in table.columns { #expect(text.contains("`\(column)`"), "\(table.name), \(column)") }
      #expect(table.rows.allSatisfy { $0.count == table.columns.count }, "\(table.name)")
    }
  }

  @Test func ratesAreTheReportsInFull() throws {
    let run = try Fixture.run()
    let figures = ReportFigures(ReportData(createdAt: Date(), runs: [run]), formats: [.csv])
    let lines = try Self.text("rates.csv", in: figures).components(separatedBy: "\r\n")
    #expect(
      lines[0]
        == "run,model,judge,judge_version,condition,strategy,alpha,label,set,category,measure,count,n,rate,low,high,"
        + "interval,groups")
    let guarded = try #require(run.pooled("guarded")?.safeUnanswered)
    #expect(
      lines.contains(
        "r1,model <7b>,xstest-strmatch,1,guarded,guarded,,safe,,,unanswered,13,24,\(guarded.rate),\(guarded.low),"
          + "\(guarded.high),wilson,"))
    // A negative number is a number, and no formula to be kept from running.
    let compared = try Self.text("comparisons.csv", in: figures)
    #expect(compared.contains(",refused,24,-0.") && !compared.contains("'-"))
    #expect(compared.contains(",tango,") && lines.last == "")
  }

  @Test func figuresWithoutAnIntervalHaveNoEnds() throws {
    var run = try Fixture.run()
    run.pooled[0].safe?.groups = 1
    let table = try #require(ReportDataTables(runs: [run]).all.first)
    #expect(table.csv.contains("plain,plain,,safe,,,refused,5,24,\(5.0 / 24),,,,1\r\n"))
  }
}
