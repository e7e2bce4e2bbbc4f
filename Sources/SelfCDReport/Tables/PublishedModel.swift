/// A model that papers give figures for.
struct PublishedModel: Sendable {
  /// The words that its name has to contain; a base model is not the chat model that was measured.
  let words: [String]
  /// Its name in ``PublishedResults/reruns``, where it is there.
  var rerunName: String?
  /// Whether ``PublishedResults/selfCD`` is about it.
  var hasPaperRows = false
  /// Whether ``PublishedResults/adaCD`` is about it.
  var hasAdaCD = false

  var rerun: PublishedResults.Rerun? {
    rerunName.flatMap { name in PublishedResults.reruns.first { $0.model == name } }
  }

  private static let all = [
    PublishedModel(words: ["llama2", "7b", "chat"], rerunName: "Llama2-7B", hasPaperRows: true),
    PublishedModel(words: ["llama2", "13b", "chat"], rerunName: "Llama2-13B"),
    PublishedModel(words: ["vicuna", "7b"], rerunName: "Vicuna-7B"),
    PublishedModel(words: ["vicuna", "13b"], rerunName: "Vicuna-13B"),
    PublishedModel(words: ["qwen3", "8b"], hasAdaCD: true),
  ]

  /// The model that goes by one of `names`, such as `Llama-2-7b-chat-hf` or `vicuna-7b-v1.5.Q4_K_M.gguf`.
  static func named(_ names: [String]) -> PublishedModel? {
    names.lazy.compactMap { name in
      let words = Set(words(name))
      return all.first { words.isSuperset(of: $0.words) }
    }.first
  }

  /// Lower-case words; a version that stands apart from its family is joined to it: `llama-2` is `llama2`.
  private static func words(_ name: String) -> [String] {
    var words: [String] = []
    for word in name.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
      let version = word.hasPrefix("v") ? word.dropFirst() : word
      if let last = words.last, ["llama", "qwen"].contains(last), Int(version) != nil {
        words[words.count - 1] = last + version
      } else {
        words.append(String(word))
      }
    }
    return words
  }
}
