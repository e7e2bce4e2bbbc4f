import ArgumentParser
import Foundation
import SelfCDData
import SelfCDSupport

/// A set beside the paper's: `NAME=FILE:safe` or `NAME=FILE:harmful`.
struct NamedSet: ExpressibleByArgument, Equatable {
  let name: String
  let path: String
  let label: Sample.Label

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), let colon = argument.lastIndex(of: ":"), equals < colon,
      let label = Sample.Label(rawValue: String(argument[argument.index(after: colon)...])), label != .neutral
    else { return nil }
    name = String(argument[..<equals])
    path = String(argument[argument.index(after: equals)..<colon])
    self.label = label
    if name.isEmpty || path.isEmpty { return nil }
  }
}

/// The paper's sets, each from a file that the user has.
struct ReproductionSets: ParsableArguments {
  @Option(help: .init("XSTest's prompts, harmless and harmful ones.", valueName: "file"))
  var xstest: String?

  @Option(help: .init("OKTest's prompts; all are harmless.", valueName: "file"))
  var oktest: String?

  @Option(help: .init("AdvBench's harmful behaviours.", valueName: "file"))
  var advbench: String?

  @Option(help: .init("MaliciousInstruct, one harmful prompt a line.", valueName: "file"))
  var malicious: String?

  @Option(
    help: .init(
      "Another set; rows with labels of their own keep them. Repeatable.",
      valueName: "name=file:safe|harmful"))
  var set: [NamedSet] = []

  @Option(
    help: .init("At most so many harmless and so many harmful prompts of each set.", valueName: "n"))
  var limit: Int?

  /// The names that ``PublishedResults`` knows the sets by; XSTest's rows say themselves what they are.
  private var known: [(name: String, option: String, path: String?, label: Sample.Label?)] {
    [
      ("XSTest", "--xstest", xstest, nil), ("OKTest", "--oktest", oktest, .safe),
      ("AdvBench", "--advbench", advbench, .harmful),
      ("MaliciousInstruct", "--malicious", malicious, .harmful),
    ]
  }

  /// The paper's sets whose files are not given, with the options that would give them.
  var leftOut: [(name: String, option: String)] {
    known.filter { $0.path == nil }.map { ($0.name, $0.option) }
  }

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
    guard leftOut.count < known.count || !set.isEmpty else {
      throw ValidationError(
        "No set is given. Name at least one file: \(known.map(\.option).joined(separator: ", ")) or --set.")
    }
    var names = known.filter { $0.path != nil }.map { $0.name.lowercased() }
    for name in set.map(\.name) {
      guard !names.contains(name.lowercased()) else {
        throw ValidationError("Two sets are named '\(name)'. Give one of them another name.")
      }
      names.append(name.lowercased())
    }
  }

  /// Reads the files.
  /// - Throws: `DatasetError`; `CommandError` where rows do not say whether they are harmless.
  func read() throws -> [Dataset] {
    let given: [(name: String, path: String, label: Sample.Label?)] =
      known.compactMap { set in set.path.map { (set.name, $0, set.label) } }
      + set.map { ($0.name, $0.path, $0.label) }
    // Each set by itself: a limit over all would leave small sets with almost nothing.
    return try given.flatMap { name, path, label in
      let dataset = try DatasetReader(options: .init(name: name, label: label))
        .read(path: UserFolders.current.expand(path))
      guard dataset.samples.allSatisfy({ $0.label != nil }) else {
        throw CommandError.invalid(
          "\(path) does not say of every prompt whether it is harmless, as XSTest's file does. "
            + "Give it with --set NAME=FILE:safe or NAME=FILE:harmful.")
      }
      return [dataset].limited(to: limit)
    }
  }
}
