/// Texts that begin alike, as a tree: each beginning occurs once, however many texts share it.
public struct TokenTree: Codable, Sendable, Hashable {
  /// A beginning: its last token, and where the rest of it is.
  public struct Node: Codable, Sendable, Hashable {
    /// The token this node adds; meaningless for the root.
    public let token: TokenID
    /// Index of the node that is one token shorter; nil for the root.
    public let parent: Int?
    /// Tokens from the root.
    public let depth: Int
  }

  /// The root, which is the empty beginning, first; then each text's nodes in the order of the texts, so that a node
  /// comes behind its parent.
  public private(set) var nodes: [Node] = [Node(token: 0, parent: nil, depth: 0)]

  /// The tree of `paths` and all their beginnings. Without any it is the root alone.
  public init(_ paths: [[TokenID]] = []) {
    for path in paths { insert(path) }
  }

  /// Adds a text; returns the index of its last node.
  @discardableResult
  public mutating func insert(_ path: [TokenID]) -> Int {
    var position = 0
    for token in path {
      if let next = child(of: position, token) {
        position = next
      } else {
        nodes.append(Node(token: token, parent: position, depth: nodes[position].depth + 1))
        position = nodes.count - 1
      }
    }
    return position
  }

  /// The node of a beginning, if it is in the tree.
  public func node(at path: some Sequence<TokenID>) -> Int? {
    var position = 0
    for token in path {
      guard let next = child(of: position, token) else { return nil }
      position = next
    }
    return position
  }

  /// The tokens from the root to a node.
  public func path(to node: Int) -> [TokenID] {
    var path: [TokenID] = []
    var position = node
    while let parent = nodes[position].parent {
      path.append(nodes[position].token)
      position = parent
    }
    return path.reversed()
  }

  private func child(of parent: Int, _ token: TokenID) -> Int? {
    nodes.indices.first { nodes[$0].parent == parent && nodes[$0].token == token }
  }

  /// The tree as runs of nodes, each from where it leaves an earlier run to a leaf: what has to be decoded one behind
  /// the other. The root is in none.
  var branches: [[Int]] {
    var branches: [[Int]] = []
    for index in nodes.indices.dropFirst() {
      if let last = branches.last?.last, nodes[index].parent == last {
        branches[branches.count - 1].append(index)
      } else {
        branches.append([index])
      }
    }
    return branches
  }
}
