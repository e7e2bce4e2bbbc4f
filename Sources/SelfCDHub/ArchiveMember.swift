import Foundation
import SelfCDSupport

/// A compressed file inside an archive, in a place that is known.
struct ArchiveMember {
  let archive: URL
  let place: Range<Int64>

  init(of archive: URL, at place: Range<Int64>) {
    self.archive = archive
    self.place = place
  }

  /// Unpacks the file under a temporary name, and gives it its final name if its size and its checksum are right.
  /// - Throws: ``HubError/unreadableArchive(archive:file:reason:)`` where the archive does not hold the file; other
  ///   ``HubError``s where the file cannot be written; `CancellationError` when the task is cancelled.
  func unpack(_ file: HubFile, to final: URL) throws {
    let partial = Self.partial(of: final)
    do {
      // What an interrupted run left is of no use: unpacking starts at the beginning.
      try? FileManager.default.removeItem(at: partial)
      let output = try PartialFile(file, at: partial)
      try inflate(file) { data in
        guard output.offset + Int64(data.count) <= file.size else {
          throw unreadable(file, "it is longer than \(file.size) bytes")
        }
        try output.append(data)
      }
      guard output.checksum == file.checksum.hex else {
        throw unreadable(file, "its checksum is \(output.checksum), not \(file.checksum.hex)")
      }
      try output.synchronise()
      guard rename(partial.path, final.path) == 0 else {
        throw HubError.cannotWrite(path: final.path, reason: SystemError.text())
      }
    } catch {
      try? FileManager.default.removeItem(at: partial)
      throw error
    }
  }

  /// The temporary name of a file that is being unpacked.
  static func partial(of final: URL) -> URL { final.appendingPathExtension("incomplete") }

  private func unreadable(_ file: HubFile, _ reason: String) -> HubError {
    .unreadableArchive(archive: archive.lastPathComponent, file: file.path, reason: reason)
  }

  /// Raw DEFLATE, a megabyte at a time.
  private func inflate(_ file: HubFile, _ body: (Data) throws -> Void) throws {
    let input: FileHandle
    do {
      input = try FileHandle(forReadingFrom: archive)
      try input.seek(toOffset: UInt64(place.lowerBound))
    } catch {
      throw unreadable(file, (error as NSError).localizedDescription)
    }
    defer { try? input.close() }
    var left = place.count
    do {
      let inflater = try Inflater(.raw)
      while !inflater.isFinished {
        try Task.checkCancellation()
        let packed = try read(input, upTo: min(left, 1 << 20), file)
        left -= packed.count
        // What lies behind the end of the stream belongs to other members.
        _ = try packed.withUnsafeBytes { bytes in
          try inflater.unpack(bytes.bindMemory(to: UInt8.self)) { try body(Data(buffer: $0)) }
        }
      }
    } catch let failure as Inflater.Failure {
      throw unreadable(file, "it is not compressed as it should be (\(failure))")
    }
  }

  private func read(_ input: FileHandle, upTo count: Int, _ file: HubFile) throws(HubError) -> Data {
    let data: Data?
    do {
      data = count > 0 ? try input.read(upToCount: count) : nil
    } catch {
      throw unreadable(file, (error as NSError).localizedDescription)
    }
    guard let data, !data.isEmpty else { throw unreadable(file, "it ends early") }
    return data
  }
}
