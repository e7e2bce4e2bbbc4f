import SelfCDCommands

@main
enum Main {
  static func main() async {
    await CommandRunner.run()
  }
}
