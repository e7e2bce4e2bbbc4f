/// A word of a command, to be copied from the terminal or a page.
enum ShellWord {
  private static let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=+@%")

  /// As a POSIX shell reads it back.
  static func quoted(_ word: String) -> String {
    !word.isEmpty && word.allSatisfy(plain.contains) ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
  }
}
