import Foundation
import Synchronization

/// A blob that is being received: what was written is hashed along the way, and what an earlier run left is read once.
final class PartialFile: Sendable {
  private struct State {
    var offset: Int64
    var hasher: BlobHasher
  }

  private let file: HubFile
  private let path: String
  private let descriptor: Int32
  private let state: Mutex<State>

  /// Opens or creates the file.
  /// - Throws: ``HubError`` or `CancellationError`.
  init(_ file: HubFile, at url: URL) throws {
    self.file = file
    path = url.path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path, errno) }
    var hasher = BlobHasher(for: file)
    var offset: Int64 = 0
    do {
      offset = try Self.readBack(descriptor, path: path, size: file.size, into: &hasher)
    } catch {
      close(descriptor)
      throw error
    }
    state = Mutex(State(offset: offset, hasher: hasher))
  }

  deinit { close(descriptor) }

  /// Bytes that are there.
  var offset: Int64 { state.withLock { $0.offset } }

  /// The checksum of what is there, in hexadecimal.
  var checksum: String { state.withLock { $0.hasher.hex } }

  /// Appends what arrived.
  /// - Throws: ``HubError``.
  func append(_ data: Data) throws(HubError) {
    try state.withLock { state throws(HubError) in
      guard state.offset + Int64(data.count) <= file.size else {
        throw .unreadableAnswer(url: file.path, detail: "more bytes than the \(file.size) announced")
      }
      try write(data, at: state.offset)
      state.hasher.update(data)
      state.offset += Int64(data.count)
    }
  }

  /// Starts again from nothing.
  func reset() throws(HubError) {
    try state.withLock { state throws(HubError) in
      guard ftruncate(descriptor, 0) == 0 else { throw failure() }
      state = State(offset: 0, hasher: BlobHasher(for: file))
    }
  }

  /// Brings everything to the disk, so that the final name never stands for less.
  func synchronise() throws(HubError) {
    guard fsync(descriptor) == 0 else { throw failure() }
  }

  private func write(_ data: Data, at offset: Int64) throws(HubError) {
    let code: Int32 = data.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = pwrite(
          descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset) + off_t(done))
        if count < 0 {
          if errno == EINTR { continue }
          return errno
        }
        done += count
      }
      return 0
    }
    guard code == 0 else { throw failure(code) }
  }

  private func failure(_ code: Int32 = errno) -> HubError { Self.failure(path, code) }

  private static func failure(_ path: String, _ code: Int32) -> HubError {
    code == ENOSPC || code == EDQUOT
      ? .diskFull(path: (path as NSString).deletingLastPathComponent, needed: nil, available: nil)
      : .cannotWrite(path: path, reason: SystemError.text(code))
  }

  /// Hashes what is there already; a file that is too long is not the beginning of this one.
  private static func readBack(
    _ descriptor: Int32, path: String, size: Int64, into hasher: inout BlobHasher
  ) throws -> Int64 {
    let present = Int64(lseek(descriptor, 0, SEEK_END))
    guard present <= size else {
      guard ftruncate(descriptor, 0) == 0 else {
        throw HubError.cannotWrite(path: path, reason: SystemError.text())
      }
      return 0
    }
    var buffer = Data(count: 1 << 20)
    var offset: Int64 = 0
    while offset < present {
      try Task.checkCancellation()
      let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw HubError.cannotWrite(path: path, reason: SystemError.text()) }
      hasher.update(buffer.prefix(count))
      offset += Int64(count)
    }
    return offset
  }
}
