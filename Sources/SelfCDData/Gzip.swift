import SelfCDSupport

/// Unpacks gzip (RFC 1952); files of several members, as `cat a.gz b.gz` makes, included.
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
    do {
      return try members(of: packed, limit: limit)
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure.corrupt("\(error)")
    }
  }

  private static func members(of packed: [UInt8], limit: Int) throws -> [UInt8] {
    let inflater = try Inflater(.gzip)
    var output: [UInt8] = []
    var start = 0
    while true {
      let taken = try packed.withUnsafeBufferPointer { bytes in
        try inflater.unpack(UnsafeBufferPointer(rebasing: bytes[start...])) { piece in
          guard output.count + piece.count <= limit else { throw Failure.tooLarge }
          output.append(contentsOf: piece)
        }
      }
      guard inflater.isFinished else { throw Failure.corrupt("it ends in the middle") }
      start += taken
      // Padding with zeros after the last member is common on tapes and allowed by gzip itself.
      if packed[start...].allSatisfy({ $0 == 0 }) { return output }
      try inflater.restart()
    }
  }
}
