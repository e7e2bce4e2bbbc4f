import SelfCD
import SelfCDEval

/// The body of `POST /v1/completions`: a text to be continued, without a chat template.
struct CompletionRequest: Sendable, Hashable {
  let prompt: String
  let fields: GenerationFields
  /// Candidates to report at each token; `nil` reports no log-probabilities.
  let logProbabilities: Int?

  /// - Throws: ``FieldError`` for the first field that is wrong, unknown, or not built.
  init(_ object: [String: JSONValue]) throws(FieldError) {
    var reader = FieldReader(object)
    fields = try GenerationFields(&reader)
    prompt = try Self.prompt(&reader)
    logProbabilities = try reader.integer("logprobs", in: 0...20)
    try reader.refuse("echo", unless: { $0 == .bool(false) }, because: "prompts are not given back.")
    try reader.refuse("suffix", unless: { $0 == .string("") }, because: "inserting text is not built.")
    try reader.refuse(
      "best_of", unless: { [fields] in $0.wholeNumber == fields.choices },
      because: "every choice that is generated is returned; use 'n'.")
    try reader.finish()
  }

  private static func prompt(_ reader: inout FieldReader) throws(FieldError) -> String {
    switch reader.value("prompt") {
    case .string(let text) where !text.isEmpty: return text
    case .string: throw FieldError("'prompt' is empty.", field: "prompt")
    case .array(let items):
      if items.count == 1, case .string(let text)? = items.first, !text.isEmpty { return text }
      throw FieldError(
        "'prompt' is a list; only one text is supported. Send several requests at a time instead.",
        field: "prompt", isUnsupported: true)
    case nil: throw FieldError("'prompt' is missing.", field: "prompt")
    case let value?: throw FieldError("'prompt' is \(value.kind), but it must be a string.", field: "prompt")
    }
  }
}
