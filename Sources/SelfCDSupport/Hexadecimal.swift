extension Sequence<UInt8> {
  /// Two lower-case hexadecimal digits a byte, as digests are written.
  package var hexadecimal: String {
    reduce(into: "") { $0 += ($1 < 16 ? "0" : "") + String($1, radix: 16) }
  }
}
