/// A flow, and where it was traced.
public struct LaneFlow: Codable, Sendable, Hashable {
  /// The view, a single-lane one.
  public var view: String
  /// The answer token that flow was traced to, from 1.
  public var step: Int
  /// The flow.
  public var flow: InformationFlow

  /// Makes one.
  public init(view: String, step: Int, flow: InformationFlow) {
    self.view = view
    self.step = step
    self.flow = flow
  }
}
