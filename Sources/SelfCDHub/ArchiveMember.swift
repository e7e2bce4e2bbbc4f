import CZlib
import Crypto
import Foundation
import SelfCDSupport

/// A compressed file inside an archive, at a place that is known.
struct ArchiveMember {
  let archive: URL
  let place: Range<Int64>

  init(of archive: URL, at place: Range<Int64>) {
    self.archive = archive
    self.place = place
  }

  /// Unpacks the file beside its final name, and gives it that when size and checksum are right.
  /// - Throws: ``HubError``.
  func unpack(to final: URL, size: Int64, sha256: String) throws {
    let partial = final.appendingPathExtension("incomplete")
    do {
      try Data().write(to: partial)
      let output = try FileHandle(forWritingTo: partial)
      defer { try? output.close() }
      let input = try FileHandle(forReadingFrom: archive)
      defer { try? input.close() }
      var hash = SHA256()
      var written: Int64 = 0
      try inflate(input) { data in
        written += Int64(data.count)
        guard written <= size else { throw damaged(sha256, found: "longer than \(size) bytes") }
        hash.update(data: data)
        try output.write(contentsOf: data)
      }
      let found = hash.finalize().hexadecimal
      guard found == sha256 else { throw damaged(sha256, found: found) }
      try output.synchronize()
      guard rename(partial.path, final.path) == 0 else {
        throw HubError.cannotWrite(path: final.path, reason: SystemError.text())
      }
    } catch {
      try? FileManager.default.removeItem(at: partial)
      guard error is HubError else {
        throw HubError.cannotWrite(path: final.path, reason: (error as NSError).localizedDescription)
      }
      throw error
    }
  }

  private func damaged(_ expected: String, found: String) -> HubError {
    .wrongChecksum(file: archive.lastPathComponent, expected: expected, received: found)
  }

  /// Raw DEFLATE, a megabyte at a time.
  private func inflate(_ input: FileHandle, _ body: (Data) throws -> Void) throws {
    var stream = z_stream()
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw damaged("a compressed file", found: "zlib does not start")
    }
    defer { inflateEnd(&stream) }
    try input.seek(toOffset: UInt64(place.lowerBound))
    var left = place.count
    var code = Z_OK
    while code != Z_STREAM_END {
      guard left > 0, var packed = try input.read(upToCount: min(left, 1 << 20)), !packed.isEmpty else {
        throw damaged("a whole file", found: "one that ends early")
      }
      left -= packed.count
      code = try Self.inflate(&packed, with: &stream, body)
      guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else {
        throw damaged("a compressed file", found: "zlib code \(code)")
      }
    }
  }

  private static func inflate(
    _ packed: inout Data, with stream: inout z_stream, _ body: (Data) throws -> Void
  ) throws -> Int32 {
    var code = Z_OK
    var unpacked = Data(count: 1 << 20)
    try packed.withUnsafeMutableBytes { source in
      stream.next_in = source.bindMemory(to: UInt8.self).baseAddress
      stream.avail_in = UInt32(source.count)
      repeat {
        let produced = unpacked.withUnsafeMutableBytes { target in
          stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
          stream.avail_out = UInt32(target.count)
          code = CZlib.inflate(&stream, Z_NO_FLUSH)
          return target.count - Int(stream.avail_out)
        }
        if produced > 0 { try body(unpacked.prefix(produced)) }
      } while code == Z_OK && (stream.avail_in > 0 || stream.avail_out == 0)
    }
    return code
  }
}
