import SelfCD
import Synchronization

/// Remembers renderings: the conditions of one prompt ask for the same few chats again and again.
final class RenderMemo: PromptRenderer {
  private let base: any PromptRenderer
  private let known = Mutex<[Chat: RenderedPrompt]>([:])

  init(_ base: any PromptRenderer) {
    self.base = base
  }

  func render(_ chat: Chat) throws -> RenderedPrompt {
    if let prompt = known.withLock({ $0[chat] }) { return prompt }
    let prompt = try base.render(chat)
    known.withLock { $0[chat] = prompt }
    return prompt
  }

  func arranged(_ chat: Chat) -> Chat { base.arranged(chat) }

  func forget() { known.withLock { $0.removeAll() } }
}
