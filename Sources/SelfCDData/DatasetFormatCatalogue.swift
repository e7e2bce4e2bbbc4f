/// The formats that are known, one value each. A new format is one more value here and nothing else.
public enum DatasetFormatCatalogue {
  /// All formats. Among several that accept a file's columns the one with the most required columns is taken,
  /// and the earlier of two with equally many.
  public static let formats: [DatasetFormat] = [
    xstest, xstestDualID, xstestReplies, xsb, orBench, okTest, falseReject, evoRefuse, coCoNot, kOverRefusal,
    wildGuardTest, wildJailbreak, promptColumn, phTest, advBench, jailbreakBench, harmBench, strongReject,
    labelledPrompts, labelledTexts, labelledMessages, prompts, questions, requests,
    instructionRecords, queries, goals, texts, messages, inspect, plainList,
  ]

  /// The columns that are known to hold prompts, in files of prompts and of replies; the first that a file has is taken.
  public static let promptColumns = [
    "prompt", "question", "request", "instruction", "query", "goal", "input",
  ]

  /// The columns that are known to hold replies; `messages` may end with one, too.
  public static let replyColumns = ["completion", "reply", "response", "answer", "output"]

  /// The format of that name.
  /// - Throws: `DatasetError.unknownFormat`, listing those there are.
  public static func format(named name: String) throws(DatasetError) -> DatasetFormat {
    guard let format = formats.first(where: { $0.name == name.lowercased() }) else {
      throw .unknownFormat(name: name, known: formats.map(\.name))
    }
    return format
  }

  /// The format that files with these columns are taken for; nil if none accepts them.
  static func detect(columns: some Collection<String>) -> DatasetFormat? {
    formats
      .filter { $0.layout == .records && $0.isDetected && $0.accepts(columns: columns) }
      .enumerated()
      .max { ($0.element.required.count, -$0.offset) < ($1.element.required.count, -$1.offset) }?
      .element
  }

  private static let contrast = DatasetFormat.LabelRule.prefix(
    column: LabelColumns.types, harmfulPrefix: LabelColumns.contrast)

  /// Label words in use, for formats that carry a column of them.
  package static let labelWords: [String: Sample.Label] = [
    "safe": .safe, "harmless": .safe, "benign": .safe, "unsafe": .harmful, "harmful": .harmful,
    "malicious": .harmful, "neutral": .neutral,
  ]

  /// How columns say yes or no.
  package static let answerWords: [String: Bool] = [
    "true": true, "1": true, "yes": true, "false": false, "0": false, "no": false,
  ]

  static let xstest = DatasetFormat(
    name: "xstest", summary: "XSTest v2, newer columns (Röttger et al., arXiv 2308.01263)",
    required: ["prompt", "type", "label", "focus"], prompt: "prompt", id: "id", category: "type",
    focus: "focus", labels: .column("label", values: labelWords, unlabelled: []))

  static let xstestDualID = DatasetFormat(
    name: "xstest-v2", summary: "XSTest v2, first columns: types beginning 'contrast' are harmful",
    required: ["id_v2", "type", "prompt", "focus"], prompt: "prompt", id: "id_v2", category: "type",
    focus: "focus", labels: contrast)

  static let xstestReplies = DatasetFormat(
    name: "xstest-replies", summary: "prompts of published XSTest replies with their annotations",
    required: ["id", "type", "prompt", "completion"], prompt: "prompt", id: "id", category: "type",
    labels: contrast)

  // The three OR-Bench files (80k, hard, toxic) share their columns, so the columns cannot say which it is.
  static let orBench = DatasetFormat(
    name: "or-bench",
    summary: "OR-Bench (Cui et al., arXiv 2405.20947): say --safe, or --harmful for its toxic part",
    required: ["prompt", "category"], allowsOtherColumns: false, prompt: "prompt", category: "category")

  // Any list of prompts can have this one column; only its name can say that all of them are safe.
  static let okTest = DatasetFormat(
    name: "oktest", summary: "OKTest (Shi et al., arXiv 2401.17633), all safe; asked for by name",
    required: ["prompt"], allowsOtherColumns: false, isDetected: false, prompt: "prompt", labels: .all(.safe))

  // XSTest's columns and three more. A sample's focus may name several words: "kill/bodies".
  static let xsb = DatasetFormat(
    name: "xsb", summary: "XSB, the Exaggerated Safety Benchmark (arXiv 2510.08158)",
    required: ["prompt", "type", "type_id", "label", "class", "focus"], prompt: "prompt", id: "id",
    category: "type", focus: "focus", labels: .column("label", values: labelWords, unlabelled: []))

  // The column 'category_text' tells it from OR-Bench, whose prompts are not all safe.
  static let falseReject = DatasetFormat(
    name: "falsereject", summary: "FalseReject (Zhang et al., arXiv 2505.08054), all safe",
    required: ["prompt", "category", "category_text"], prompt: "prompt", category: "category_text",
    labels: .all(.safe))

  // Any list of instructions can have this one column.
  static let evoRefuse = DatasetFormat(
    name: "evorefuse", summary: "EvoRefuse-Test (Wu et al., arXiv 2505.23473), all safe; asked for by name",
    required: ["instruction"], isDetected: false, prompt: "instruction", labels: .all(.safe))

  // Its original part has requests that should not be met for other reasons than harm, so nothing is harmful by design.
  static let coCoNot = DatasetFormat(
    name: "coconot", summary: "CoCoNot (Brahman et al., arXiv 2407.12043): say --safe for its contrast part",
    required: ["id", "prompt", "category", "subcategory"], prompt: "prompt", id: "id", category: "subcategory"
  )

  static let kOverRefusal = DatasetFormat(
    name: "k-overrefusal",
    summary: "K-OverRefusal: its Korean prompts; --format xstest takes the English ones",
    required: ["prompt_ko", "type", "label", "focus", "orig_type"], prompt: "prompt_ko", category: "type",
    focus: "focus", labels: .column("label", values: labelWords, unlabelled: []))

  static let wildGuardTest = DatasetFormat(
    name: "wildguardtest",
    summary:
      "WildGuardTest and -Train (Han et al., arXiv 2406.18495); rows that annotators disagree on are unlabelled",
    required: ["prompt", "adversarial", "prompt_harm_label"], prompt: "prompt", id: "id",
    category: "subcategory",
    labels: .column("prompt_harm_label", values: ["harmful": .harmful, "unharmful": .safe], unlabelled: []))

  // Vanilla rows leave 'adversarial' empty.
  static let wildJailbreak = DatasetFormat(
    name: "wildjailbreak",
    summary: "WildJailbreak, training and evaluation part (Jiang et al., arXiv 2406.18510)",
    required: ["adversarial", "data_type"], prompt: "adversarial", promptFallback: "vanilla",
    category: "data_type",
    labels: .column(
      "data_type",
      values: [
        "vanilla_harmful": .harmful, "adversarial_harmful": .harmful, "vanilla_benign": .safe,
        "adversarial_benign": .safe,
      ], unlabelled: []))

  static let promptColumn = DatasetFormat(
    name: "prompt-column", summary: "one column of prompts, as in OKTest: say --safe, --harmful or --neutral",
    required: ["prompt"], allowsOtherColumns: false, prompt: "prompt")

  static let phTest = DatasetFormat(
    name: "phtest",
    summary: "PHTest (An et al., arXiv 2409.00598): harmless are safe, controversial unlabelled",
    required: ["request", "harmfulness"], prompt: "request", id: "id",
    labels: .column("harmfulness", values: labelWords, unlabelled: ["controversial"]))

  static let advBench = DatasetFormat(
    name: "advbench", summary: "AdvBench harmful behaviours (Zou et al., arXiv 2307.15043)",
    required: ["goal", "target"], allowsOtherColumns: false, prompt: "goal", labels: .all(.harmful))

  // JailbreakBench publishes its harmful and its benign behaviours with the same columns.
  static let jailbreakBench = DatasetFormat(
    name: "jailbreakbench",
    summary:
      "JailbreakBench behaviours (Chao et al., arXiv 2404.01318): say --harmful, or --safe for benign ones",
    required: ["goal", "target", "behavior", "category"], prompt: "goal", category: "category")

  static let harmBench = DatasetFormat(
    name: "harmbench", summary: "HarmBench text behaviours (Mazeika et al., arXiv 2402.04249)",
    required: ["behavior", "functionalcategory", "behaviorid"], prompt: "behavior", context: "contextstring",
    id: "behaviorid", category: "semanticcategory", labels: .all(.harmful))

  static let strongReject = DatasetFormat(
    name: "strongreject", summary: "StrongREJECT (Souly et al., arXiv 2402.10260)",
    required: ["forbidden_prompt"], prompt: "forbidden_prompt", category: "category", labels: .all(.harmful))

  static let instructionRecords = DatasetFormat(
    name: "instructions",
    summary: "records with 'instruction' and perhaps 'category', as in refusal-direction work",
    required: ["instruction"], prompt: "instruction", id: "id", category: "category")

  static let labelledPrompts = DatasetFormat(
    name: "labelled-prompts", summary: "records with 'prompt' and 'label' (safe, harmful or neutral)",
    required: ["prompt", "label"], prompt: "prompt", id: "id", category: "category", focus: "focus",
    labels: .usual)

  static let labelledTexts = DatasetFormat(
    name: "labelled-texts", summary: "records with 'text' and 'label', as the embedded model's held-out sets",
    required: ["text", "label"], prompt: "text", id: "id", category: "category", focus: "focus",
    labels: .usual)

  static let labelledMessages = DatasetFormat(
    name: "labelled-messages", summary: "records with 'messages' (role, content) and 'label'",
    required: ["messages", "label"], prompt: "messages", id: "id", category: "category", focus: "focus",
    labels: .usual)

  static let prompts = DatasetFormat(
    name: "prompts", summary: "records with 'prompt' among other columns", required: ["prompt"],
    prompt: "prompt", id: "id", category: "category", focus: "focus")

  static let questions = records(named: "questions", with: "question")
  static let requests = records(named: "requests", with: "request")
  static let queries = records(named: "queries", with: "query")
  static let goals = records(named: "goals", with: "goal")

  private static func records(named name: String, with column: String) -> DatasetFormat {
    DatasetFormat(
      name: name, summary: "records with '\(column)' among other columns", required: [column], prompt: column,
      id: "id", category: "category", focus: "focus")
  }

  static let texts = DatasetFormat(
    name: "texts", summary: "records with 'text' among other columns", required: ["text"],
    prompt: "text", id: "id", category: "category", focus: "focus")

  static let messages = DatasetFormat(
    name: "messages", summary: "records with 'messages' (role, content)", required: ["messages"],
    prompt: "messages", id: "id", category: "category", focus: "focus")

  static let inspect = DatasetFormat(
    name: "inspect", summary: "Inspect samples (UK AISI): 'input' is a text or messages", required: ["input"],
    prompt: "input", id: "id")

  static let plainList = DatasetFormat(
    name: "list", summary: "one prompt a line, a JSON list of strings, or {\"instructions\": [...]}",
    layout: .list, prompt: "prompt")
}
