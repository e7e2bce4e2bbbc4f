import CZlib

/// Packs bytes with the system's zlib, for a browser to unpack.
package enum Deflater {
  /// The bytes in zlib's framing (RFC 1950), which browsers call `deflate`; nil where zlib has no memory. The same version
  /// of zlib gives the same bytes.
  package static func pack(_ bytes: [UInt8]) -> [UInt8]? {
    var length = compressBound(UInt(bytes.count))
    var packed = [UInt8](repeating: 0, count: Int(length))
    let code = packed.withUnsafeMutableBufferPointer { target in
      bytes.withUnsafeBufferPointer { source in
        compress2(target.baseAddress, &length, source.baseAddress, UInt(bytes.count), Z_BEST_COMPRESSION)
      }
    }
    guard code == Z_OK else { return nil }
    return Array(packed.prefix(Int(length)))
  }
}
