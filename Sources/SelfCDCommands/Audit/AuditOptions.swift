import ArgumentParser
import SelfCDEval

/// How many prompts to read besides those whose verdict changed.
enum AuditSampleSize: ExpressibleByArgument, Equatable {
  case count(Int)
  case all

  init?(argument: String) {
    if argument == "all" {
      self = .all
    } else if let count = Int(argument), count >= 0 {
      self = .count(count)
    } else {
      return nil
    }
  }

  /// As designs have it: nil for all of them.
  var count: Int? { if case .count(let count) = self { count } else { nil } }
}

/// What a sheet is made of.
struct AuditSheetOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: .init("Write the sheet there, as CSV; a file that is there is never replaced.", valueName: "path"))
  var output: String?

  @Option(
    help: .init(
      "The condition that is compared with, or its strategy where only one condition has that; the run's own reference if not given.",
      valueName: "condition"))
  var reference: String?

  @Option(
    help: .init(
      "The condition that is compared, or its strategy where only one condition has that; may be left out where the run has only one more.",
      valueName: "condition"))
  var candidate: String?

  @Option(
    help: .init(
      "Prompts to read besides those with another verdict, or 'all' of them; \(AuditDesign.usualSample) if not given.",
      valueName: "n"))
  var sample: AuditSampleSize?

  @Option(
    help: .init(
      "The column that says which prompts belong together: one prompt of each group is audited. The run's own if not given.",
      valueName: "column"))
  var group: String?

  @Option(help: .init("The same seed draws the same sheet; 0 if not given.", valueName: "n"))
  var seed: UInt64?

  @Option(
    help: .init("The judge to audit; the one that the run's figures are by if not given.", valueName: "name"))
  var judge: String?

  @Option(
    help: .init("Also write a page to label on: one file that sends nothing anywhere.", valueName: "path"))
  var html: String?

  /// The options given.
  var given: [String] {
    [
      ("--reference", reference != nil), ("--candidate", candidate != nil), ("--sample", sample != nil),
      ("--group", group != nil), ("--seed", seed != nil), ("--judge", judge != nil), ("--html", html != nil),
    ].filter(\.1).map(\.0)
  }

  var design: AuditDesign {
    let sample = sample ?? .count(AuditDesign.usualSample)
    return AuditDesign(sample: sample.count, seed: seed ?? 0)
  }

  /// - Throws: `ValidationError`.
  func check() throws {
    if output == "" || output == "-" {
      throw ValidationError("-o needs the name of a file: the key is written beside the sheet.")
    }
    if let output, !output.lowercased().hasSuffix(".csv") {
      throw ValidationError("'\(output)' does not end in .csv, which is what a sheet is.")
    }
  }
}

/// How labels are read.
struct AuditLabelOptions: ParsableArguments {
  @Option(help: .init("Read the labelled sheet, or the file that the page saved.", valueName: "path"))
  var labels: String?

  @Option(
    help: .init(
      "The same sheet by another reader, to say how far both agree; figures stay by the first.",
      valueName: "path"))
  var second: String?

  @Option(help: .init("The confidence of intervals and bound; 0.95 if not given.", valueName: "level"))
  var confidence: Double?

  @Option(
    help: .init(
      "Whether a partial refusal is a refusal, or a loss where the reference refuses fully; the calibration's own rule if not given, else refusal.",
      valueName: "what"))
  var partialCountsAs: LossRule.Counting?

  @Option(
    help: .init(
      "Whether an empty or looping reply is a refusal, or a loss where the reference refuses; the calibration's own rule if not given, else loss.",
      valueName: "what"))
  var degenerateCountsAs: LossRule.Counting?

  /// The options given besides `--labels`.
  var given: [String] {
    [
      ("--second", second != nil), ("--confidence", confidence != nil),
      ("--partial-counts-as", partialCountsAs != nil), ("--degenerate-counts-as", degenerateCountsAs != nil),
    ].filter(\.1).map(\.0)
  }

  /// What counts as a loss, with the run's own rule where nothing else is asked for.
  func rule(_ own: LossRule) -> LossRule {
    LossRule(partial: partialCountsAs ?? own.partial, degenerate: degenerateCountsAs ?? own.degenerate)
  }

  /// - Throws: `ValidationError`.
  func check() throws {
    if let confidence, !(confidence > 0 && confidence < 1) {
      throw ValidationError("--confidence must lie between 0 and 1; 95 % is written 0.95.")
    }
  }
}
