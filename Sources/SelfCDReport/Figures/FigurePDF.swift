import Foundation
import SelfCDSupport

/// A drawing as a PDF of one page as large as it: vectors, and texts that can be searched and copied.
///
/// The file has no date and no name of a machine, so that the same drawing gives the same bytes. The page has no
/// transparency group: pdfTeX warns of several of them on one page.
struct FigurePDF {
  let drawing: Drawing

  var data: Data {
    let content = PDFContent(drawing)
    let page = content.page
    let fonts = StandardFont.allCases.enumerated().map { "/\($1.resource) \($0 + Self.firstFont) 0 R" }
    let states = content.opacities.map { "/\(PDFContent.state($0)) << /ca \($0) /CA \($0) >>" }
    var objects = [
      "<< /Type /Catalog /Pages 2 0 R /Lang (en) >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 \(page.width) \(page.height)] /Contents 4 0 R"
        + " /Resources << /Font << \(fonts.joined(separator: " ")) >>"
        + " /ExtGState << \(states.joined(separator: " ")) >> >> >>",
      "<< /Length \(content.stream.utf8.count) >>\nstream\n\(content.stream)\nendstream",
    ]
    objects += StandardFont.allCases.map { font in
      // Symbol has an encoding of its own.
      let encoding = font == .symbol ? "" : " /Encoding /WinAnsiEncoding"
      return "<< /Type /Font /Subtype /Type1 /BaseFont /\(font.rawValue)\(encoding) >>"
    }
    objects.append(
      "<< /Title \(Self.hexadecimal(drawing.title)) /Subject \(Self.hexadecimal(drawing.description))"
        + " /Creator (SelfCD) >>")
    return Self.file(objects)
  }

  /// The fonts follow the catalogue, the tree of pages, the page and its content.
  private static let firstFont = 5

  /// Numbers the objects from 1 and lists where they begin; the last one says what the document is.
  private static func file(_ objects: [String]) -> Data {
    var data = Data("%PDF-1.4\n".utf8)
    // Bytes that are no text, so that no program takes the file for one.
    data.append(contentsOf: [0x25, 0xE2, 0xE3, 0xCF, 0xD3, 0x0A])
    var places: [Int] = []
    for (index, object) in objects.enumerated() {
      places.append(data.count)
      data.append(Data("\(index + 1) 0 obj\n\(object)\nendobj\n".utf8))
    }
    let start = data.count
    var end = "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
    for place in places {
      let digits = String(place)
      end += String(repeating: "0", count: max(0, 10 - digits.count)) + digits + " 00000 n \n"
    }
    end += "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R /Info \(objects.count) 0 R >>\n"
    end += "startxref\n\(start)\n%%EOF\n"
    data.append(Data(end.utf8))
    return data
  }

  /// A text of any script: UTF-16 with its byte order mark.
  private static func hexadecimal(_ text: String) -> String {
    let units = UntrustedText.singleLine(text).utf16.map { unit in
      let digits = String(unit, radix: 16, uppercase: true)
      return String(repeating: "0", count: 4 - digits.count) + digits
    }
    return "<FEFF\(units.joined())>"
  }
}

extension StandardFont {
  /// What the page calls the font.
  var resource: String {
    switch self {
    case .regular: "F1"
    case .bold: "F2"
    case .symbol: "F3"
    }
  }
}
