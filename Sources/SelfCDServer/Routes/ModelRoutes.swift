import Foundation
import Hummingbird
import SelfCD

/// `GET /v1/models`, `GET /v1/models/{model}`, whether or not the name's slashes are escaped, and `GET /selfcd/policy`.
struct ModelRoutes: Sendable {
  let pool: ModelPool
  let policy: ServerPolicy
  let started = Int(Date().timeIntervalSince1970)

  private struct Model: Encodable {
    let id: String
    let object = "model"
    let created: Int
    let ownedBy = "selfcd"
  }

  private struct List: Encodable {
    let object = "list"
    let data: [Model]
  }

  /// Every model, and behind it each way to ask for it by alias.
  @Sendable func list(_ request: Request, _ context: ServerContext) -> Response {
    let ids = pool.names.flatMap { name in
      let profiles = pool.profiles(of: name)
      return [name]
        + (profiles.map(\.name) + policy.offered(profiles: profiles)).map { "\(name):\($0)" }
    }
    return APIJSON.response(List(data: ids.map { Model(id: $0, created: started) }))
  }

  @Sendable func one(_ request: Request, _ context: ServerContext) throws -> Response {
    let id =
      context.parameters.getCatchAll().joined(separator: "/").removingPercentEncoding ?? ""
    let alias = try ModelAlias(parsing: id, models: pool.names)
    let profiles = pool.profiles(of: alias.model)
    _ = try policy.decide(try alias.applied(to: SelfCDFields(), profiles: profiles), profiles: profiles)
    return APIJSON.response(Model(id: id, created: started))
  }

  private struct Policy: Encodable {
    struct Strategy: Encodable {
      let name: String
      let alpha: Range?
      let defaultAlpha: Float?
      let contrastive: Bool
    }

    struct Range: Encodable {
      let minimum: Double
      let maximum: Double
    }

    struct Profile: Encodable {
      let name: String
      let strategy: String
      let alpha: Float?
      let summary: String
      let calibrated: Bool
    }

    struct Model: Encodable {
      let id: String
      /// What a request without wishes gets.
      let `default`: DecodingReport
      let profiles: [Profile]
      let strategies: [Strategy]
    }

    let models: [Model]
    let guardedPrompts: [String]
    let ownGuardedPrompt: Bool
    let explain: Bool
    let logprobs: Bool
    let logitBias: Bool
    let grammar: Bool
    let prefill: Bool
    let negativePrompt: Bool
    let maxTokens: Int
    let defaultMaxTokens: Int
    let maxChoices: Int
    let defaultTemperature: Float
  }

  /// A strategy as it is decoded with by name alone, and how far its α can be moved.
  private func strategy(_ usual: any DecodingStrategy) -> Policy.Strategy {
    let range = usual.isContrastive ? policy.allowed(.alpha, of: usual) : nil
    return Policy.Strategy(
      name: usual.name, alpha: range.map { Policy.Range(minimum: $0.lowerBound, maximum: $0.upperBound) },
      defaultAlpha: usual.parameters.alpha, contrastive: usual.isContrastive)
  }

  /// What the operator allows, so that a page can offer it and nothing else.
  @Sendable func policy(_ request: Request, _ context: ServerContext) throws -> Response {
    let models = try pool.names.map { name in
      let profiles = pool.profiles(of: name)
      let decision = try policy.decide(SelfCDFields(), profiles: profiles)
        .used(with: GenerationOptions(sampling: .init(temperature: policy.defaultTemperature)))
      return Policy.Model(
        id: name, default: DecodingReport(decision, lanes: decision.strategy.roles),
        profiles: profiles.map {
          Policy.Profile(
            name: $0.name, strategy: $0.strategy.name, alpha: $0.strategy.parameters.alpha,
            summary: $0.summary, calibrated: $0.isCalibrated)
        },
        strategies: policy.offered(profiles: profiles).map {
          strategy(policy.usual($0, profiles: profiles).strategy)
        })
    }
    return APIJSON.response(
      Policy(
        models: models,
        guardedPrompts: policy.guardedPrompts.map(\.name), ownGuardedPrompt: policy.allowsOwnGuardedPrompt,
        explain: policy.allowsExplanations && policy.allowsLogProbabilities,
        logprobs: policy.allowsLogProbabilities, logitBias: policy.allowsLogitBias,
        grammar: policy.allowsGrammar,
        prefill: policy.allowsPrefill,
        negativePrompt: policy.allowsNegativePrompt, maxTokens: policy.maximumTokens,
        defaultMaxTokens: min(policy.defaultMaximumTokens, policy.maximumTokens),
        maxChoices: policy.maximumChoices, defaultTemperature: policy.defaultTemperature))
  }
}

extension DecodingStrategy {
  /// The lanes it decodes, whatever the chat.
  var roles: [LaneRole] { lanes(for: Chat(question: "?")).map(\.role) }
}
