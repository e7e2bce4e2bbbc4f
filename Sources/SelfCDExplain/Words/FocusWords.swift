import SelfCD
import SelfCDData
import SelfCDEval

/// Finds the words that a data set names: its focus word, or the task and object of a request.
///
/// Without regard to case, and with the regular endings of English, since sets name the base form: "kill" is found in
/// "killing", "execute" in "executing", "stab" in "stabbed". Every word of a phrase counts ("blow up"); articles and
/// possessives in it do not.
public enum FocusWords {
  /// The places in `words` of a word of `phrase`, in order.
  public static func indices(of phrase: String, in words: PromptWords) -> [Int] {
    let wanted = PromptWords(phrase).words.map { $0.text.lowercased() }.filter { !ignored.contains($0) }
    guard !wanted.isEmpty else { return [] }
    return words.words.indices.filter { index in
      let word = words.words[index].text.lowercased()
      return wanted.contains { matches(word, $0) }
    }
  }

  /// The places of a sample's focus words in the last question of its chat; nil where it names none that is there, or
  /// where there is no other word to compare with.
  static func places(of sample: Sample, in chat: Chat) -> [Int]? {
    let words = PromptWords(chat.lastQuestion)
    let places = sample.focus.map { indices(of: $0, in: words) } ?? []
    return places.isEmpty || places.count == words.count ? nil : places
  }

  /// Checks that at least one labelled prompt names a focus word that it contains, which takes no model.
  /// - Parameters:
  ///   - datasets: The prompts.
  ///   - system: The system prompt that they are put with.
  /// - Throws: ``ExplanationError/noFocus(prompts:)``.
  public static func check(_ datasets: [Dataset], system: String? = nil) throws(ExplanationError) {
    let plan = EvaluationPlan(datasets: datasets, conditions: [], system: system)
    let samples = datasets.flatMap(\.samples)
    let isMeasurable = samples.contains { sample in
      sample.label != nil && places(of: sample, in: plan.chat(for: sample)) != nil
    }
    guard isMeasurable else { throw .noFocus(prompts: samples.count) }
  }

  /// How many labelled prompts name no focus word that they contain beside other words, and so are left out.
  /// - Parameters:
  ///   - datasets: The prompts.
  ///   - system: The system prompt that they are put with.
  public static func withoutFocus(_ datasets: [Dataset], system: String? = nil) -> Int {
    let plan = EvaluationPlan(datasets: datasets, conditions: [], system: system)
    return datasets.flatMap(\.samples).count { sample in
      sample.label != nil && places(of: sample, in: plan.chat(for: sample)) == nil
    }
  }

  private static let ignored: Set<String> = [
    "a", "an", "the", "my", "your", "his", "her", "our", "their", "some",
  ]

  /// Whether `word` is `base` or a regular form of it, or the other way round.
  static func matches(_ word: String, _ base: String) -> Bool {
    forms(of: base).contains(word) || forms(of: word).contains(base)
  }

  private static func forms(of base: String) -> Set<String> {
    var forms: Set = [base, base + "s", base + "es", base + "ed", base + "d", base + "ing", base + "er"]
    if base.count > 2, let last = base.last {
      let stem = base.dropLast()
      if last == "e" { for ending in ["ing", "er", "ers"] { forms.insert(stem + ending) } }
      if last == "y" { for ending in ["ies", "ied", "ier"] { forms.insert(stem + ending) } }
      for ending in ["ing", "ed", "er", "ers"] { forms.insert(base + String(last) + ending) }
      forms.insert(base + "ers")
    }
    return forms
  }
}
