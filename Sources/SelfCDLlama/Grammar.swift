import CChatTemplate
import CGrammar
import CLlama
import SelfCD

/// What a reply has to look like: a grammar in llama.cpp's GBNF, as such or made of a JSON schema.
///
/// One grammar serves any number of generations: ``constraint(for:)`` makes each its own state.
public struct Grammar: Sendable, Hashable {
  /// The grammar, with the start symbol `root`.
  public let text: String

  /// The most bytes of a grammar's text.
  public static let longestText = 256 << 10

  /// Takes a grammar as it is; whether it can be parsed shows when a constraint is made of it.
  ///
  /// - Parameter text: GBNF with the start symbol `root`.
  /// - Throws: ``GrammarError/tooLong(bytes:)``.
  public init(_ text: String) throws(GrammarError) {
    guard text.utf8.count <= Self.longestText else { throw .tooLong(bytes: text.utf8.count) }
    self.text = text
  }

  private init(converted text: String) { self.text = text }

  /// The grammar of the JSON texts that a schema describes, by llama.cpp's converter.
  ///
  /// A part that it cannot enforce is an error, and nothing is fetched for a `$ref`. Properties come in the schema's order.
  ///
  /// - Parameter jsonSchema: the schema as JSON, at most 64 KiB and nested at most 64 levels.
  /// - Throws: ``GrammarError/schema(_:)``.
  public init(jsonSchema: String) throws(GrammarError) {
    var grammar: UnsafeMutablePointer<CChar>?
    var message: UnsafeMutablePointer<CChar>?
    var (length, messageLength) = (0, 0)
    var schema = jsonSchema
    let status = schema.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        selfcd_schema_to_grammar($0.baseAddress, $0.count, &grammar, &length, &message, &messageLength)
      }
    }
    defer {
      selfcd_message_free(grammar)
      selfcd_message_free(message)
    }
    guard status == SELFCD_OK, let grammar else {
      let reason = message.map { Self.text($0, messageLength) } ?? "out of memory"
      throw .schema(reason.split(whereSeparator: \.isNewline).joined(separator: " "))
    }
    self.init(converted: Self.text(grammar, length))
  }

  /// Any JSON object.
  public static func anyJSONObject() throws(GrammarError) -> Grammar {
    try Grammar(jsonSchema: #"{"type": "object"}"#)
  }

  private static func text(_ start: UnsafePointer<CChar>, _ length: Int) -> String {
    String(
      decoding: UnsafeBufferPointer(start: start, count: length).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The state of one generation by this grammar.
  ///
  /// - Parameter model: the model that is to write it.
  /// - Throws: ``GrammarError/unusable``.
  public func constraint(for model: LlamaModel) throws(GrammarError) -> any TokenConstraint {
    var text = text
    let handle = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        selfcd_grammar_make(model.vocab, $0.baseAddress, $0.count)
      }
    }
    guard let handle else { throw .unusable }
    return GrammarConstraint(GrammarState(handle, model: model))
  }
}

/// Why a grammar cannot be used.
public enum GrammarError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Its text has that many bytes.
  case tooLong(bytes: Int)
  /// A JSON schema cannot be turned into a grammar, with the part and the reason.
  case schema(String)
  /// It cannot be parsed, has no `root`, or recurses on the left.
  case unusable

  /// The error in words, with what to try.
  public var description: String {
    switch self {
    case .tooLong(let bytes):
      "The grammar has \(bytes) bytes; at most \(Grammar.longestText) are read. Shorten it."
    case .schema(let reason):
      "The JSON schema cannot be enforced: \(reason). Leave out that part, or write a grammar (GBNF)."
    case .unusable:
      "The grammar cannot be used: it does not parse as GBNF, has no rule 'root', or a rule begins with itself. "
        + "llama.cpp's grammars/README.md describes the format."
    }
  }
}

/// The C state, freed with its last owner.
private final class GrammarState: @unchecked Sendable {
  let handle: OpaquePointer
  private let model: LlamaModel

  init(_ handle: OpaquePointer, model: LlamaModel) {
    self.handle = handle
    self.model = model
  }

  deinit { selfcd_grammar_free(handle) }

  /// An independent one in the same state; nil where memory is short.
  func copy() -> GrammarState? { selfcd_grammar_copy(handle).map { GrammarState($0, model: model) } }
}

/// A grammar's state as a value: it is copied when it would change under another owner.
///
/// A generation is on one thread at a time, and so is its state; copies that stay unchanged only read.
private struct GrammarConstraint: TokenConstraint {
  private var state: GrammarState
  /// Memory was short, so that nothing is allowed.
  private var isSpent = false

  init(_ state: GrammarState) { self.state = state }

  func allows(_ token: TokenID) -> Bool { !isSpent && selfcd_grammar_allows(state.handle, token) }

  func mask(_ scores: inout [Float]) {
    let isMasked =
      !isSpent
      && scores.withUnsafeMutableBufferPointer {
        selfcd_grammar_mask(state.handle, $0.baseAddress, Int32($0.count))
      }
    if !isMasked { for index in scores.indices { scores[index] = -.infinity } }
  }

  mutating func accept(_ token: TokenID) {
    if !isKnownUniquelyReferenced(&state) {
      guard let copy = state.copy() else {
        isSpent = true
        return
      }
      state = copy
    }
    _ = selfcd_grammar_accept(state.handle, token)
  }
}
