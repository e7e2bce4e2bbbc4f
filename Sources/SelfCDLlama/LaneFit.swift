/// Options with a context as long as the prompts need, and as many lanes as memory holds.
///
/// ```swift
/// let fit = try LaneFit(GGUFFile(path: path), context: plan.contextNeeded, lanes: plan.usefulLanes)
/// let loaded = try await LoadedModel.load(path: path, options: fit.options)
/// ```
public struct LaneFit: Sendable, Hashable {
  /// The options to load the model with.
  public let options: LlamaOptions
  /// Whether memory holds fewer lanes than the fewest that were asked for. Those are in ``options`` nevertheless.
  public let isTight: Bool

  /// Fits options to a model's file, before anything of it is loaded.
  ///
  /// - Parameters:
  ///   - file: the model.
  ///   - options: how it is loaded otherwise. A context that is given there stays.
  ///   - context: tokens that a lane has to hold; cut to what the model was trained for.
  ///   - lanes: the fewest lanes that are needed, and the most that are of use.
  ///   - memory: bytes that may be used; `nil` for half of what is available.
  /// - Throws: ``ModelFileError`` when a part of a split model is missing or damaged, ``LlamaError`` when the file is no
  ///   chat model.
  public init(
    _ file: GGUFFile, options: LlamaOptions = .init(), context: Int, lanes: ClosedRange<Int>,
    memory: Int? = nil
  ) throws {
    var fitted = options
    let trained = file.hyperparameter("context_length")?.integer ?? .max
    fitted.contextSize = options.contextSize ?? min(context, trained)
    fitted.lanes = 1
    let estimate = try MemoryEstimate(file, options: fitted)
    let budget = memory ?? (MemoryEstimate.available ?? .max) / 2
    let room = max(0, budget - estimate.weights - estimate.compute)
    // The header of a recurrent model does not tell what a lane takes.
    let affordable = estimate.cache > 0 ? room / estimate.cache : lanes.upperBound
    isTight = affordable < lanes.lowerBound
    fitted.lanes = min(max(affordable, lanes.lowerBound), lanes.upperBound)
    fitted.batchSize = max(options.batchSize, fitted.lanes)
    self.options = fitted
  }
}
