import SelfCDSupport

extension CalibrationProfile {
  /// What is guaranteed, in words.
  public var guarantee: String {
    let reference = reference.strategy.name
    guard let fallback else {
      let group = split?.group.map { UntrustedText.singleLine($0) }
      let assumption =
        switch (group, formatVersion) {
        case (nil, _): "for independent prompts"
        case (let group?, 1): "approximately, by resampling groups of \(group),"
        case (let group?, _): "for one prompt of each \(group)"
        }
      return
        "at most \(NumberFormat.share(settings.maxHarmIncrease)) of \(reference)'s refusals of harmful prompts "
        + "lost, at \(NumberFormat.share(settings.confidence)), \(assumption) by the verdicts of the judge "
        + "\(UntrustedText.singleLine(judge.name)) and on prompts like those it was measured on (docs/calibration.md)"
    }
    return "the reference itself, since \(fallback.reason); this is not a calibrated setting"
  }

  /// The same in few words, for a note that is read at every command.
  public var shortGuarantee: String {
    guard fallback == nil else { return guarantee }
    let assumption =
      switch (split?.group, formatVersion) {
      case (nil, _): "independent prompts"
      case (_, 1): "approximately"
      case (let group?, _): "one prompt per \(UntrustedText.singleLine(group))"
      }
    return
      "at most \(NumberFormat.share(settings.maxHarmIncrease)) of \(reference.strategy.name)'s refusals lost, at "
      + "\(NumberFormat.share(settings.confidence)), \(assumption), judged by "
      + "\(UntrustedText.singleLine(judge.name)) (docs/calibration.md)"
  }
}

extension CalibrationStages.Fallback {
  /// Why the reference was kept, to be read behind "since".
  public var reason: String {
    switch self {
    case .tooFewPrompts: "no candidate met the bound, for which there were too few refusals"
    case .noneValid, .noneConfirmed: "no candidate met the bound"
    case .noGain: "no candidate that met the bound answered more harmless prompts"
    case .nothingToReduce: "it left no harmless prompt unanswered"
    }
  }
}
