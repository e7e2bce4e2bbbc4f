import SelfCD
import SelfCDEval

/// The model that answered, as `--json` prints it: with the keys that run records have.
struct ModelJSON: Encodable {
  /// The file's name.
  let name: String
  /// The adapters that it ran with; absent for none.
  let adapters: [ModelIdentity.Adapter]?

  /// Reads the hashes of the adapters. That of the model itself is left to runs and profiles: a large file takes longer
  /// to read than a question to answer.
  /// - Throws: what reading the files throws.
  init(path: String, adapters: [ModelAdapter]) throws {
    name = OutputFile.name(path)
    self.adapters = try adapters.isEmpty ? nil : adapters.map { try ModelIdentity.Adapter($0) }
  }
}
