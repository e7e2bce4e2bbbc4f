import CLlama
import Foundation
import Synchronization

/// For programs: what to do when libllama gives up on the whole process.
public enum LlamaFatalErrors {
  /// Ends the process with one line on standard error and `status`, instead of a core dump.
  ///
  /// Files are checked before libllama sees them, but what it asserts cannot all be foreseen, and nothing can be
  /// saved once it has given up.
  public static func exit(withStatus status: Int32) {
    fatalErrorStatus.store(status, ordering: .relaxed)
    _ = ggml_set_abort_callback { message in
      let reason = message.map { String(cString: $0) } ?? "no reason given"
      let line =
        "error: libllama gave up: \(reason). The model file may be damaged, or too large for this machine.\n"
      try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
      _exit(fatalErrorStatus.load(ordering: .relaxed))
    }
  }
}

// Global, since a C callback captures nothing.
private let fatalErrorStatus = Atomic<Int32>(1)

/// Process-wide state of libllama: started once, its log kept so that errors can say what it said.
enum LlamaRuntime {
  private static let log = Mutex(LogTail())

  /// Idempotent. Has to come before any other use of libllama.
  static let start: Void = {
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

    var text: String {
      lines.isEmpty ? "it gave no reason." : lines.joined(separator: " / ")
    }
  }
}
