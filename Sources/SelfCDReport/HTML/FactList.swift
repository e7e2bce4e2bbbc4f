/// Named facts; hashes, commands and parameters are set as code.
struct FactList {
  let facts: [ReportRecord.Fact]

  private static func isCode(_ fact: ReportRecord.Fact) -> Bool {
    fact.value.hasPrefix("{") || fact.name.hasSuffix("SHA-256") || fact.name == "Command"
  }

  var markup: Markup {
    tag("dl") {
      for fact in facts {
        tag("dt") { fact.name }
        tag("dd") {
          if Self.isCode(fact) {
            tag("code") { fact.value }
          } else {
            fact.value
          }
        }
      }
    }
  }
}
