import Foundation
import Synchronization

/// Reads a pipe to its end on a thread of its own, while another one is read here.
final class BackgroundReader: Sendable {
  private let result = Mutex<Result<Data, any Error>>(.success(Data()))
  private let isDone = DispatchSemaphore(value: 0)

  init(_ handle: FileHandle) {
    Thread.detachNewThread { [self] in
      let read = Result { try handle.readToEnd() ?? Data() }
      result.withLock { $0 = read }
      isDone.signal()
    }
  }

  /// All there was. Waits for the end; call it once.
  func data() throws -> Data {
    isDone.wait()
    return try result.withLock { try $0.get() }
  }
}
