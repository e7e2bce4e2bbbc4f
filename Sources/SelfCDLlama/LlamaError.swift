/// What went wrong between a sound file and a running model.
public enum LlamaError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The model is of a kind that cannot chat here: an encoder, diffusion, no weights, hyperparameters that make no
  /// sense.
  case unsupportedModel(path: String, reason: String)
  /// libllama refused the file, with its own words.
  case loadFailed(path: String, reason: String)
  /// The progress callback said to stop.
  case loadCancelled(path: String)
  /// No context was made, mostly for want of memory, with libllama's own words.
  case contextFailed(reason: String)
  /// An option is outside its range; `name` is as on the command line.
  case invalidOption(name: String, value: String, allowed: String)
  /// A text could not be turned into tokens.
  case tokenizationFailed(reason: String)
  /// The model has no chat template and none was given in its place.
  case noChatTemplate(path: String)

  /// The error in words, with what to try.
  public var description: String {
    switch self {
    case .unsupportedModel(let path, let reason):
      "\(path) cannot be used for chat: \(reason)."
    case .loadFailed(let path, let reason):
      "libllama could not load \(path): \(reason)"
    case .loadCancelled(let path):
      "Loading \(path) was cancelled."
    case .contextFailed(let reason):
      "No context could be made for the model: \(reason) A smaller --ctx-size or fewer lanes need less memory."
    case .invalidOption(let name, let value, let allowed):
      "\(name) is \(value), but it must be \(allowed)."
    case .tokenizationFailed(let reason):
      "The prompt could not be turned into tokens: \(reason)."
    case .noChatTemplate(let path):
      """
      \(path) holds no chat template, so it is not known how to put a question to it. Give one with \
      --chat-template FILE (a Jinja template; the model's page usually shows it).
      """
    }
  }
}
