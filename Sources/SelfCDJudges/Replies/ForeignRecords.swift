import SelfCDData
import SelfCDSupport

/// Records of other evaluators, brought to the shape that tables have: the reply in `completion`, what it answers in
/// `prompt`, what is known of the prompt in `metadata`.
///
/// Samples of lm-evaluation-harness have `doc`, `arguments` and `resps`; results of promptfoo have `vars`, `prompt` and
/// `response`. Other records stay as they are.
enum ForeignRecords {
  static func flattened(_ source: RecordSource) -> RecordSource {
    let names = PromptfooNames(source)
    var result = source
    var isChanged = false
    for index in source.records.indices {
      guard case .named(let values) = source.records[index].value,
        let flat = lmEval(values) ?? promptfoo(values, names)
      else { continue }
      result.records[index].value = .named(flat)
      isChanged = true
    }
    guard isChanged else { return source }
    var columns: Set<String> = []
    for case .named(let values) in result.records.map(\.value) { columns.formUnion(values.keys) }
    result.columns = columns.sorted()
    return result
  }

  /// The first text of lists within lists; nil for anything but those and texts.
  static func text(_ value: JSONValue?) -> String? {
    switch value {
    case .string(let text)?: text
    case .array(let items)?: text(items.first)
    default: nil
    }
  }

  // MARK: lm-evaluation-harness

  private static func lmEval(_ values: [String: JSONValue]) -> [String: JSONValue]? {
    let replies = [values["resps"], values["filtered_resps"]].compactMap(\.self)
    guard case .object(let doc)? = values["doc"], !replies.isEmpty else { return nil }
    var flat = values
    flat["doc"] = nil
    flat["metadata"] = .object(doc.merging(object(values["metadata"])) { own, _ in own })
    flat["id"] = known(doc["id"]) ?? values["doc_id"]
    flat["prompt"] = question(in: doc) ?? argument(values["arguments"])
    // What the model said, and not what a filter made of it.
    flat["completion"] = replies.compactMap { text($0) }.first.map { JSONValue.string($0) } ?? JSONValue.null
    return flat
  }

  /// The text that the model got: `[[text, …]]`, or `{"gen_args_0": {"arg_0": text, …}}` of later versions.
  private static func argument(_ value: JSONValue?) -> JSONValue? {
    guard case .object(let calls)? = value else { return text(value).map(conversation) }
    return text(object(calls["gen_args_0"])["arg_0"]).map(conversation)
  }

  // MARK: promptfoo

  private static func promptfoo(
    _ values: [String: JSONValue], _ names: PromptfooNames
  ) -> [String: JSONValue]? {
    guard PromptfooNames.isResult(values), case .string(let raw)? = object(values["prompt"])["raw"] else {
      return nil
    }
    let variables = object(values["vars"])
    let test = object(object(values["testCase"])["metadata"])
    var flat = values.filter { !["response", "vars", "testCase"].contains($0.key) }
    flat["metadata"] = .object(
      variables.merging(test) { own, _ in own }.merging(object(values["metadata"])) { own, _ in own })
    // `id` is that of the result, and never the same under two conditions.
    flat["id"] = values["testIdx"] ?? values["id"]
    flat["prompt"] = question(in: variables) ?? only(variables) ?? conversation(raw)
    flat["completion"] =
      known(object(values["response"])["output"]).map { JSONValue.string($0.text) } ?? JSONValue.null
    if flat["condition"] == nil { flat["condition"] = JSONValue.string(names.condition(of: values)) }
    return flat
  }

  /// The one variable that is a text.
  private static func only(_ variables: [String: JSONValue]) -> JSONValue? {
    let texts = variables.values.filter { if case .string = $0 { true } else { false } }
    return texts.count == 1 ? texts.first : nil
  }

  /// What promptfoo's results are called apart from each other: by provider, by prompt, or by both.
  private struct PromptfooNames {
    private var providers: [String] = []
    private var prompts: [String] = []
    private static let longest = 40

    init(_ source: RecordSource) {
      for case .named(let values) in source.records.map(\.value) where Self.isResult(values) {
        let (provider, prompt) = (Self.provider(of: values), Self.prompt(of: values))
        if !providers.contains(provider) { providers.append(provider) }
        if !prompts.contains(prompt) { prompts.append(prompt) }
      }
    }

    static func isResult(_ values: [String: JSONValue]) -> Bool {
      guard values["vars"] != nil || values["testIdx"] != nil || values["response"] != nil,
        case .string? = ForeignRecords.object(values["prompt"])["raw"]
      else { return false }
      return true
    }

    func condition(of values: [String: JSONValue]) -> String {
      let provider = Self.provider(of: values)
      guard prompts.count > 1 else { return provider }
      let label = Self.prompt(of: values)
      // A prompt without a name of its own has its text for one.
      let isName = !label.isEmpty && label.count <= Self.longest && !label.contains { $0.isNewline }
      let prompt = isName ? label : "prompt \((prompts.firstIndex(of: label) ?? 0) + 1)"
      return providers.count > 1 ? "\(provider), \(prompt)" : prompt
    }

    private static func provider(of values: [String: JSONValue]) -> String {
      if case .string(let name)? = values["provider"] { return name }
      let provider = ForeignRecords.object(values["provider"])
      let names = [provider["label"], provider["id"]].compactMap { $0?.text }
      return names.first { !$0.isEmpty } ?? "promptfoo"
    }

    private static func prompt(of values: [String: JSONValue]) -> String {
      ForeignRecords.object(values["prompt"])["label"]?.text ?? ""
    }
  }

  // MARK: Values

  private static func object(_ value: JSONValue?) -> [String: JSONValue] {
    guard case .object(let values)? = value else { return [:] }
    return values
  }

  /// Nil for null.
  private static func known(_ value: JSONValue?) -> JSONValue? { value == .null ? nil : value }

  /// The question, where one of the usual names has it.
  private static func question(in values: [String: JSONValue]) -> JSONValue? {
    for name in ReplyColumns.knownPrompts {
      guard case .string(let text)? = values.first(where: { DatasetFormat.key($0.key) == name })?.value,
        !text.trimmingSpaces().isEmpty
      else { continue }
      return .string(text)
    }
    return nil
  }

  /// A conversation that was written as a text, or the text.
  private static func conversation(_ text: String) -> JSONValue {
    guard text.first == "[", let parsed = try? JSONValue.parse(text.utf8), case .array(let turns) = parsed,
      ReplyConversation.question(in: turns) != nil
    else { return .string(text) }
    return parsed
  }
}
