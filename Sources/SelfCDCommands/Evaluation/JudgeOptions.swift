import ArgumentParser
import SelfCDEval

/// Who says whether a reply refuses.
struct JudgeOptions: ParsableArguments {
  @Option(
    help: .init(
      "A judge: \(JudgeCatalogue.local.map(\.name).joined(separator: ", ")). Repeatable; the first one's verdicts are counted. All of them if not given.",
      valueName: "name"))
  var judge: [String] = []

  /// - Throws: `JudgeError.unknownJudge`.
  func judges() throws -> [any ReplyJudge] {
    guard !judge.isEmpty else { return JudgeCatalogue.local }
    var seen: Set<String> = []
    return try judge.filter { seen.insert($0.lowercased()).inserted }.map(JudgeCatalogue.judge(named:))
  }

  func validate() throws {
    do { _ = try judges() } catch { throw ValidationError("\(error)") }
  }
}
