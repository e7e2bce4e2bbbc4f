import SelfCD
import SelfCDSupport

/// What a strategy is called in print: its name and the parameters that matter.
enum StrategyTitle {
  static func of(_ strategy: any DecodingStrategy) -> String {
    let parameters = strategy.parameters
    if let guidance = parameters.float(.guidance) {
      return "\(strategy.name) \(NumberFormat.parameter(guidance))"
    }
    var title = strategy.name
    if let alpha = parameters.alpha { title += " α \(NumberFormat.parameter(alpha))" }
    // Self-CD's own are no mask and no end, as in the paper; where others have them they belong to the method.
    if strategy is SelfContrastive {
      if let beta = parameters.beta, beta > 0 { title += " β \(NumberFormat.parameter(beta))" }
      if let steps = parameters.steps { title += " first \(steps)" }
      if let count = parameters.integer(.agreementStop) { title += " until \(count) agree" }
    }
    if let position = parameters.emphasisPosition, position != .start {
      title += ", safety prompt \(position.rawValue)"
    }
    return title
  }
}
