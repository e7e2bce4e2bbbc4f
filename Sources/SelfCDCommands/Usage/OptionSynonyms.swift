/// Names of options in other programs.
enum OptionSynonyms {
  /// What other programs call options of this one.
  static let all = [
    "dataset": "data", "datasets": "data", "prompts": "data", "out": "output", "output-file": "output",
    "model-path": "model", "ngl": "gpu-layers", "n-gpu-layers": "gpu-layers", "n-predict": "max-tokens",
    "max-new-tokens": "max-tokens", "ctx": "ctx-size", "n-ctx": "ctx-size", "context-size": "ctx-size",
    "temp": "temperature", "system-prompt": "system", "judge-endpoint": "judge-url", "name": "run",
    "run-id": "run", "runs": "run", "n": "limit", "num-samples": "limit",
  ]
}
