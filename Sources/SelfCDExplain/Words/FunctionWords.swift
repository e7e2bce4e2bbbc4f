/// English words that build sentences and name nothing: articles, pronouns, prepositions, conjunctions, auxiliaries,
/// question words.
///
/// Whether a model refuses may hang on one of them in a figure, since a sentence without it is an odd one; it is no reason
/// for a refusal that anybody could use. A word of another language is never one.
public enum FunctionWords {
  /// Whether `word` is one, whatever its case; contractions count by what stands before the apostrophe: "I'm", "what's".
  public static func contains(_ word: String) -> Bool {
    let word = word.lowercased().replacing("’", with: "'")
    if all.contains(word) { return true }
    guard let apostrophe = word.lastIndex(of: "'") else { return false }
    let ending = word[word.index(after: apostrophe)...]
    if ending == "t" { return negated.contains(String(word[..<apostrophe])) }
    return ["s", "m", "re", "ve", "ll", "d"].contains(ending) && all.contains(String(word[..<apostrophe]))
  }

  private static let all: Set<String> = [
    // Articles and other determiners.
    "a", "an", "the", "this", "that", "these", "those", "some", "any", "each", "every", "either", "neither",
    "both", "all", "such", "another", "other", "much", "many", "more", "most",
    // Pronouns.
    "i", "me", "my", "mine", "myself", "we", "us", "our", "ours", "ourselves", "you", "your", "yours",
    "yourself", "he", "him", "his", "himself", "she", "her", "hers", "herself", "it", "its", "itself", "they",
    "them", "their", "theirs", "themselves", "there", "here",
    // Question words.
    "who", "whom", "whose", "which", "what", "when", "where", "why", "how",
    // Prepositions and particles.
    "about", "above", "across", "after", "against", "along", "among", "around", "as", "at", "before",
    "behind",
    "below", "beside", "between", "beyond", "by", "down", "during", "for", "from", "in", "inside", "into",
    "near", "of", "off", "on", "onto", "out", "outside", "over", "through", "to", "toward", "towards",
    "under",
    "until", "up", "upon", "with", "within", "without",
    // Conjunctions and the like.
    "and", "but", "or", "nor", "so", "yet", "if", "then", "than", "because", "while", "though", "although",
    "unless", "whether", "also", "too", "just", "only", "even", "very", "not", "no",
    // Auxiliaries.
    "am", "is", "are", "was", "were", "be", "been", "being", "do", "does", "did", "doing", "done", "have",
    "has", "had", "having", "can", "could", "may", "might", "must", "shall", "should", "will", "would", "let",
  ]

  /// What stands before "'t".
  private static let negated: Set<String> = [
    "aren", "can", "couldn", "didn", "doesn", "don", "hadn", "hasn", "haven", "isn", "mustn", "shan",
    "shouldn", "wasn", "weren", "won", "wouldn",
  ]
}
