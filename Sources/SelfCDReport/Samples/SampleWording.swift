import SelfCDSupport

/// The words of the list of replies.
extension Wording {
  static func samples(_ table: SampleTable) -> String {
    let withheld = table.prompt.count { $0 < 0 }
    let prompts = NumberFormat.separated(table.prompt.count, "prompt")
    let conditions = NumberFormat.separated(table.conditions.count, "condition")
    let texts =
      switch withheld {
      case 0: "All texts are here."
      case table.prompt.count: "Verdicts are here; no texts."
      default:
        "Verdicts are here for all of them, texts for \(NumberFormat.count(table.prompt.count - withheld))."
      }
    return "\(prompts) with the replies under \(conditions), to search and filter. \(texts)"
      + (withheld > 0 ? " \(withheldSamples)" : "")
  }

  static let withheldSamples =
    "Texts of prompts that are labelled harmful or have no label are withheld, prompt and replies alike, "
    + "unless the report was made with --show-harmful; --samples verdicts leaves out all texts."

  static let samplesNeedScript =
    "This list needs the page’s script, which the page holds itself and which loads nothing. Without it, selfcd export "
    + "writes the replies as a table, and selfcd report --samples none a page without a script."

  static let samplesCannotBeRead =
    "This browser cannot unpack the list of replies. One from 2023 or later can, or make the report with "
    + "--samples verdicts, which is smaller."
}
