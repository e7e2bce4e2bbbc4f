import Foundation
import SelfCDExplain

/// Everything a page about one explanation shows: a plain value, of which ``ExplanationHTML`` is a pure function.
///
/// What is withheld is not in it.
public struct ExplanationPage: Codable, Sendable, Hashable {
  /// What was found.
  public var explanation: Explanation
  /// When the page was made.
  public var createdAt: Date
  /// What has to be known to judge and repeat it: the model's hash, the command, versions.
  public var facts: [ReportRecord.Fact]
  /// Whether the model's replies were taken out.
  public var withholdsReplies: Bool

  /// Makes a page's data.
  /// - Parameter withholdsReplies: Takes the replies out, as is right for prompts labelled harmful.
  public init(
    _ explanation: Explanation, createdAt: Date, facts: [ReportRecord.Fact], withholdsReplies: Bool = false
  ) {
    self.explanation = explanation
    self.createdAt = createdAt
    self.facts = facts
    self.withholdsReplies = withholdsReplies
    guard withholdsReplies else { return }
    for index in self.explanation.uncertainties.indices {
      self.explanation.uncertainties[index].reply = ""
      for step in self.explanation.uncertainties[index].steps.indices {
        self.explanation.uncertainties[index].steps[step].text = ""
      }
    }
    for index in self.explanation.flows.indices { self.explanation.flows[index].flow.target = nil }
    for index in (self.explanation.replies ?? []).indices {
      self.explanation.replies?[index].reply = ""
      self.explanation.replies?[index].steps = []
    }
  }
}
