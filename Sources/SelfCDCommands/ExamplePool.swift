import Foundation
import SelfCD
import SelfCDData
import SelfCDSupport

/// The questions and answers that in-context examples are chosen from.
enum ExamplePool {
  private static let answerColumns = ["answer", "completion", "reply", "response"]

  /// Reads a file in any format of prompts that has a column with answers too.
  /// - Throws: `DatasetError`, `CommandError` where no row has an answer.
  static func read(_ path: String) throws -> [InContext.Example] {
    let dataset = try DatasetReader().read(path: UserFolders.current.expand(path))
    let examples = dataset.samples.compactMap { sample in
      answerColumns.lazy.compactMap { sample.fields[$0] }.first.map {
        InContext.Example(question: sample.prompt, answer: $0)
      }
    }
    guard !examples.isEmpty else {
      throw CommandError.invalid(
        "\(path) has no column with answers (\(answerColumns.joined(separator: ", "))).")
    }
    return examples
  }
}
