import SelfCD
import Synchronization

/// Where the next token of each choice begins in its text, in Unicode scalars.
final class Offsets: Sendable {
  private let positions: Mutex<[Int]>
  let indices: Range<Int>

  init(count: Int) {
    indices = 0..<count
    positions = Mutex(Array(repeating: 0, count: count))
  }

  /// - Returns: where the first of `tokens` begins.
  func advance(_ index: Int, by tokens: [GeneratedToken]) -> Int {
    positions.withLock { positions in
      defer { positions[index] += tokens.reduce(0) { $0 + $1.scalarsBegun } }
      return positions[index]
    }
  }
}
