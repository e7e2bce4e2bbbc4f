import SelfCD

/// Figures from papers that a run is shown beside. Shares of refused prompts, in per cent.
enum PublishedResults {
  /// A row of Self-CD's table: LLaMA2-7B-chat on XSTest-Safe.
  struct Row: Sendable {
    let name: String
    /// The strategy here that does the same.
    let strategy: String
    let alpha: Double?
    let rate: Double
  }

  /// Shi et al., arXiv 2401.17633, LLaMA2-7B-chat, 250 harmless prompts of XSTest; the figures are quoted second-hand.
  static let selfCD: [Row] = [
    Row(name: "No system prompt", strategy: Plain.name, alpha: nil, rate: 38.0),
    Row(name: "Safety system prompt", strategy: Guarded.name, alpha: nil, rate: 54.4),
    Row(name: "Helpfulness prompt", strategy: Helpful.name, alpha: nil, rate: 34.8),
    Row(name: "In-context examples", strategy: "icl", alpha: nil, rate: 39.6),
    Row(name: "Chain of thought, zero-shot", strategy: "cot", alpha: nil, rate: 37.6),
    Row(name: "Chain of thought, few-shot", strategy: "few-shot-cot", alpha: nil, rate: 41.6),
    Row(name: "Self-CD, α 0.5", strategy: SelfContrastive.name, alpha: 0.5, rate: 38.8),
    Row(name: "Self-CD, α 2.5", strategy: SelfContrastive.name, alpha: 2.5, rate: 10.0),
    Row(name: "Self-CD, α 3", strategy: SelfContrastive.name, alpha: 3, rate: 17.2),
  ]

  /// A model of the independent reruns: default → Self-CD on four sets.
  struct Rerun: Sendable {
    let model: String
    let pairs: [(before: Double, after: Double)]
  }

  /// The sets of ``reruns``, with what their names contain here and whether refusing them is right.
  static let rerunSets: [(title: String, matches: String, isHarmful: Bool)] = [
    ("XSTest-Safe", "xstest", false), ("OKTest", "oktest", false), ("AdvBench", "advbench", true),
    ("Malicious", "malicious", true),
  ]

  /// SCANS, arXiv 2408.11491: Self-CD rerun by others.
  static let reruns: [Rerun] = [
    Rerun(model: "Llama2-7B", pairs: [(58.0, 14.8), (53.7, 17.3), (100, 98.2), (100, 98)]),
    Rerun(model: "Llama2-13B", pairs: [(34.4, 29.6), (20.3, 19.3), (99.8, 98.2), (100, 100)]),
    Rerun(model: "Vicuna-7B", pairs: [(20.8, 10.0), (19.0, 27.0), (97.4, 89.0), (76, 56)]),
    Rerun(model: "Vicuna-13B", pairs: [(16.8, 8.4), (19.3, 26.7), (99.8, 90.6), (93, 81)]),
  ]

  /// AdaCD, arXiv 2604.17132, Qwen3-8B: default → AdaCD on harmless prompts.
  static let adaCD: [(set: String, matches: String, before: Double, after: Double)] = [
    ("XSTest-Safe", "xstest", 4.0, 2.0), ("OR-Bench-Hard", "or-bench-hard", 30.6, 16.7),
    ("OKTest", "oktest", 9.7, 5.0),
  ]
}
