import SelfCD

/// What a strategy is called in print: its name and the parameters that matter.
enum StrategyTitle {
  static func of(_ strategy: any DecodingStrategy) -> String {
    let parameters = strategy.parameters
    guard let alpha = parameters.alpha else { return strategy.name }
    var title = "\(strategy.name) α \(Format.parameter(alpha))"
    // Self-CD's own are no mask and no end, as in the paper; where others have them they belong to the method.
    guard strategy is SelfContrastive else { return title }
    if let beta = parameters.beta, beta > 0 { title += " β \(Format.parameter(beta))" }
    if let steps = parameters.steps { title += " first \(steps)" }
    return title
  }
}

/// What has to be said once before a strategy is used on a model.
enum StrategyNotes {
  /// - Parameter isCalibrated: whether a profile has said what the strategy may cost.
  static func print(
    for strategy: any DecodingStrategy, chat: Chat, isCalibrated: Bool = false, console: Console
  ) {
    guard strategy.isContrastive else { return }
    let lanes = strategy.lanes(for: chat)
    if lanes.count == 2, lanes[0].chat == lanes[1].chat {
      console.note("the guarded and the plain prompt are equal, so there is nothing to contrast.")
    }
    guard !isCalibrated else { return }
    console.note(
      """
      this setting is not calibrated for this model: contrast can also lose refusals of harmful requests \
      (docs/safety.md, 'selfcd calibrate').
      """)
  }
}
