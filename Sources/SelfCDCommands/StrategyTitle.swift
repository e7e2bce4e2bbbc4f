import SelfCD
import SelfCDSupport

/// What a strategy is called in print: its name and the parameters that matter.
enum StrategyTitle {
  static func of(_ strategy: any DecodingStrategy) -> String {
    let parameters = strategy.parameters
    if let guidance = parameters.float(.guidance) {
      return "\(strategy.name) \(NumberFormat.parameter(guidance))"
    }
    guard let alpha = parameters.alpha else { return strategy.name }
    var title = "\(strategy.name) α \(NumberFormat.parameter(alpha))"
    // Self-CD's own are no mask and no end, as in the paper; where others have them they belong to the method.
    guard strategy is SelfContrastive else { return title }
    if let beta = parameters.beta, beta > 0 { title += " β \(NumberFormat.parameter(beta))" }
    if let steps = parameters.steps { title += " first \(steps)" }
    return title
  }
}
