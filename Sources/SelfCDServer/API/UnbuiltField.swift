import SelfCDSupport

/// A field of OpenAI's or another server's interface that would change what is decoded, or what comes back, and is not
/// built. Where its value asks for nothing it is fine; elsewhere leaving it aside would deceive the client.
struct UnbuiltField: Sendable {
  let names: [String]
  let reason: String
  /// Whether a value asks for nothing.
  let isNeutral: @Sendable (JSONValue) -> Bool

  init(
    _ names: String..., because reason: String, unless isNeutral: @escaping @Sendable (JSONValue) -> Bool
  ) {
    self.names = names
    self.reason = reason
    self.isNeutral = isNeutral
  }

  private static func number(_ neutral: Double...) -> @Sendable (JSONValue) -> Bool {
    { value in value.double.map { neutral.contains($0) } ?? (neutral.contains(0) && value.isNothing) }
  }

  private static let nothing: @Sendable (JSONValue) -> Bool = { $0.isNothing }
  private static let filters =
    "the filters are 'top_k', 'top_p', 'min_p', 'typical_p' and 'top_n_sigma'."
  private static let on: @Sendable (JSONValue) -> Bool = { $0 == .bool(true) }

  // MARK: - What there is

  /// Of chats and completions.
  static let common: [UnbuiltField] = [
    // How tokens are drawn.
    UnbuiltField(
      "repeat_penalty", "rep_pen",
      because: "its name here is 'repetition_penalty', for the whole prompt and reply. Leave it at 1.",
      unless: number(1)),
    UnbuiltField(
      "encoder_repetition_penalty",
      because: "the penalty of the prompt's tokens is 'repetition_penalty'. Leave it at 1.", unless: number(1)
    ),
    UnbuiltField(
      "dry_multiplier", "no_repeat_ngram_size", "penalty_alpha",
      because:
        "the penalties are 'repetition_penalty', 'frequency_penalty' and 'presence_penalty'. Leave it at 0.",
      unless: number(0)),
    UnbuiltField(
      "bad_words", "banned_strings", "banned_tokens", "custom_token_bans", "allowed_token_ids",
      because: "single tokens are moved by 'logit_bias', where the operator allows it. Leave it out.",
      unless: nothing),
    UnbuiltField(
      "logits_processors", "custom_logit_processor", because: "clients bring no code of their own.",
      unless: nothing),
    UnbuiltField(
      "typ_p", "typical", because: "its name here is 'typical_p'. Leave it at 1.", unless: number(1)),
    UnbuiltField("tfs", "tfs_z", because: "\(filters) Leave it at 1.", unless: number(1)),
    UnbuiltField(
      "top_a", "epsilon_cutoff", "eta_cutoff", "xtc_probability", "smoothing_factor", "skew",
      because: "\(filters) Leave it at 0.", unless: number(0)),
    UnbuiltField(
      "nsigma", because: "its name here is 'top_n_sigma'. Leave it at 0.", unless: number(-1, 0)),
    UnbuiltField(
      "mirostat", "mirostat_mode", "dynatemp_range", "dynamic_temperature",
      because: "the temperature is what 'temperature' says. Leave it at 0.", unless: number(0)),
    UnbuiltField(
      "guidance_scale", "cfg_scale",
      because: "its name here is 'selfcd.guidance', within what the operator allows. Leave it at 1.",
      unless: number(1)),
    UnbuiltField(
      "negative_prompt", because: "it belongs under 'selfcd', within what the operator allows.",
      unless: nothing),
    UnbuiltField("use_beam_search", because: "one token is chosen at a time.", unless: nothing),
    UnbuiltField("num_beams", because: "one token is chosen at a time. Leave it at 1.", unless: number(1)),
    UnbuiltField(
      "do_sample", because: "greedy decoding is 'temperature': 0.", unless: on),
    // When a reply ends.
    UnbuiltField(
      "min_length", "min_new_tokens", because: "its name here is 'min_tokens'.", unless: number(0)),
    UnbuiltField("ban_eos_token", because: "its name here is 'ignore_eos'.", unless: nothing),
    UnbuiltField("stop_token_ids", because: "say it as texts, in 'stop'.", unless: nothing),
    UnbuiltField("include_stop_str_in_output", because: "a reply ends before it.", unless: nothing),
    UnbuiltField("skip_special_tokens", because: "special tokens are no text.", unless: on),
    // What a reply may look like.
    UnbuiltField(
      "guided_json", "guided_regex", "guided_choice", "guided_grammar", "structured_outputs",
      "grammar_string",
      "regex", "ebnf", "format",
      because: "say it as 'response_format', or as a 'grammar' in GBNF.", unless: nothing),
    // What the model is shown.
    UnbuiltField(
      "truncate_prompt_tokens", because: "a prompt that is too long is an error.", unless: number(-1)),
    UnbuiltField("prompt_logprobs", because: "prompts are not scored.", unless: number(0)),
    UnbuiltField("echo", because: "prompts are not given back.", unless: nothing),
    UnbuiltField("suffix", because: "inserting text is not built.", unless: nothing),
    UnbuiltField(
      "system", "system_prompt", "instructions", because: "say it in a system message.", unless: nothing),
    UnbuiltField(
      "safe_prompt", because: "a safety prompt is what the strategy 'guarded' has.", unless: nothing),
    UnbuiltField(
      "lora", "lora_path", "lora_request", "adapter_id", because: "models are the operator's.",
      unless: nothing),
    // Other names for what is built.
    UnbuiltField(
      "n_predict", "num_predict", "max_new_tokens", "max_length", "max_output_tokens", "max_tokens_to_sample",
      because: "its name here is 'max_tokens'.",
      unless: number(-1)),
    UnbuiltField(
      "stop_sequences", "stopping_strings", because: "its name here is 'stop'.", unless: nothing),
    UnbuiltField("random_seed", because: "its name here is 'seed'.", unless: { _ in false }),
    UnbuiltField("num_return_sequences", because: "its name here is 'n'.", unless: number(1)),
    UnbuiltField(
      "options", "extra_body", because: "put what it holds at the top level of the body.", unless: nothing),
  ]

  /// Of chats.
  static let ofChats: [UnbuiltField] = [
    UnbuiltField("tools", "functions", because: "calling functions is not built.", unless: \.isEmpty),
    UnbuiltField(
      "tool_choice", "function_call", because: "calling functions is not built.",
      unless: { [.string("none"), .string("auto")].contains($0) }),
    UnbuiltField(
      "modalities", because: "replies are text.",
      unless: { $0 == .array([.string("text")]) || $0.isNothing }),
    UnbuiltField("audio", because: "replies are text.", unless: nothing),
    UnbuiltField("web_search_options", because: "this server searches nothing.", unless: { _ in false }),
    UnbuiltField(
      "verbosity", because: "say in a message how long the answer should be.",
      unless: { $0 == .string("medium") }),
    UnbuiltField(
      "reasoning_effort", "reasoning", "thinking", "thinking_budget", "enable_thinking", "think",
      because: "how much a model reasons is set by its template, on the server.", unless: \.isEmpty),
    UnbuiltField(
      "chat_template", "chat_template_kwargs",
      because: "the template and its arguments are the operator's (--chat-template, --template-arg).",
      unless: nothing),
    UnbuiltField("documents", because: "put what they say in a message.", unless: nothing),
    UnbuiltField(
      "prompt", because: "it goes to /v1/completions; a chat has 'messages'.", unless: nothing),
  ]

  /// Of requests with a repetition penalty; elsewhere they are ``idle``.
  static let ofPenalties: [UnbuiltField] = [
    UnbuiltField(
      "repetition_penalty_range", "penalty_range",
      because: "the penalty is for the whole prompt and reply. Leave it at 0.", unless: number(-1, 0))
  ]

  /// Of completions.
  static let ofTexts: [UnbuiltField] = [
    UnbuiltField(
      "messages", because: "they go to /v1/chat/completions; a completion has a 'prompt'.", unless: nothing)
  ]

  /// Fields that say how something works that is off.
  static let idle = [
    "dry_base", "dry_allowed_length", "dry_penalty_last_n", "dry_sequence_breakers", "repeat_last_n",
    "rep_pen_range", "repetition_penalty_range", "penalty_range", "xtc_threshold", "mirostat_tau",
    "mirostat_eta", "dynatemp_exponent", "dynatemp_low", "dynatemp_high", "smoothing_curve", "early_stopping",
    "length_penalty", "spaces_between_special_tokens", "parallel_tool_calls",
  ]

  /// What asks for less than a model may do anyway, or for something beside the reply: left aside and named as such.
  private static func isTolerated(_ field: String, _ value: JSONValue) -> Bool {
    switch field {
    case "reasoning_effort": value == .string("none")
    case "thinking", "reasoning":
      [
        .object(["type": .string("disabled")]), .object(["effort": .string("none")]),
        .object(["enabled": .bool(false)]), .bool(false),
      ].contains(value)
    case "enable_thinking", "think": value == .bool(false)
    case "thinking_budget": value.double == 0
    default: false
    }
  }

  /// - Throws: ``FieldError`` for the first of `fields` that asks for something.
  static func refuse(_ fields: [UnbuiltField], in reader: inout FieldReader) throws(FieldError) {
    for field in fields {
      for name in field.names {
        // What is tolerated stays with what nobody knows.
        if !reader.isStrict, let value = reader.peek(name), isTolerated(name, value) { continue }
        try reader.refuse(name, unless: field.isNeutral, because: field.reason)
      }
    }
  }
}
