import CZlib

/// Unpacks DEFLATE (RFC 1951) by the system's zlib, as its bytes arrive.
package final class Inflater {
  /// What stands around the compressed bytes.
  package enum Framing: Sendable {
    /// Nothing, as inside archives.
    case raw
    /// The header and the checksum of gzip (RFC 1952).
    case gzip

    fileprivate var windowBits: Int32 {
      switch self {
      case .raw: -15
      // 15, the largest window, and 16 for gzip's framing only.
      case .gzip: 31
      }
    }
  }

  /// Why bytes cannot be unpacked.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    /// The reason, in zlib's words where it has some.
    package let description: String
  }

  private static let chunkSize = 1 << 16

  /// Whether the stream has come to its end.
  package private(set) var isFinished = false
  /// zlib notes where its stream lies and refuses one that has moved, so it has a place of its own.
  private let stream: UnsafeMutablePointer<z_stream>
  private let chunk: UnsafeMutableBufferPointer<UInt8>

  /// Begins a stream.
  /// - Throws: ``Failure`` where zlib has no memory, or is of another version.
  package init(_ framing: Framing) throws(Failure) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    chunk = .allocate(capacity: Inflater.chunkSize)
    let code = inflateInit2_(stream, framing.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw Failure(description: "zlib does not start, code \(code)") }
  }

  deinit {
    inflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
    chunk.deallocate()
  }

  /// Takes the next bytes of the stream and hands `body` what they unpack to, in pieces that are there during the call
  /// only.
  /// - Returns: How many bytes were taken: all of them, unless the stream came to its end before theirs.
  /// - Throws: ``Failure`` for bytes that are no such stream, and whatever `body` throws.
  package func unpack(
    _ packed: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) throws -> Void
  ) throws -> Int {
    guard let start = packed.baseAddress else { return 0 }
    var taken = 0
    while !isFinished {
      // zlib counts in 32 bits.
      let offered = min(packed.count - taken, 1 << 30)
      stream.pointee.next_in = UnsafeMutablePointer(mutating: start + taken)
      stream.pointee.avail_in = UInt32(offered)
      stream.pointee.next_out = chunk.baseAddress
      stream.pointee.avail_out = UInt32(chunk.count)
      let code = inflate(stream, Z_NO_FLUSH)
      taken += offered - Int(stream.pointee.avail_in)
      let produced = chunk.count - Int(stream.pointee.avail_out)
      switch code {
      case Z_OK: break
      case Z_STREAM_END: isFinished = true
      // No mistake: it needs bytes that have not arrived.
      case Z_BUF_ERROR: return taken
      default:
        let words = stream.pointee.msg.map { String(cString: $0) }
        throw Failure(description: words ?? "zlib code \(code)")
      }
      if produced > 0 { try body(UnsafeBufferPointer(rebasing: chunk[..<produced])) }
      // A full chunk may not be all that the bytes unpack to.
      if taken == packed.count, produced < chunk.count { break }
    }
    return taken
  }

  /// Begins the next stream, as where gzip files were joined.
  /// - Throws: ``Failure`` where zlib does not.
  package func restart() throws(Failure) {
    guard inflateReset(stream) == Z_OK else {
      throw Failure(description: "another stream cannot be started")
    }
    isFinished = false
  }
}
