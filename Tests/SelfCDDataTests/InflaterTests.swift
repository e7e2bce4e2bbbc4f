import SelfCDSupport
import Testing

/// The one place that calls zlib.
@Suite struct InflaterTests {
  private static let content = (0..<60_000).map { UInt8($0 % 251) }
  /// The same as a stored block (RFC 1951, 3.2.4), without a frame.
  private static let raw: [UInt8] = [1, 0x60, 0xEA, 0x9F, 0x15] + content

  private static func unpacked(
    _ packed: [UInt8], _ framing: Inflater.Framing, step: Int
  ) throws -> (bytes: [UInt8], taken: Int, isFinished: Bool) {
    let inflater = try Inflater(framing)
    var bytes: [UInt8] = []
    var taken = 0
    while !inflater.isFinished, taken < packed.count {
      let piece = Array(packed[taken..<min(taken + step, packed.count)])
      let count = try piece.withUnsafeBufferPointer { buffer in
        try inflater.unpack(buffer) { bytes.append(contentsOf: $0) }
      }
      taken += count
    }
    return (bytes, taken, inflater.isFinished)
  }

  @Test(arguments: [1, 7, 4096, 1 << 20]) func bytesArriveInPiecesOfAnySize(step: Int) throws {
    for (packed, framing) in [(Self.raw, Inflater.Framing.raw), (storedGzip(Self.content), .gzip)] {
      let whole = try Self.unpacked(packed, framing, step: step)
      #expect(whole.bytes == Self.content && whole.taken == packed.count && whole.isFinished)
      let followed = try Self.unpacked(packed + [1, 2, 3], framing, step: step)
      #expect(followed.bytes == Self.content && followed.taken == packed.count, "what follows is not its own")
      let cut = try Self.unpacked(Array(packed.dropLast(1)), framing, step: step)
      #expect(!cut.isFinished && cut.taken == packed.count - 1)
    }
  }

  /// zlib's framing is two bytes before what ``Inflater`` calls raw, and a checksum behind it.
  @Test func whatIsPackedUnpacks() throws {
    for content in [[], [7], Self.content] as [[UInt8]] {
      let packed = try #require(Deflater.pack(content))
      #expect(packed.first == 0x78 && (Int(packed[0]) << 8 | Int(packed[1])) % 31 == 0, "RFC 1950, 2.2")
      let unpacked = try Self.unpacked(Array(packed.dropFirst(2)), .raw, step: 4096)
      #expect(unpacked.bytes == content && unpacked.isFinished && unpacked.taken == packed.count - 6)
    }
    let packed = try #require(Deflater.pack(Self.content))
    #expect(packed.count < Self.content.count / 50)
  }

  @Test func theNextStreamIsStarted() throws {
    let inflater = try Inflater(.gzip)
    for text in ["One?", "Two?"] {
      var bytes: [UInt8] = []
      let taken = try storedGzip(Array(text.utf8)).withUnsafeBufferPointer { buffer in
        try inflater.unpack(buffer) { bytes.append(contentsOf: $0) }
      }
      #expect(taken > 0 && inflater.isFinished && bytes == Array(text.utf8))
      try inflater.restart()
      #expect(!inflater.isFinished)
    }
  }

  @Test func whatIsNoSuchStreamIsSaidInZlibsWords() {
    #expect(throws: Inflater.Failure.self) { try Self.unpacked([0xFF, 0xFF], .raw, step: 2) }
    #expect {
      try Self.unpacked(Self.raw, .gzip, step: 100)
    } throws: { "\($0)" == "incorrect header check" }
  }
}
