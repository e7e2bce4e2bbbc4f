import SelfCD
import SelfCDSupport

/// The body of `POST /v1/chat/completions`.
struct ChatCompletionRequest: Sendable, Hashable {
  let asked: AskedChat
  let fields: GenerationFields
  let wantsLogProbabilities: Bool
  let topLogProbabilities: Int

  var chat: Chat { asked.chat }

  /// - Parameter isStrict: whether a field that nobody knows is an error.
  /// - Throws: ``FieldError`` for the first field that is wrong or not built.
  init(_ object: [String: JSONValue], isStrict: Bool = false) throws(FieldError) {
    var reader = FieldReader(object, isStrict: isStrict)
    var fields = try GenerationFields(&reader)
    asked = try MessageReader.chat(&reader)
    wantsLogProbabilities = try reader.bool("logprobs") ?? false
    let top = try reader.integer("top_logprobs", in: 0...20)
    if let top, top > 0, !wantsLogProbabilities {
      throw FieldError("'top_logprobs' goes with 'logprobs': true.", field: "top_logprobs")
    }
    topLogProbabilities = top ?? 0
    try UnbuiltField.refuse(UnbuiltField.ofChats, in: &reader)
    try reader.finish()
    fields.ignored = reader.ignored
    self.fields = fields
  }
}
