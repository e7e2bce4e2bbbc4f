/// A model's name with a strategy behind it, `organism:self-cd@2.0`, for clients that cannot send extra
/// fields.
struct ModelAlias: Sendable, Hashable {
  let model: String
  /// The strategy's or the profile's name.
  let suffix: String?
  let alpha: Float?

  /// - Parameters:
  ///   - text: what the request names as its model.
  ///   - models: the names there are; one of them may itself hold a colon.
  /// - Throws: ``APIError`` where the text names no model, or no number behind the `@`.
  init(parsing text: String, models: [String]) throws(APIError) {
    if models.contains(text) {
      self.init(model: text, suffix: nil, alpha: nil)
      return
    }
    let matches = models.filter { text.hasPrefix($0 + ":") }
    guard let model = matches.max(by: { $0.count < $1.count }) else {
      throw .notFound(
        "There is no model '\(text.prefix(120))'. Models: \(models.joined(separator: ", ")); GET /v1/models lists their "
          + "aliases, too. The operator says what a model is called (--name).", param: "model",
        code: "model_not_found")
    }
    let rest = text.dropFirst(model.count + 1)
    let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first, !name.isEmpty else {
      throw .invalid(
        "The model '\(text.prefix(120))' names no strategy behind the colon.", param: "model",
        code: "bad_model_alias")
    }
    var alpha: Float?
    if parts.count == 2 {
      guard let number = Float(parts[1]), number.isFinite else {
        throw .invalid(
          "The model '\(text.prefix(120))' has no number behind the '@'; it is alpha, as in self-cd@2.0.",
          param: "model", code: "bad_model_alias")
      }
      alpha = number
    }
    self.init(model: model, suffix: String(name), alpha: alpha)
  }

  private init(model: String, suffix: String?, alpha: Float?) {
    self.model = model
    self.suffix = suffix
    self.alpha = alpha
  }

  /// The request's extras with the alias's put in.
  ///
  /// - Throws: ``APIError`` where both name a strategy, a profile or α.
  func applied(to fields: SelfCDFields, profiles: [ServedProfile]) throws(APIError) -> SelfCDFields {
    guard let suffix else { return fields }
    guard fields.strategy == nil, fields.profile == nil, alpha == nil || fields.parameters.alpha == nil else {
      throw .invalid(
        "Both the model's name and 'selfcd' say how to decode. Use one of them.", param: "selfcd",
        code: "bad_model_alias")
    }
    var fields = fields
    fields.alias = self
    if !ServerPolicy.knownStrategies.contains(suffix), profiles.contains(where: { $0.name == suffix }) {
      fields.profile = suffix
    } else {
      fields.strategy = suffix
    }
    if let alpha { fields.parameters.alpha = alpha }
    return fields
  }
}
