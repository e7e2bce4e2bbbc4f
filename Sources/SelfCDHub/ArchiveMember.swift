import CZlib
import Foundation

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
    // zlib notes where the stream is and refuses one that has moved.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer {
      stream.deinitialize(count: 1)
      stream.deallocate()
    }
    guard inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw unreadable(file, "zlib does not start")
    }
    defer { inflateEnd(stream) }
    let input: FileHandle
    do {
      input = try FileHandle(forReadingFrom: archive)
      try input.seek(toOffset: UInt64(place.lowerBound))
    } catch {
      throw unreadable(file, (error as NSError).localizedDescription)
    }
    defer { try? input.close() }
    var left = place.count
    var code = Z_OK
    while code != Z_STREAM_END {
      try Task.checkCancellation()
      var packed = try read(input, upTo: min(left, 1 << 20), file)
      left -= packed.count
      code = try Self.inflate(&packed, with: stream, body)
      guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else {
        throw unreadable(file, "it is not compressed as it should be (zlib code \(code))")
      }
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

  private static func inflate(
    _ packed: inout Data, with stream: UnsafeMutablePointer<z_stream>, _ body: (Data) throws -> Void
  ) throws -> Int32 {
    var code = Z_OK
    var unpacked = Data(count: 1 << 20)
    try packed.withUnsafeMutableBytes { source in
      stream.pointee.next_in = source.bindMemory(to: UInt8.self).baseAddress
      stream.pointee.avail_in = UInt32(source.count)
      repeat {
        let produced = unpacked.withUnsafeMutableBytes { target in
          stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
          stream.pointee.avail_out = UInt32(target.count)
          code = CZlib.inflate(stream, Z_NO_FLUSH)
          return target.count - Int(stream.pointee.avail_out)
        }
        if produced > 0 { try body(unpacked.prefix(produced)) }
      } while code == Z_OK && (stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0)
    }
    return code
  }
}
