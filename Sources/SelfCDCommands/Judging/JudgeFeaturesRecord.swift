import Foundation
import SelfCDJudges

/// What `selfcd judge --features` prints: the numbers that the judge `selfcd` decides by, for its training.
struct JudgeFeaturesRecord: Encodable {
  struct Row: Encodable {
    let id: String
    let humanLabel: String
    let values: [Double]
    /// The short columns beside the texts: the prompt's type, other judges' labels.
    let fields: [String: String]
  }

  let file: String
  let judge: String
  let version: String
  let lexicon: String
  let names: [String]
  let replies: [Row]

  private static let longestField = 60

  /// - Parameter file: the name of the file that the replies are from.
  init(_ labelled: [LabelledReply], file: String) throws {
    let judge = try SelfCDJudge()
    let stripper = ReasoningStripper()
    self.file = URL(filePath: file).deletingPathExtension().lastPathComponent
    (self.judge, version, lexicon) = (judge.name, judge.version, judge.lexiconVersion)
    names = judge.featureNames
    replies = labelled.map { reply in
      Row(
        id: reply.id, humanLabel: reply.humanLabel.rawValue,
        // As the catalogue's judge has it, which never sees reasoning.
        values: judge.features(prompt: reply.prompt, reply: stripper.parts(of: reply.completion).answer),
        fields: reply.fields.filter { $0.value.count <= Self.longestField })
    }
  }
}
