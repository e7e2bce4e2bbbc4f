import CLlama
import Foundation
import SelfCD

/// Looks into a loaded model beside the engine that runs it: a context of its own, and for gradients the file's
/// weights in float32 on the CPU.
///
/// One prompt at a time, on a thread of its own.
public actor LlamaInspector: ModelInspector {
  private let thread = EngineThread(name: "selfcd.inspector")
  /// The inspector's own thread: a gradient takes seconds, which must not hold up Swift's shared threads.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  private let model: LlamaModel
  private var budget: ThreadBudget
  private let abort = AbortSignal()
  private var context: CaptureContext?
  private var gradient: AttentionBackwardPass?

  /// The longest prompt that is looked into: scores of all heads take memory with its square.
  public static let tokenLimit = 2048

  /// - Parameters:
  ///   - model: a loaded model.
  ///   - options: the number of threads is taken from here.
  public init(model: LlamaModel, options: LlamaOptions = .init()) {
    self.model = model
    budget = options.threadBudget(for: model)
  }

  deinit { thread.shutdown() }

  private var architecture: String { model.file.architecture ?? "unknown" }

  /// Reads attention with the fused kernel off, in a context of its own. Cancelling the task ends it early.
  ///
  /// - Throws: ``InspectionError``, `CancellationError`; ``LlamaError/contextFailed(reason:)`` for want of memory.
  public func attention(over tokens: [TokenID]) async throws -> AttentionMaps {
    try check(tokens)
    let capture = try await read(tokens, .attention(matrices: true))
    let layers = capture.meanAttention.keys.sorted()
    // A layer without attention of its own (recurrent ones) breaks the chain from layer to layer.
    guard layers == Array(0..<model.layerCount) else {
      throw InspectionError.noAttention(architecture: architecture)
    }
    return AttentionMaps(
      count: tokens.count, mean: layers.compactMap { capture.meanAttention[$0] },
      last: layers.compactMap { capture.lastAttention[$0] })
  }

  /// Computes ∂L/∂A in float32 on the CPU and checks it against libllama's own attention and next token.
  ///
  /// - Throws: ``InspectionError``, among them ``InspectionError/disagrees(attention:nextToken:)`` where the check
  ///   fails;
  ///   `CancellationError`; ``LlamaError/contextFailed(reason:)`` for want of memory.
  public func saliency(of target: TokenID?, after tokens: [TokenID]) async throws -> AttentionSaliency {
    try check(tokens)
    if let target { try check([target]) }
    let gradient = try preparedGradient()
    let capture = try await read(tokens, .attention(matrices: false))
    let target = target ?? Argmax.first(of: capture.logits)?.token ?? 0
    let result = try gradient.compute(tokens, target: target, threads: budget.threads())
    let agreement = try agreement(result, capture)
    guard agreement.attention <= Self.tolerance, agreement.nextToken <= Self.tolerance else {
      throw InspectionError.disagrees(attention: agreement.attention, nextToken: agreement.nextToken)
    }
    guard result.loss.isFinite, result.gradient.allSatisfy({ $0.allSatisfy { $0.allSatisfy(\.isFinite) } })
    else {
      throw InspectionError.notFinite(what: "gradient")
    }
    return AttentionSaliency(
      target: target, loss: result.loss, attention: result.attention, gradient: result.gradient,
      agreement: agreement)
  }

  /// Reads what every layer hands on. Cancelling the task ends it early.
  ///
  /// - Throws: ``InspectionError``, `CancellationError`; ``LlamaError/contextFailed(reason:)`` for want of memory.
  public func residuals(of tokens: [TokenID], at positions: [Int]) async throws -> ResidualStates {
    try check(tokens)
    for (index, position) in positions.enumerated() {
      guard tokens.indices.contains(position), index == 0 || positions[index - 1] < position else {
        throw InspectionError.positionOutOfRange(position: position, tokens: tokens.count)
      }
    }
    let capture = try await read(tokens, .residuals(positions))
    let layers = capture.residuals.keys.sorted()
    guard layers == Array(0..<model.layerCount) else {
      throw InspectionError.noResidualStream(architecture: architecture)
    }
    return ResidualStates(layers: layers.compactMap { capture.residuals[$0] })
  }

  /// libllama runs quantised weights against rounded activations, the gradient runs in float32; beyond this it is
  /// another function. The embedded model in F16 is three orders of magnitude below it.
  private static let tolerance = 0.1

  private func check(_ tokens: [TokenID]) throws {
    guard !tokens.isEmpty else { throw InspectionError.emptyPrompt }
    let limit = min(Self.tokenLimit, model.trainedContext)
    guard tokens.count <= limit else {
      throw InspectionError.promptTooLong(tokens: tokens.count, limit: limit)
    }
    if let bad = tokens.first(where: { $0 < 0 || $0 >= model.vocabularySize }) {
      throw InspectionError.tokenOutOfRange(token: Int(bad), vocabulary: model.vocabularySize)
    }
  }

  private func preparedGradient() throws -> AttentionBackwardPass {
    if let gradient { return gradient }
    let made = try AttentionBackwardPass(model.file, adapters: model.adapters)
    gradient = made
    return made
  }

  /// A cancelled task gives up in the middle of it.
  private func read(
    _ tokens: [TokenID], _ wish: CaptureContext.Wish
  ) async throws -> CaptureContext.Capture {
    abort.reset()
    let context = try context(for: tokens.count)
    let threads = budget.threads()
    return try await withTaskCancellationHandler {
      try Task.checkCancellation()
      return try context.read(tokens, wish, threads: threads)
    } onCancel: { [abort] in
      abort.raise()
    }
  }

  /// The one there is, or a longer one.
  private func context(for count: Int) throws -> CaptureContext {
    if let context, context.capacity >= count { return context }
    context = nil
    let made = try CaptureContext(
      model: model, capacity: (count + 255) / 256 * 256, abort: abort)
    context = made
    return made
  }

  private func agreement(
    _ result: AttentionBackwardPass.Result, _ capture: CaptureContext.Capture
  ) throws -> AttentionSaliency.Agreement {
    var attention = 0.0
    for (layer, heads) in result.attention.enumerated() {
      guard let theirs = capture.lastAttention[layer], theirs.count == heads.count else {
        throw InspectionError.noAttention(architecture: architecture)
      }
      for (a, b) in zip(heads, theirs) { attention = max(attention, Self.totalVariation(a, b)) }
    }
    return .init(
      attention: attention,
      nextToken: 1 - Overlap.of(result.logits, capture.logits))
  }

  private static func totalVariation(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0.0) { $0 + abs(Double($1.0) - Double($1.1)) } / 2
  }
}
