import SelfCD
import SelfCDEval

/// The conditions of the paper's tables, with its successor's beside them.
enum ReproductionConditions {
  /// Strengths of the contrast: the paper's sweep.
  static let alphas: [Double] = [0.5, 1, 1.5, 2, 2.5, 3]

  /// - Parameter examples: a file with questions and answers for the in-context condition; nil takes what ships.
  /// - Throws: `DatasetError`, `CommandError` for a file that is no pool of examples.
  static func all(examples: String?) throws -> [EvaluationCondition] {
    let pool = try examples.map(ExamplePool.read) ?? WorkedExamples.answers
    let strategies: [any DecodingStrategy] = [
      Plain(), Guarded(), Helpful(), InContext(pool: pool), ChainOfThought(), FewShotChainOfThought(),
    ]
    return strategies.map { EvaluationCondition(strategy: $0) }
      + alphas.map { EvaluationCondition(strategy: SelfContrastive(alpha: Float($0))) }
      + [EvaluationCondition(strategy: AdaCD())]
  }
}
