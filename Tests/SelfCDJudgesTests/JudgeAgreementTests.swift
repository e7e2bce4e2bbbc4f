import Foundation
import SelfCDData
import SelfCDJudges
import SelfCDTesting
import Testing

@Suite struct JudgeAgreementTests {
  private let file = """
    completion,human_label,id,other
    "I'm sorry, no.",2_full_refusal,a,x
    " Sure, ""here"" it is.",1_full_compliance,b,y
    Sure.,3_partial_refusal,c,z
    "No, do this.",1_full_compliance,d,

    """

  @Test func labelledRepliesKeepTheirText() throws {
    let replies = try LabelledReplies(bytes: Array(file.utf8), fileName: "r.csv").replies
    #expect(replies.map(\.id) == ["a", "b", "c", "d"])
    #expect(replies[1].completion == " Sure, \"here\" it is.")
    #expect(replies.map(\.humanLabel) == [.fullRefusal, .fullCompliance, .partialRefusal, .fullCompliance])
    #expect(replies[0].fields == ["other": "x"])
    let lines = "{\"completion\": \"x\", \"human_label\": \"2_full_refusal\"}\n"
    let fromJSON = try LabelledReplies(bytes: Array(lines.utf8), fileName: "r.jsonl").replies
    #expect(fromJSON.map(\.humanLabel) == [.fullRefusal])
  }

  @Test func theColumnOfLabelsCanBeNamedAndBlankOnesAreCounted() throws {
    let table = "completion,Annotator,human_label\nA,2,1\nB, ,1\nC,full compliance,2\nD,,\n"
    let columns = ReplyColumns(humanLabel: "annotator")
    let read = try LabelledReplies(bytes: Array(table.utf8), fileName: "r.csv", columns: columns)
    #expect(read.replies.map(\.completion) == ["A", "C"] && read.unlabelled == 2)
    #expect(read.replies.map(\.humanLabel) == [.fullRefusal, .fullCompliance])
    #expect(read.replies.map(\.fields) == [["human_label": "1"], ["human_label": "2"]])
    #expect(try LabelledReplies(bytes: Array(table.utf8), fileName: "r.csv").unlabelled == 1)
    #expect(throws: JudgeError.noReplies) {
      try LabelledReplies(bytes: Array("completion,human_label\nA,\n".utf8), fileName: "r.csv")
    }
    let inside = #"{"completion": "A", "metadata": {"human_label": "2"}}"# + "\n"
    let nested = try LabelledReplies(bytes: Array(inside.utf8), fileName: "r.jsonl")
    #expect(nested.replies.map(\.humanLabel) == [.fullRefusal])
  }

  @Test func agreementIsCounted() async throws {
    let replies = try LabelledReplies(bytes: Array(file.utf8), fileName: "r.csv").replies
    let agreement = try await JudgeAgreement.measure(XSTestStringMatchJudge(), on: replies)
    #expect(agreement.n == 4)
    #expect(agreement.accuracy == 0.5)
    // By hand: agreement by chance is (2·2 + 1·2) / 16 = 0.375, so κ = 0.125 / 0.625.
    #expect(abs(agreement.kappa - 0.2) < 1e-12)
    #expect(agreement.confusion.counts == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(agreement)) as? [String: Any]
    #expect(json?["n"] as? Int == 4)
    #expect(json?["accuracy"] as? Double == 0.5)
    #expect(json?["kappa"] is Double)
  }

  @Test func aReplyWithoutClassIsWrong() throws {
    let agreement = try JudgeAgreement(
      judge: "j", version: "1", labels: [.fullRefusal, .fullCompliance, .fullRefusal],
      verdicts: [.fullRefusal, .fullCompliance, nil])
    #expect(agreement.n == 3 && agreement.accuracy == 2 / 3.0)
    #expect(
      agreement.confusion.labels.last == "no class" && agreement.confusion.counts[1] == [0, 1, 0, 0, 1])
  }

  @Test func filesWithoutWhatIsNeeded() {
    #expect(throws: JudgeError.missingColumn("human_label", file: "r.csv", present: ["completion", "label"]))
    {
      try LabelledReplies(bytes: Array("completion,label\na,b\n".utf8), fileName: "r.csv")
    }
    let wrong = { (line: Int, label: String) in
      RowIssue(
        position: .line(line),
        reason: .notALabel(label, column: "human_label", known: ReplyClass.allCases.map(\.rawValue)))
    }
    #expect(throws: DatasetError.nothingUsable(file: "r.csv", issues: [wrong(2, "maybe")])) {
      try LabelledReplies(bytes: Array("completion,human_label\na,maybe\n".utf8), fileName: "r.csv")
    }
    // All at once, and left out where that is asked for.
    let table = Array("completion,human_label\na,NA\nb,1\nc,2\nd,odd\ne,\n".utf8)
    let issues = [wrong(2, "NA"), wrong(5, "odd")]
    #expect(throws: DatasetError.malformedRows(file: "r.csv", issues: issues)) {
      try LabelledReplies(bytes: table, fileName: "r.csv")
    }
    let kept = try? LabelledReplies(bytes: table, fileName: "r.csv", skipsBadRows: true)
    #expect(kept?.replies.map(\.completion) == ["b", "c"] && kept?.skipped == issues)
    #expect(kept?.unlabelled == 1)
    #expect(throws: DatasetError.self) {
      try LabelledReplies(bytes: Array("completion,human_label\na\n".utf8), fileName: "r.csv")
    }
    #expect(throws: JudgeError.noReplies) {
      try JudgeAgreement(judge: "j", version: "1", labels: [], verdicts: [])
    }
  }
}

/// The published replies of three models with their human labels and their matcher's labels.
@Suite(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.skipReason)))
struct PublishedAgreementTests {
  struct Published: Sendable, CustomTestStringConvertible {
    var model: String
    /// The agreement of the published matcher labels with the human ones, from the file itself.
    var agreeing: Int
    /// Replies that the product's own judge, whose weights have seen them, classes as people do.
    var ownAgreeing: Int
    var testDescription: String { model }
  }

  static let published = [
    Published(model: "gpt4", agreeing: 416, ownAgreeing: 437),
    Published(model: "llama2orig", agreeing: 361, ownAgreeing: 384),
    Published(model: "mistralinstruct", agreeing: 383, ownAgreeing: 403),
  ]

  @Test(arguments: published) func theMatcherReproducesItsPublishedLabels(_ set: Published) throws {
    let replies = try LabelledReplies(path: RealData.path("xstest/human_labels_\(set.model).csv")).replies
    #expect(replies.count == 450)
    let judge = try JudgeCatalogue.judge(named: "xstest-strmatch")
    let different = try replies.filter { reply in
      try judge.verdict(prompt: reply.prompt, reply: reply.completion).replyClass.rawValue
        != reply.fields["strmatch_label"]
    }
    #expect(different.map(\.id) == [], "\(450 - different.count) of 450 equal")
  }

  @Test(arguments: published) func theMatcherAgreesWithPeopleAsPublished(_ set: Published) async throws {
    let replies = try LabelledReplies(path: RealData.path("xstest/human_labels_\(set.model).csv")).replies
    let agreement = try await JudgeAgreement.measure(
      try JudgeCatalogue.judge(named: "xstest-strmatch"), on: replies)
    #expect(agreement.n == 450)
    #expect(agreement.confusion.agreeing == set.agreeing)
    for judge in JudgeCatalogue.local {
      let one = try await JudgeAgreement.measure(judge, on: replies)
      print(
        "\(set.model): \(judge.name) accuracy \(one.accuracy) κ \(one.kappa) n \(one.n) \(one.confusion.counts)"
      )
      if judge.name == "selfcd" { #expect(one.confusion.agreeing == set.ownAgreeing) }
    }
  }
}
