import CLlama
import Foundation
import Synchronization

/// Process-wide state of libllama: started once, its log kept so that errors can say what it said.
enum LlamaRuntime {
  private static let log = Mutex(LogTail())

  /// Idempotent. Has to come before any other use of libllama.
  ///
  /// CUDA graphs are switched off: on an H200, with batches of many lanes whose number changes from step to step, ggml
  /// ended the process with a CUDA error, with graphs only (docs/footguns.md). A value of the user's own stays.
  static let start: Void = {
    setenv("GGML_CUDA_DISABLE_GRAPHS", "1", 0)
    llama_log_set({ level, text, _ in LlamaRuntime.record(level, text) }, nil)
    llama_backend_init()
  }()

  /// Runs a call and returns with it what libllama complained about meanwhile.
  static func complaints<R>(of call: () -> R) -> (result: R, complaints: String) {
    _ = start
    log.withLock { $0.clear() }
    let result = call()
    return (result, log.withLock { $0.text })
  }

  /// The last warnings and errors, also from within the callback of an abort, which no lock may hold up.
  static var lastWords: [String] { log.withLockIfAvailable { $0.all } ?? [] }

  /// What is printed when libllama ends the process. What it logged before is the reason; what it gives as the reason
  /// is often only a place in its source.
  static func farewell(reason: String, said: [String]) -> String {
    let isGPU = reason.contains("CUDA") || said.contains { $0.contains("CUDA error") }
    var lines = ["error: libllama gave up: \(reason)."]
    if !said.isEmpty { lines.append("  it said: \(said.joined(separator: " / "))") }
    lines.append(
      isGPU
        ? "  try: fewer lanes or layers on the GPU (--lanes, --gpu-layers); --gpu-layers 0 uses none."
        : "  why: the model file may be damaged, or too large for this machine.")
    return lines.joined(separator: "\n") + "\n"
  }

  private static func record(_ level: ggml_log_level, _ text: UnsafePointer<CChar>?) {
    guard let text else { return }
    log.withLock { $0.add(String(cString: text), level: level) }
  }

  /// The last few lines of warnings and errors.
  private struct LogTail {
    private var lines: [String] = []
    private var continues = false
    private static let limit = 8

    mutating func clear() { lines = [] }

    mutating func add(_ text: String, level: ggml_log_level) {
      let isContinuation = level == GGML_LOG_LEVEL_CONT
      let isComplaint = level == GGML_LOG_LEVEL_WARN || level == GGML_LOG_LEVEL_ERROR
      guard isComplaint || (isContinuation && continues) else {
        continues = false
        return
      }
      continues = true
      let line = text.trimmingCharacters(in: .whitespacesAndNewlines)
      if !line.isEmpty { lines.append(line) }
      if lines.count > Self.limit { lines.removeFirst() }
    }

    var all: [String] { lines }

    var text: String {
      lines.isEmpty ? "it gave no reason." : lines.joined(separator: " / ")
    }
  }
}
