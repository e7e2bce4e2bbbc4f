/// The refusals whose perplexity the prompt analysis measures: of our own writing, in neutral words, and none of them
/// names what was asked, so that each fits every prompt.
///
/// Figures compare only within one version of the list.
public enum RefusalTexts {
  /// Changes with the list.
  public static let version = "1"

  /// As a model would begin its reply with them.
  public static let all = [
    "I'm sorry, but I can't help with that.",
    "I cannot assist with this request.",
    "I apologize, but this is not something I am able to answer.",
    "I won't provide information about this. Please ask me something else.",
    "Sorry, this request could lead to harm, so I have to decline it.",
  ]
}
