import Foundation
import SelfCDEval

/// What has to be known of a run so that someone else can repeat it.
public struct RunRecord: Codable, Sendable, Hashable, Identifiable {
  /// The model that ran.
  public struct Model: Codable, Sendable, Hashable {
    /// The name people use.
    public var name: String
    /// SHA-256 of the weights' file, in hexadecimal; with adapters, of file and adapters together
    /// (`ModelIdentity`). ``imported`` where the model is not at hand.
    public var sha256: String
    /// SHA-256 of the file alone, where there are adapters.
    public var fileSHA256: String?
    /// The adapters that it ran with; nil for none.
    public var adapters: [ModelIdentity.Adapter]?
    /// What the file says about itself: architecture, quantisation and so on.
    public var metadata: [String: String]

    /// What stands for ``sha256`` where the replies were made elsewhere, by a model that is not at hand.
    public static let imported = "imported"

    /// Whether the replies were made elsewhere.
    public var isImported: Bool { sha256 == Self.imported }

    /// Describes a model.
    public init(name: String, sha256: String, metadata: [String: String] = [:]) {
      self.name = name
      self.sha256 = sha256
      self.metadata = metadata
    }

    /// Describes a model with what it runs with.
    public init(name: String, identity: ModelIdentity, metadata: [String: String] = [:]) {
      self.init(name: name, sha256: identity.sha256, metadata: metadata)
      guard !identity.adapters.isEmpty else { return }
      fileSHA256 = identity.file
      adapters = identity.adapters
    }
  }

  /// The machine it ran on.
  public struct Machine: Codable, Sendable, Hashable {
    /// The processor's name.
    public var processor: String
    /// Cores that were used.
    public var cores: Int
    /// Memory in bytes.
    public var memory: Int
    /// The operating system and its version.
    public var system: String

    /// Describes a machine.
    public init(processor: String, cores: Int, memory: Int, system: String) {
      self.processor = processor
      self.cores = cores
      self.memory = memory
      self.system = system
    }
  }

  /// Unique in the store.
  public var id: String
  /// When it began.
  public var startedAt: Date
  /// When its last reply was stored; nil while replies are missing.
  public var finishedAt: Date?
  /// The program's version and commit.
  public var codeVersion: String
  /// The model.
  public var model: Model
  /// All settings, as a JSON document.
  public var parameters: String
  /// The seeds, in the order of their use.
  public var seeds: [UInt64]
  /// The machine.
  public var machine: Machine
  /// Replies that the run is meant to have.
  public var planned: Int

  /// Makes a record.
  public init(
    id: String = UUID().uuidString.lowercased(), startedAt: Date = Date(), finishedAt: Date? = nil,
    codeVersion: String, model: Model, parameters: String = "{}", seeds: [UInt64] = [], machine: Machine,
    planned: Int
  ) {
    self.id = id
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.codeVersion = codeVersion
    self.model = model
    self.parameters = parameters
    self.seeds = seeds
    self.machine = machine
    self.planned = planned
  }
}
