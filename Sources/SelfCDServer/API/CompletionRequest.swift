import SelfCD
import SelfCDSupport

/// The body of `POST /v1/completions`: texts to be continued, without a chat template.
struct CompletionRequest: Sendable, Hashable {
  /// Each is continued by as many choices as are asked for.
  let prompts: [String]
  let fields: GenerationFields
  /// Candidates to report at each token; `nil` reports no log-probabilities.
  let logProbabilities: Int?

  /// - Parameter isStrict: whether a field that nobody knows is an error.
  /// - Throws: ``FieldError`` for the first field that is wrong or not built.
  init(_ object: [String: JSONValue], isStrict: Bool = false) throws(FieldError) {
    var reader = FieldReader(object, isStrict: isStrict)
    var fields = try GenerationFields(&reader)
    prompts = try Self.prompts(&reader)
    reader.ignore("logprobs") { $0 == .bool(false) }
    logProbabilities = try reader.integer("logprobs", in: 0...20)
    try UnbuiltField.refuse(UnbuiltField.ofTexts, in: &reader)
    try reader.finish()
    fields.ignored = reader.ignored
    self.fields = fields
  }

  private static func prompts(_ reader: inout FieldReader) throws(FieldError) -> [String] {
    let prompts: [String]
    switch reader.value("prompt") {
    case .string(let text): prompts = [text]
    case .array(let items):
      prompts = items.compactMap { if case .string(let text) = $0 { text } else { nil } }
      guard prompts.count == items.count else {
        throw FieldError(
          "'prompt' holds something other than texts; tokens by their numbers are not supported.",
          field: "prompt", isUnsupported: true)
      }
    case nil: throw FieldError("'prompt' is missing.", field: "prompt")
    case let value?:
      throw FieldError(
        "'prompt' is \(value.kind), but it must be a string or a list of strings.", field: "prompt")
    }
    guard !prompts.isEmpty else { throw FieldError("'prompt' is an empty list.", field: "prompt") }
    guard !prompts.contains("") else {
      throw FieldError(
        prompts.count == 1 ? "'prompt' is empty." : "A text in 'prompt' is empty.", field: "prompt")
    }
    return prompts
  }
}
