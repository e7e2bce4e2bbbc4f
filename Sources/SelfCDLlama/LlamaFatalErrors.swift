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
      let text = LlamaRuntime.farewell(reason: reason, said: LlamaRuntime.lastWords)
      try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
      _exit(fatalErrorStatus.load(ordering: .relaxed))
    }
  }
}

// Global, since a C callback captures nothing.
private let fatalErrorStatus = Atomic<Int32>(1)
