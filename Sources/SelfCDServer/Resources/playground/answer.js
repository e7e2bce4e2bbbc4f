// One answer's column: text that grows token by token, and which token is looked at.

import { element } from "./dom.js";
import { streamChat } from "./stream.js";

/** A token's bytes may be part of a character, so what is shown comes from decoding all of them in order. */
function assembler() {
  const decoder = new TextDecoder("utf-8");
  return (bytes) => decoder.decode(Uint8Array.from(bytes), { stream: true });
}

/** 0 to 3: how strongly a token is marked, from the change of its log-probability in nats. */
function strength(shift) {
  const size = Math.abs(shift);
  return size < 0.1 ? 0 : size < 0.7 ? 1 : size < 2.3 ? 2 : 3;
}

export class Answer {
  /** `kind` is guarded, plain or contrast; `onLook` is told of the token that is looked at. */
  constructor(kind, onLook) {
    this.kind = kind;
    this.onLook = onLook;
    this.heading = element("h2", { id: `title-${kind}` });
    this.reasoning = element("p", { className: "reasoning" });
    this.text = element("p", { className: "text", tabIndex: 0 });
    this.text.setAttribute("role", "group");
    this.text.setAttribute("aria-labelledby", this.heading.id);
    this.text.setAttribute("aria-describedby", "detail-empty");
    this.figures = element("p", { className: "figures" });
    this.view = element("article", { className: `answer ${kind}` }, this.heading, this.reasoning, this.text, this.figures);
    this.view.setAttribute("aria-labelledby", this.heading.id);
    this.tokens = [];
    this.chosen = -1;
    this.text.addEventListener("pointerover", (event) => this.lookAt(event.target));
    this.text.addEventListener("click", (event) => this.lookAt(event.target));
    this.text.addEventListener("keydown", (event) => this.move(event));
    this.text.addEventListener("focus", () => { if (this.tokens.length) this.choose(Math.max(this.chosen, 0)); });
  }

  title(name, detail = "") {
    this.heading.replaceChildren(name);
    if (detail) this.heading.append(element("small", { textContent: detail }));
  }

  clear() {
    this.tokens = [];
    this.chosen = -1;
    this.decode = assembler();
    this.text.replaceChildren();
    this.reasoning.replaceChildren();
    this.figures.replaceChildren();
    this.figures.className = "figures";
  }

  /** Shows why there is no answer. */
  problem(message) {
    this.figures.className = "figures problem";
    this.figures.textContent = message;
  }

  /** Streams an answer in; resolves when it is complete, rejects as streamChat does. */
  async run(body, options) {
    this.clear();
    const start = performance.now();
    let first;
    let reason = "";
    let usage;
    await streamChat(body, {
      ...options,
      onChunk: (chunk) => {
        if (chunk.usage) usage = chunk.usage;
        const choice = chunk.choices[0];
        if (!choice) return;
        if (first === undefined && (choice.delta.content || choice.delta.reasoning_content)) first = performance.now() - start;
        if (choice.delta.reasoning_content) this.reasoning.append(choice.delta.reasoning_content);
        else if (choice.selfcd) this.add(choice.selfcd.tokens);
        // Without explanations there is text only, and nothing to look at.
        else if (choice.delta.content) this.text.append(choice.delta.content);
        reason = choice.finish_reason ?? reason;
      },
    });
    this.summarize({ reason, first, total: performance.now() - start, usage });
  }

  summarize({ reason, first, total, usage }) {
    const count = usage?.completion_tokens ?? this.tokens.length;
    const parts = [`${count} tokens`];
    if (first !== undefined) parts.push(`first after ${Math.round(first)} ms`);
    if (count > 1 && total > first) parts.push(`${Math.round((count - 1) / ((total - first) / 1000))} tokens/s`);
    if (reason === "length") parts.push("cut at the limit");
    this.figures.textContent = parts.join(" · ");
  }

  add(tokens) {
    for (const token of tokens) {
      const shown = this.decode(token.bytes);
      const span = element("span", { className: "token", textContent: shown });
      span.dataset.index = this.tokens.length;
      const level = token.shift === undefined || this.kind !== "contrast" ? 0 : strength(token.shift);
      if (level) span.classList.add(token.shift > 0 ? "up" : "down", `s${level}`);
      this.tokens.push({ ...token, span });
      this.text.append(span);
    }
  }

  /** Marks where this answer leaves `other`. */
  markParting(other) {
    this.text.querySelector(".part")?.remove();
    const shared = Math.min(this.tokens.length, other.tokens.length);
    let index = 0;
    while (index < shared && this.tokens[index].id === other.tokens[index].id) index += 1;
    if (index >= this.tokens.length || (index === shared && shared === other.tokens.length && shared === this.tokens.length)) return -1;
    const sign = element("span", { className: "part", textContent: "▾" });
    sign.setAttribute("aria-hidden", "true");
    this.tokens[index].span.before(sign);
    return index;
  }

  lookAt(target) {
    const index = Number(target.dataset?.index ?? NaN);
    if (Number.isInteger(index)) this.choose(index);
  }

  move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 5, ArrowUp: -5 }[event.key];
    const last = this.tokens.length - 1;
    if (last < 0) return;
    if (step) this.choose(Math.min(Math.max(this.chosen + step, 0), last));
    else if (event.key === "Home") this.choose(0);
    else if (event.key === "End") this.choose(last);
    else return;
    event.preventDefault();
  }

  choose(index) {
    document.querySelectorAll(".token.chosen").forEach((token) => token.classList.remove("chosen"));
    this.chosen = index;
    const token = this.tokens[index];
    if (!token) return;
    token.span.classList.add("chosen");
    this.onLook(this, index, token);
  }
}
