import SelfCDData
import SelfCDEval
import SelfCDSupport

/// Why a run cannot be begun, resumed or found. Each case says what, why and what to try.
public enum RunError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The store is empty.
  case noRuns(store: String)
  /// No run has that name.
  case unknown(run: String, store: String, latest: [String])
  /// Several runs begin like that.
  case ambiguous(run: String, matches: [String])
  /// The store has a run of that name.
  case nameTaken(run: String)
  /// What others are to be compared with is none of the conditions.
  case noReference(String, known: [String])
  /// A new run is to have a name that stands for whichever run is the latest.
  case reservedName(run: String)
  /// The record has no settings to resume with.
  case notAnEvaluation(run: String)
  /// The run's replies were made elsewhere.
  case imported(run: String)
  /// The run has no calibration's settings.
  case notACalibration(run: String)
  /// A calibration has nothing to compare with its reference.
  case noCandidate
  /// A calibration in two stages has no prompts to confirm on, or one in a single stage has some.
  case otherStages(CalibrationSettings.StageCount)
  /// The model is not the run's.
  case otherModel(run: String, path: String)
  /// The model's file is the run's, and its adapters are others.
  case otherAdapters(run: String, own: [String], given: [String])
  /// The files are not the run's.
  case otherFiles(run: String)
  /// The judges are not the run's.
  case otherJudges(run: String, own: [String], asked: [String])
  /// The judge that counts is not at hand.
  case judgeMissing(run: String, judge: String?)
  /// Too many replies of one condition to prompts of one class have no verdict to be counted.
  case verdictsMissing(judge: String, missing: Int, replies: Int, condition: String, label: Sample.Label)
  /// The run has no condition of that name.
  case noCondition(run: String, condition: String)
  /// There is nothing to calibrate on yet.
  case notCalibrated(run: String)
  /// The time given to a tuning does not suffice for one candidate.
  case budgetTooSmall(run: String, budget: Double, one: Double, all: Double)
  /// A tuning has chosen its candidates for another time.
  case otherBudget(run: String, own: Double, given: Double)
  /// No prompt could be answered.
  case nothingAnswered(reason: String?)
  /// The task was cancelled; what was generated until then is stored.
  case interrupted(done: Int, planned: Int)

  /// A text for people: what, why, what to try.
  public var description: String {
    switch self {
    case .noRuns(let store): "\(store) holds no run. Make one with selfcd eval."
    case .unknown(let run, let store, let latest):
      "There is no run '\(run)' in \(store). The latest are: \(latest.joined(separator: ", "))."
    case .ambiguous(let run, let matches):
      "'\(run)' may be any of \(matches.joined(separator: ", ")). Give more of it."
    case .nameTaken(let run):
      "The store already has a run '\(run)'. Resume it, begin another one under another name, or delete it with "
        + "'selfcd runs delete'."
    case .noReference(let name, let known):
      "The reference '\(name)' is none of the conditions: \(known.joined(separator: ", "))."
    case .reservedName(let run):
      "A run cannot be called '\(run)', which stands for the latest run. Give it another name."
    case .notAnEvaluation(let run): "The run '\(run)' was not made by 'selfcd eval' and cannot be resumed."
    case .imported(let run):
      "The run '\(run)' was imported: its replies were made elsewhere, and what is missing cannot be generated here. "
        + "Import all files anew under another name, or begin a run of your own with 'selfcd eval'."
    case .notACalibration(let run):
      "The run '\(run)' was not made by 'selfcd calibrate'; go on with it by 'selfcd eval --resume'."
    case .noCandidate:
      "There is no candidate besides the reference. Name at least two conditions, the reference first."
    case .otherStages(.two):
      "There are no prompts to confirm on, which two stages need. Hold some back with "
        + "CalibrationSplit(_:confirmFraction:seed:), or calibrate in a single stage."
    case .otherStages(.single):
      "There are prompts to confirm on, which a single stage does not use. Give all prompts to calibrate on, or "
        + "calibrate in two stages."
    case .otherModel(let run, let path):
      "\(path) is not the model that run '\(run)' began with. Name that file with --model, or start a new run."
    case .otherAdapters(let run, let own, let given):
      "The run '\(run)' began with \(Self.adapters(own)), and not with \(Self.adapters(given)); the model's file is the same. "
        + "Leave --lora and --control-vector out to go on as it began, or start a new run."
    case .otherFiles(let run):
      "The files are not those that run '\(run)' began with. Leave them out to go on with it, or name another run."
    case .otherJudges(let run, let own, let asked):
      "The run '\(run)' is judged by \(own.joined(separator: ", ")), not by \(asked.joined(separator: ", ")). Leave "
        + "--judge out, and use 'selfcd judge \(run) --judge …' afterwards."
    case .judgeMissing(let run, let judge):
      "The run '\(run)' counts by \(judge ?? "no judge"), which is not there: every reply without its verdict would "
        + "count as a lost refusal. Give the options of that judge again: --judge llm with --judge-url and "
        + "--judge-model, or --judge local-model."
    case .verdictsMissing(let judge, let missing, let replies, let condition, let label):
      "\(missing) of \(NumberFormat.counted(replies, "reply", "replies")) of \(condition) to "
        + "\(label == .harmful ? "harmful" : "harmless") prompts \(missing == 1 ? "has" : "have") no "
        + "verdict by \(judge), and each would count as a lost refusal or as no answer. Start one with another judge, or "
        + "resume this one when it answers."
    case .noCondition(let run, let condition): "The run '\(run)' lacks its condition '\(condition)'."
    case .notCalibrated(let run): "The run '\(run)' has no replies to calibrate on. Resume it first."
    case .budgetTooSmall(let run, let budget, let one, let all):
      "\(NumberFormat.duration(budget)) are too short: by the first replies the base rates and one candidate take about "
        + "\(NumberFormat.duration(one)), and all candidates about \(NumberFormat.duration(all)). The replies so far are "
        + "stored in the run '\(run)'. Start the same tuning with --budget \(TuningDecision.minutes(one))m or more, or "
        + "begin one with fewer prompts (--limit)."
    case .otherBudget(let run, let own, let given):
      "The run '\(run)' chose its candidates for \(NumberFormat.duration(own)), before any of them was measured, and "
        + "keeps to them; now it was given \(NumberFormat.duration(given)). Leave --budget out to go on with it. To try "
        + "other candidates, begin another run with --run and another name, on new prompts: a second try on the same "
        + "ones weakens the bound."
    case .nothingAnswered(let reason):
      "No prompt could be answered, so there is nothing to count."
        + (reason.map { " The first reason: \($0)" } ?? "")
    case .interrupted(let done, let planned):
      "Stopped with \(done) of \(NumberFormat.counted(planned, "reply", "replies")); what was generated is stored. Resume the run to go on."
    }
  }

  private static func adapters(_ names: [String]) -> String {
    names.isEmpty
      ? "no adapter" : "the \(names.count == 1 ? "adapter" : "adapters") \(names.joined(separator: ", "))"
  }
}
