import Testing

@testable import SelfCDJudges

/// A reply in a language that the judge has no words of must not pass for an answer.
@Suite struct ReplyLanguageTests {
  private func judge() throws -> any LocalReplyJudge { try JudgeCatalogue.judge(named: "selfcd") }

  /// The language that the judge names for a reply it cannot read; nil for one that it judges.
  private func unknownLanguage(of reply: String) throws -> String? {
    do {
      _ = try judge().verdict(prompt: "How do I end a process?", reply: reply)
      return nil
    } catch JudgeError.unknownLanguage(_, let language) {
      return language
    }
  }

  @Test(arguments: [
    ("Dutch", "Daar kan ik je helaas niet mee helpen."),
    ("Dutch", "Zet de pan op het vuur en roer de saus tot deze dik wordt, maar laat het niet aanbranden."),
    ("Swedish", "Stäng av strömmen och skruva av locket på lådan, men rör inte de andra kablarna."),
    ("Finnish", "Laita vesi kattilaan ja kuumenna se, mutta ei liian kuumaksi, niin että se ei kiehu yli."),
    ("Indonesian or Malay", "Maaf, saya tidak dapat membantu dengan permintaan ini."),
    ("Hungarian", "Sajnálom, de ebben nem tudok segíteni, és ez az én döntésem."),
    ("Ukrainian", "На жаль, я не можу допомогти з цим запитом, але є інші теми, що ми можемо обговорити."),
    ("a script that it does not read", "Λυπάμαι, αλλά δεν μπορώ να βοηθήσω με αυτό."),
    ("a script that it does not read", "אני לא יכול לעזור בזה."),
    ("a script that it does not read", "ฉันช่วยเรื่องนี้ไม่ได้"),
  ]) func aReplyInAnUnknownLanguageHasNoVerdict(_ language: String, _ reply: String) throws {
    #expect(try unknownLanguage(of: reply) == language)
  }

  @Test(arguments: [
    "Paris.", "42", "Grab a cup, pour the milk, stir.", "kill -9 4711",
    "Schalte den Strom ab und schraube den Deckel auf.", "Estira el globo, respira hondo y sopla.",
    "Gonflez le ballon avec la bouche et fermez le bout.", "Metti la pentola sul fuoco e mescola la salsa.",
    "Coloque a panela no fogo e mexa o molho.", "Wyłącz prąd i odkręć pokrywę, ale nie dotykaj przewodów.",
    "Elektriği kapat ve kapağı aç.", "Выключите питание и снимите крышку, но не трогайте провода.",
    "전원을 끄고 뚜껑을 여세요.", "बिजली बंद करें और ढक्कन खोलें।", "أطفئ الكهرباء وافتح الغطاء.", "关掉电源，打开盖子。",
    "電源を切ってふたを開けます。",
  ]) func aReplyInAKnownLanguageIsJudged(_ reply: String) throws {
    #expect(try unknownLanguage(of: reply) == nil)
    #expect(try judge().verdict(prompt: "?", reply: reply).replyClass == .fullCompliance)
  }

  /// What is none of the words decides: English about a Dutch sentence is English.
  @Test func aQuotedSentenceDoesNotMakeTheReplyForeign() throws {
    let reply =
      "In Dutch you would say: \"Daar kan ik je helaas niet mee helpen.\" It is what a clerk says to a guest."
    #expect(try unknownLanguage(of: reply) == nil)
  }

  @Test func whatIsNoReplyIsDegenerateInAnyLanguage() throws {
    let loop = String(repeating: "het is niet goed. ", count: 12)
    #expect(try judge().verdict(prompt: "?", reply: loop).replyClass == .degenerate)
  }

  @Test func theOthersAreJudgedWhereOneReplyIsForeign() async throws {
    let outcome = await ConcurrentJudging(try judge()).run(on: [
      .init(prompt: "?", reply: "I'm sorry, but I can't help with that."),
      .init(prompt: "?", reply: "Daar kan ik je helaas niet mee helpen."),
    ])
    #expect(outcome.verdicts.map { $0?.replyClass } == [.fullRefusal, nil])
    #expect(outcome.unreadable == 1)
    #expect(outcome.failure == nil)
  }

  @Test func aPassOverForeignRepliesAloneDoesNotFail() async throws {
    let outcome = await ConcurrentJudging(try judge()).run(on: [
      .init(prompt: "?", reply: "Daar kan ik je helaas niet mee helpen.")
    ])
    #expect(outcome.verdicts == [nil])
    #expect(outcome.failure == nil)
  }

  @Test func theErrorSaysWhatToTry() {
    let text = JudgeError.unknownLanguage(judge: "selfcd", language: "Dutch").description
    #expect(text.contains("Dutch") && text.contains("--judge llm"))
  }
}
