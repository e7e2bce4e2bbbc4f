import Foundation
import SelfCDData
import SelfCDEval
import SelfCDJudges
import Testing

@testable import SelfCDReport

/// Charts as files of their own: the same marks in every format, and files that other programs can read.
@Suite struct FigureTests {
  private static func drawings() throws -> [Drawing] {
    RunCharts(run: try Fixture.run()).all.flatMap { $0.chart.drawings }
  }

  /// A drawing of one text.
  private static func drawing(_ text: String, _ style: String = "t") -> Drawing {
    Drawing(
      id: "x", width: 100, height: 50, title: "T", description: "D",
      marks: [.text(text, at: (x: 10, y: 20), style: style, anchor: .start)])
  }

  @Test func everyChartIsThereInBothFormats() throws {
    let names = ReportFigures(try Fixture.data(), formats: [.svg, .pdf]).files.map(\.name)
    let charts = [
      "frontier", "sweep-self-cd", "rates", "rates-narrow", "categories-safe", "categories-safe-narrow",
      "categories-harmful", "categories-harmful-narrow", "divergence",
    ]
    #expect(names == charts.flatMap { ["\($0).svg", "\($0).pdf"] })
    let page = HTMLReport.render(try Fixture.data())
    #expect(page.components(separatedBy: "<svg").count - 1 == charts.count)
  }

  @Test func theSameReportGivesTheSameBytes() throws {
    let data = try Fixture.data()
    #expect(ReportFigures(data).files == ReportFigures(data).files)
  }

  // MARK: Looks

  /// What charts are drawn with has a look in print, and that look is the style sheet's for paper.
  @Test func inksAreThoseOfThePrintedPage() throws {
    for drawing in try Self.drawings() {
      for style in drawing.marks.map(Self.style) {
        for name in style.split(separator: " ").map(String.init) {
          #expect(Ink.colors[name] != nil || Ink.others.contains(name), "\(name)")
        }
      }
    }
    let sheet = "\(Stylesheet.css)"
    let print = try #require(sheet.range(of: "@media print{:root{"))
    let rules = String(sheet[print.upperBound...].prefix { $0 != "}" })
    func printed(_ variable: String) throws -> String {
      let start = try #require(rules.range(of: "--\(variable):")).upperBound
      let value = String(rules[start...].prefix { $0 != ";" && $0 != "}" })
      return value.count == 4 ? "#" + value.dropFirst().map { "\($0)\($0)" }.joined() : value
    }
    for (name, variable) in [("t", "ink"), ("m", "mute"), ("grid", "rule"), ("axis", "mute")] {
      let expected = try printed(variable)
      #expect(Ink.colors[name]?.hex == expected, "\(name)")
    }
    for index in 0..<7 {
      let expected = try printed("c\(index)")
      #expect(Ink.colors["s\(index)"]?.hex == expected)
    }
  }

  private static func style(_ mark: Mark) -> String {
    switch mark {
    case .line(_, _, let style, _, _), .polyline(_, let style, _, _), .area(_, let style, _): style
    case .cell(_, _, _, let style, _, _), .text(_, _, let style, _), .upright(_, _, let style): style
    case .circle(_, _, let style), .shape(_, let style): style
    }
  }

  // MARK: SVG

  @Test func standaloneDrawingsNeedNoStyleSheet() throws {
    for file in ReportFigures(try Fixture.data(), formats: [.svg]).files {
      let text = String(decoding: file.contents, as: UTF8.self)
      let lines = text.split(separator: "\n", maxSplits: 1)
      #expect(lines.first == "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
      let checker = MarkupChecker(String(lines.last ?? ""))
      #expect(checker.faults == [], "\(file.name)")
      #expect(checker.elements["svg"] == 1 && checker.elements["title"] == 1 && checker.elements["desc"] == 1)
      #expect(checker.elements["style"] == nil && checker.elements["script"] == nil)
      #expect(!checker.attributes.contains { $0.name == "class" || $0.value.contains("currentColor") })
      #expect(checker.attributes.contains { $0.name == "font-family" && $0.value.hasPrefix("Helvetica") })
    }
  }

  /// A wide drawing is six inches wide and a narrow one three, whatever the height.
  @Test func drawingsHaveTheWidthOfPages() throws {
    for drawing in try Self.drawings() {
      let width = drawing.fit == .narrow ? "216pt" : "432pt"
      #expect(FigureSVG(drawing: drawing).text.contains("width=\"\(width)\""), "\(drawing.id)")
      let text = String(decoding: FigurePDF(drawing: drawing).data, as: UTF8.self)
      #expect(text.contains("/MediaBox [0 0 \(width.dropLast(2)) "), "\(drawing.id)")
    }
  }

  // MARK: PDF

  /// Read as a program does: from the end to the table, from there to every object, and streams by their length.
  @Test func offsetsAndLengthsAreRight() throws {
    for file in ReportFigures(try Fixture.data(), formats: [.pdf]).files {
      let bytes = [UInt8](file.contents)
      func text(_ from: Int, _ count: Int) -> String {
        String(decoding: bytes[min(from, bytes.count)..<min(from + count, bytes.count)], as: UTF8.self)
      }
      #expect(text(0, 9) == "%PDF-1.4\n" && bytes[10] > 127)
      let tail = text(bytes.count - 40, 40).split(separator: "\n")
      #expect(tail.last == "%%EOF" && tail.dropLast(2).last == "startxref")
      let table = try #require(tail.dropLast().last.flatMap { Int($0) })
      let lines = text(table, bytes.count).split(separator: "\n").map(String.init)
      #expect(lines[0] == "xref" && lines[2] == "0000000000 65535 f ")
      let count = try #require(Int(lines[1].dropFirst(2)))
      let root = "<< /Size \(count) /Root 1 0 R /Info \(count - 1) 0 R >>"
      #expect(lines[2 + count] == "trailer" && lines[3 + count] == root)
      for number in 1..<count {
        let entry = lines[2 + number]
        #expect(entry.utf8.count == 19 && entry.hasSuffix(" 00000 n "))
        let place = try #require(Int(entry.prefix(10)))
        #expect(text(place, 9).hasPrefix("\(number) 0 obj\n"), "\(file.name), object \(number)")
      }
      let whole = text(6, bytes.count)
      let content = try #require(whole.range(of: "/Length "))
      let length = try #require(Int(whole[content.upperBound...].prefix { $0.isNumber }))
      let start = try #require(whole.range(of: "stream\n")).upperBound
      let end = try #require(whole.range(of: "\nendstream")).lowerBound
      #expect(whole[start..<end].utf8.count == length && length > 1000)
      #expect(whole[start..<end].utf8.allSatisfy { $0 < 128 })
    }
  }

  @Test func everyMarkIsDrawn() throws {
    for drawing in try Self.drawings() {
      let content = PDFContent(drawing)
      let lines = content.stream.split(separator: "\n")
      func operators(_ name: String) -> Int { lines.count { $0 == name || $0.hasSuffix(" " + name) } }
      var (strokes, outlines, texts) = (0, 0, 0)
      for mark in drawing.marks {
        switch mark {
        case .line: strokes += 1
        case .polyline(let points, _, _, _): strokes += points.count > 1 ? 1 : 0
        case .circle, .shape: outlines += 1
        case .text, .upright: texts += 1
        default: break
        }
      }
      #expect(operators("S") == strokes && operators("B") == outlines, "\(drawing.id)")
      #expect(operators("BT") == texts && operators("ET") == texts, "\(drawing.id)")
      #expect(operators("q") == operators("Q"), "what a mark sets ends with it")
      for line in lines where line.hasSuffix(" gs") {
        let name = line.dropFirst().dropLast(3)
        #expect(content.opacities.contains { PDFContent.state($0) == name })
      }
    }
  }

  @Test func textsAreWrittenInTheStandardFonts() {
    let plain = PDFContent(Self.drawing("a(b)\\c é – α −2"))
    #expect(
      plain.stream.contains(
        "/F1 8.4 Tf\n(a\\(b\\)\\\\c \\351 \\226 ) Tj\n/F3 8.4 Tf\n(a) Tj\n/F1 8.4 Tf\n( ) Tj\n/F3 8.4 Tf\n(-) Tj\n"
          + "/F1 8.4 Tf\n(2) Tj"))
    #expect(PDFContent(Self.drawing("name", "t b")).stream.contains("/F2 8.4 Tf\n(name) Tj"))
    #expect(FigurePDF.remark(on: Self.drawing("plain é α …")) == nil)
    // Nothing is left out in silence, and a control is no control any more.
    let lacking = FigurePDF.remark(on: Self.drawing("雪\u{1B}雪"))
    #expect(lacking?.contains("雪 ␛: a question mark") == true)
    #expect(PDFContent(Self.drawing("雪")).stream.contains("(?) Tj"))
    // An accent of its own is the letter's.
    #expect(PDFContent(Self.drawing("e\u{301}")).stream.contains("(\\351) Tj"))
  }

  /// The widths that Adobe states for these glyphs.
  @Test(arguments: [("A", 667), ("il", 444), ("fi é", 1334), ("α", 631), ("…", 1000), ("W%", 1833), ("", 0)])
  func widthsAreThoseOfTheFonts(_ text: String, _ thousandths: Int) {
    #expect(abs(StandardFont.width(of: text, size: 1000, isBold: false) - Double(thousandths)) < 1e-9)
  }

  @Test func everyCodeHasAWidth() {
    #expect(StandardFontMetrics.regular.count == 224 && StandardFontMetrics.bold.count == 224)
    for scalar in StandardFontMetrics.windowsLatin.keys {
      #expect(StandardFont.width(of: String(scalar), size: 1, isBold: false) > 0, "\(scalar)")
    }
  }
}
