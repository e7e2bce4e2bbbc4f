import SelfCD

/// Why a file cannot be used as an adapter of a model, and what to try.
public enum AdapterError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file holds something else; `found` says what.
  case notAnAdapter(path: String, expected: ModelAdapter.Kind, found: String)
  /// It was made for another family of models.
  case otherArchitecture(path: String, adapter: String, model: String)
  /// A tensor does not fit the model.
  case doesNotFit(path: String, reason: String)
  /// It is of a kind that libllama or this program does not apply.
  case unsupported(path: String, reason: String)
  /// libllama refused the file, with its own words.
  case refused(path: String, reason: String)
  /// libllama loaded the adapters and then did not take them.
  case notApplied(kind: ModelAdapter.Kind)

  /// The error in words, with what to try.
  public var description: String {
    switch self {
    case .notAnAdapter(let path, .lora, let found):
      "\(path) is no LoRA adapter: \(found). Convert one with llama.cpp's convert_lora_to_gguf.py."
    case .notAnAdapter(let path, .controlVector, let found):
      "\(path) is no control vector: \(found). llama.cpp's llama-cvector-generator makes such files."
    case .otherArchitecture(let path, let adapter, let model):
      """
      \(path) is for models of the architecture '\(adapter)', and this one is '\(model)'. Give the model that the \
      adapter was trained on.
      """
    case .doesNotFit(let path, let reason):
      "\(path) does not fit this model: \(reason). Give the model that it was made for."
    case .unsupported(let path, let reason):
      "\(path) cannot be applied: \(reason). Merge it into the model with llama.cpp's llama-export-lora."
    case .notApplied(.lora):
      "libllama did not take the LoRA adapters. Try them one by one, to see which it is."
    case .notApplied(.controlVector):
      "libllama did not take the control vectors. Try them one by one, to see which it is."
    case .refused(let path, let reason):
      """
      libllama could not load the adapter \(path): \(reason)\(reason.hasSuffix(".") ? "" : ".") Convert it again with \
      llama.cpp's convert_lora_to_gguf.py, or leave out --lora to run the model without it.
      """
    }
  }
}
