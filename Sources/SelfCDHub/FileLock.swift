import Foundation

/// An advisory lock on a file, as `huggingface_hub` takes it (`flock`), so that two programs never write one blob.
struct FileLock {
  private let descriptor: Int32

  /// Takes the lock, waiting for whoever has it; `release` gives it back.
  /// - Parameter onWait: Called once if there is someone to wait for.
  /// - Throws: ``HubError/cannotWrite(path:reason:source:)`` or `CancellationError`.
  init(_ file: URL, onWait: () -> Void) async throws {
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw HubError.cannotWrite(path: file.path, reason: (error as NSError).localizedDescription)
    }
    let descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw HubError.cannotWrite(path: file.path, reason: SystemError.text()) }
    var hasWaited = false
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      // File systems without locks, as some in networks, are used without.
      guard errno == EWOULDBLOCK || errno == EINTR else { break }
      if !hasWaited { onWait() }
      hasWaited = true
      do { try await Task.sleep(for: .milliseconds(300)) } catch {
        close(descriptor)
        throw error
      }
    }
    self.descriptor = descriptor
  }

  func release() { close(descriptor) }
}

/// What the C library says about the last call.
enum SystemError {
  static func text(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
}
