import SelfCD
import SelfCDEval

/// Several replies to one question, and the first token at which the contrasted one leaves the guarded one.
struct Comparison {
  struct Entry {
    let choice: DecodingChoice
    let reply: Reply

    var strategy: any DecodingStrategy { choice.strategy }
  }

  /// Guarded, plain, contrast, in this order.
  let question: String
  let replies: [Entry]
  let vocabulary: any Vocabulary

  private var guarded: Reply? { replies.first { $0.strategy is Guarded }?.reply }
  private var contrast: Reply? { replies.first { $0.strategy.isContrastive }?.reply }

  /// The step at which the contrast first chose another token than the guarded model; both have decoded the same
  /// text until then, so all lanes' candidates can be compared. `nil` if the replies are equal.
  var partingStep: Int? {
    guard let guarded, let contrast else { return nil }
    let shared = zip(guarded.tokens, contrast.tokens).prefix { $0.id == $1.id }.count
    return shared < max(guarded.tokens.count, contrast.tokens.count) ? shared : nil
  }

  /// The candidates of the contrasted generation at the parting step.
  var partingTrace: StepTrace? {
    guard let step = partingStep, let contrast else { return nil }
    return step < contrast.tokens.count ? contrast.tokens[step].trace : contrast.summary.endTrace
  }

  /// The text both had in common when they parted.
  var sharedText: String {
    guard let step = partingStep, let contrast else { return "" }
    return String(decoding: contrast.tokens.prefix(step).flatMap(\.bytes), as: UTF8.self)
  }

  func text(of token: TokenID) -> String {
    vocabulary.isEndOfGeneration(token)
      ? "(end)" : String(decoding: vocabulary.bytes(of: token), as: UTF8.self)
  }

  // MARK: JSON

  struct Record: Encodable {
    let question: String
    let replies: [ReplyJSON]
    let parting: Parting?

    struct Parting: Encodable {
      let step: Int
      let sharedText: String
      let guarded: [ReplyJSON.NamedCandidate]
      let plain: [ReplyJSON.NamedCandidate]
      let combined: [ReplyJSON.NamedCandidate]
    }
  }

  func record(
    to chat: Chat, options: GenerationOptions, model: NamedModel, stepMode: StepMode
  ) -> Record {
    func named(_ candidates: [Candidate]?) -> [ReplyJSON.NamedCandidate] {
      (candidates ?? []).map { .init(id: $0.token, text: text(of: $0.token), probability: $0.probability) }
    }
    let parting = partingStep.flatMap { step in
      partingTrace.map {
        Record.Parting(
          step: step, sharedText: sharedText, guarded: named($0.lanes[.guarded]),
          plain: named($0.lanes[.plain]),
          combined: named($0.combined))
      }
    }
    return Record(
      question: question,
      replies: replies.map {
        ReplyJSON(
          $0.reply, to: chat, choice: $0.choice, options: options, model: model, stepMode: stepMode,
          vocabulary: vocabulary)
      },
      parting: parting)
  }
}
