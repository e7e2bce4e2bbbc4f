import CChatTemplate
import Foundation
import SelfCD

/// A model's own Jinja chat template, rendered by llama.cpp's Jinja engine.
///
/// Rendering is bounded in time, steps, depth, memory and output, since templates come from downloaded files.
public final class ChatTemplate: @unchecked Sendable {
  /// The template's Jinja text.
  public let source: String
  /// Never changed after parsing, so it may be used from any thread.
  private let handle: OpaquePointer

  /// - Throws: ``ChatTemplateError``.
  public init(source: String) throws(ChatTemplateError) {
    self.source = source
    var status = SELFCD_OK
    var message: UnsafeMutablePointer<CChar>?
    var messageLength = 0
    var text = source
    let parsed = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        selfcd_template_parse($0.baseAddress, $0.count, nil, &status, &message, &messageLength)
      }
    }
    guard let parsed else {
      defer { selfcd_message_free(message) }
      throw ChatTemplateError(status: status, message: Self.string(message, messageLength))
    }
    handle = parsed
  }

  deinit {
    selfcd_template_free(handle)
  }

  /// What the template can do, found by rendering probes, and how it marks reasoning, found in its source.
  public func traits() throws(ChatTemplateError) -> TemplateTraits {
    TemplateTraits(
      hasSystemRole: selfcd_template_caps(handle).system_role,
      reasoning: ReasoningTags.known.first { source.contains($0.end) })
  }

  /// Renders messages as the beginning of the assistant's turn.
  ///
  /// - Parameters:
  ///   - messages: the chat; what its messages say is marked as input.
  ///   - arguments: further variables of the template, such as `enable_thinking`; their texts are input as well.
  ///   - tokens: the texts of the model's special tokens that templates refer to.
  ///   - now: what `strftime_now` shows; the clock if `nil`.
  ///   - addGenerationPrompt: whether to end with the opening of the assistant's turn.
  /// - Returns: the text in pieces that know whether they come from a message or an argument.
  /// - Throws: ``ChatTemplateError``.
  public func render(
    _ messages: [ChatMessage], arguments: [String: TemplateValue] = [:], tokens: TemplateTokens = .init(),
    now: Date? = nil, addGenerationPrompt: Bool = true
  ) throws(ChatTemplateError) -> [PromptSegment] {
    var inputs = arguments
    inputs["messages"] = .array(
      messages.map { .object(["role": .string($0.role.rawValue), "content": .string($0.content)]) })
    inputs["add_generation_prompt"] = .bool(addGenerationPrompt)
    inputs["bos_token"] = .string(tokens.beginOfSequence)
    inputs["eos_token"] = .string(tokens.endOfSequence)
    if let now { inputs["now"] = .number(now.timeIntervalSince1970.rounded(.down)) }
    let json: Data
    do {
      json = try JSONEncoder().encode(inputs)
    } catch {
      throw ChatTemplateError(kind: .badInput, message: "\(error)")
    }
    let result = json.withUnsafeBytes {
      selfcd_template_render(handle, $0.bindMemory(to: CChar.self).baseAddress, $0.count, nil)
    }
    defer { selfcd_render_free(result) }
    let status = selfcd_render_status(result)
    guard status == SELFCD_OK else {
      var length = 0
      let message = selfcd_render_message(result, &length)
      throw ChatTemplateError(status: status, message: Self.string(message, length))
    }
    return (0..<selfcd_render_count(result)).map { index in
      let segment = selfcd_render_segment(result, index)
      let bytes = UnsafeRawBufferPointer(start: segment.text, count: segment.length)
      return PromptSegment(text: Array(bytes), isInput: segment.is_input)
    }
  }

  private static func string(_ text: UnsafePointer<CChar>?, _ length: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(start: text, count: text == nil ? 0 : length), as: UTF8.self)
  }
}

/// Special tokens as templates write them.
public struct TemplateTokens: Sendable, Hashable {
  /// The text of the token that begins a sequence, `bos_token` in templates; empty where the model has none.
  public var beginOfSequence: String
  /// The text of the token that ends a sequence, `eos_token` in templates; empty where the model has none.
  public var endOfSequence: String

  /// Names the texts; a template that uses an empty one writes nothing there.
  public init(beginOfSequence: String = "", endOfSequence: String = "") {
    self.beginOfSequence = beginOfSequence
    self.endOfSequence = endOfSequence
  }
}

/// What is known about a template.
public struct TemplateTraits: Sendable, Hashable {
  /// Whether a system message reaches the prompt.
  public let hasSystemRole: Bool
  /// How reasoning is marked, for models that reason before they answer.
  public let reasoning: ReasoningTags?
}

/// The texts around a reasoning block.
public struct ReasoningTags: Sendable, Hashable {
  /// Opens the block.
  public let start: String
  /// Closes it; the answer follows.
  public let end: String

  /// The pairs in use by open-weight families.
  static let known = [
    ReasoningTags(start: "<think>", end: "</think>"),
    ReasoningTags(start: "[THINK]", end: "[/THINK]"),
    ReasoningTags(start: "<seed:think>", end: "</seed:think>"),
    ReasoningTags(start: "<|channel|>analysis<|message|>", end: "<|channel|>final<|message|>"),
  ]
}

/// Why a template could not be rendered.
public struct ChatTemplateError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Where it went wrong.
  public enum Kind: String, Sendable {
    /// The template does not parse.
    case syntax
    /// The template does something on this chat that cannot be done, such as reading what is not there.
    case runtime
    /// The template itself refused, with `raise_exception`.
    case raised
    /// It went beyond a limit of time, steps, depth, memory, output or size of source.
    case limitExceeded
    /// Messages or arguments cannot be given to a template.
    case badInput
    /// The engine itself failed: no memory, no thread.
    case engine
  }

  /// The class of the error.
  public let kind: Kind
  /// What the engine, or the template itself, says.
  public let message: String

  init(kind: Kind, message: String) {
    self.kind = kind
    self.message = message
  }

  init(status: selfcd_status, message: String) {
    kind =
      switch status {
      case SELFCD_SYNTAX: .syntax
      case SELFCD_RUNTIME: .runtime
      case SELFCD_RAISED: .raised
      case SELFCD_BAD_INPUT: .badInput
      case SELFCD_LIMIT_TIME, SELFCD_LIMIT_STEPS, SELFCD_LIMIT_DEPTH, SELFCD_LIMIT_MEMORY,
        SELFCD_LIMIT_OUTPUT,
        SELFCD_LIMIT_SOURCE:
        .limitExceeded
      default: .engine
      }
    self.message = message
  }

  /// The error in words, with what to try.
  public var description: String {
    switch kind {
    case .syntax: "The chat template does not parse: \(message). Give another with --chat-template FILE."
    case .runtime: "The chat template fails on this chat: \(message). Give another with --chat-template FILE."
    case .raised: "The chat template refuses this chat: \(message)"
    case .limitExceeded:
      "The chat template was stopped: \(message). A template that needs this much is damaged or hostile."
    case .badInput: "The chat template's inputs are not valid: \(message)."
    case .engine: "The chat template could not be run: \(message)."
    }
  }
}
