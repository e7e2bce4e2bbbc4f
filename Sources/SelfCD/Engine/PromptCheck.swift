extension ModelBackend {
  /// Checks that a prompt can be computed with what is to follow it.
  ///
  /// - Parameters:
  ///   - prompt: its tokens.
  ///   - role: the lane it is for, to be named in the error.
  ///   - more: tokens that are given behind it.
  ///   - room: places that have to be left for tokens that are not known yet.
  /// - Throws: ``GenerationError``.
  func check(
    _ prompt: [TokenID], of role: LaneRole, followedBy more: Int = 0, room: Int = 0
  ) throws(GenerationError) {
    guard !prompt.isEmpty else { throw .emptyPrompt(role) }
    let tokens = prompt.count + more
    guard tokens + room <= capacity.context else {
      throw .promptTooLong(role: role, tokens: tokens, context: capacity.context)
    }
    try check(tokens: prompt)
  }

  func check(tokens: some Sequence<TokenID>) throws(GenerationError) {
    let count = vocabulary.count
    if let invalid = tokens.first(where: { $0 < 0 || $0 >= count }) {
      throw .invalidToken(invalid, vocabulary: count)
    }
  }
}
