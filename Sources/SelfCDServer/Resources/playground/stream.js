// One chat completion as it is generated: server-sent events over fetch.

/** What the server, or the way to it, said was wrong. */
export class ServerProblem extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Asks for JSON; throws a ServerProblem for everything but success. */
export async function request(path, { key, body, signal } = {}) {
  const headers = {};
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method: body ? "POST" : "GET", headers, signal, cache: "no-store", credentials: "omit",
      body: body ? JSON.stringify(body) : undefined,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerProblem(0, "The server cannot be reached. Is it still running?");
  }
  if (response.ok) return response;
  let message = `The server answered ${response.status}.`;
  try {
    message = (await response.json()).error?.message ?? message;
  } catch {
    // Not an error of the API; the status says what there is to say.
  }
  throw new ServerProblem(response.status, message, response.headers.get("Retry-After"));
}

/** Calls `onChunk` with every event of a streamed chat completion. */
export async function streamChat(body, { key, signal, onChunk }) {
  const response = await request("v1/chat/completions", { key, signal, body: { ...body, stream: true, stream_options: { include_usage: true } } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  let isDone = false;
  while (true) {
    let piece;
    try {
      piece = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServerProblem(0, "The connection broke off before the answer was complete.");
    }
    if (piece.done) break;
    pending += piece.value;
    let end;
    while ((end = pending.indexOf("\n\n")) >= 0) {
      const event = pending.slice(0, end);
      pending = pending.slice(end + 2);
      if (!event.startsWith("data: ")) continue;
      const data = event.slice(6);
      if (data === "[DONE]") { isDone = true; continue; }
      const chunk = JSON.parse(data);
      if (chunk.error) throw new ServerProblem(chunk.error.status ?? 500, chunk.error.message);
      onChunk(chunk);
    }
  }
  if (!isDone) throw new ServerProblem(0, "The connection broke off before the answer was complete.");
}
