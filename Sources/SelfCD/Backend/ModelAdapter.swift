/// A file that changes what a model computes without changing the model's own file.
public struct ModelAdapter: Codable, Sendable, Hashable {
  /// What the file holds.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Low-rank differences of weight matrices (LoRA, Hu et al., arXiv 2106.09685).
    case lora
    /// One vector for each layer, added to the residual stream behind it.
    case controlVector = "control-vector"
  }

  /// What the file holds.
  public var kind: Kind
  /// A GGUF file.
  public var path: String
  /// The factor that everything in the file is multiplied with.
  public var scale: Float
  /// The layers that a control vector is added behind, counted from 0; nil for all that the file has. Layer 0 has
  /// none in llama.cpp's format.
  public var layers: ClosedRange<Int>?

  /// Names a file.
  public init(_ kind: Kind, path: String, scale: Float = 1, layers: ClosedRange<Int>? = nil) {
    self.kind = kind
    self.path = path
    self.scale = scale
    self.layers = layers
  }
}
