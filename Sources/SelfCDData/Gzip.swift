import CZlib

/// Unpacks gzip (RFC 1952) by the system's zlib; files of several members, as `cat a.gz b.gz` makes, included.
enum Gzip {
  enum Failure: Error, Equatable {
    case corrupt(String)
    case tooLarge
  }

  static func isGzip(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0x1F, 0x8B])
  }

  /// The unpacked bytes, at most `limit` of them: a few kilobytes can unpack to gigabytes.
  static func unpack(_ packed: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
    var stream = z_stream()
    // 15 + 16: the largest window, gzip framing only.
    let status = inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw .corrupt("zlib refused to start, code \(status)") }
    defer { inflateEnd(&stream) }

    var input = packed
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    var consumed = 0
    while true {
      let offered = min(input.count - consumed, 1 << 30)
      var code = Z_OK
      var produced = 0
      input.withUnsafeMutableBufferPointer { source in
        chunk.withUnsafeMutableBufferPointer { target in
          stream.next_in = source.baseAddress.map { $0 + consumed }
          stream.avail_in = UInt32(offered)
          stream.next_out = target.baseAddress
          stream.avail_out = UInt32(target.count)
          code = inflate(&stream, Z_NO_FLUSH)
          produced = target.count - Int(stream.avail_out)
        }
      }
      consumed += offered - Int(stream.avail_in)
      guard output.count + produced <= limit else { throw .tooLarge }
      output.append(contentsOf: chunk[..<produced])
      switch code {
      case Z_OK: continue
      case Z_STREAM_END:
        guard consumed < input.count else { return output }
        // Padding with zeros after the last member is common on tapes and allowed by gzip itself.
        if input[consumed...].allSatisfy({ $0 == 0 }) { return output }
        guard inflateReset(&stream) == Z_OK else { throw .corrupt("a second member cannot be started") }
      case Z_BUF_ERROR: throw .corrupt("it ends in the middle")
      default: throw .corrupt(stream.msg.map { String(cString: $0) } ?? "zlib code \(code)")
      }
    }
  }
}
