"""A small HTTP/1.1 client for chat completions over asyncio's streams. The standard library only: it has to cost little
beside the server on the same machine, and to be able to do what a well-behaved client would not."""

import asyncio
import json
import time
from dataclasses import dataclass, field


@dataclass
class Reply:
    """One finished exchange."""

    status: int = 0
    text: str = ""
    finish: str | None = None
    usage: dict = field(default_factory=dict)
    error: str = ""
    headers: dict = field(default_factory=dict)
    #: Seconds from the first byte sent.
    first_token: float | None = None
    total: float = 0.0
    #: Arrival of each piece of text, in seconds from the first byte sent.
    pieces: list = field(default_factory=list)
    logprobs: list = field(default_factory=list)


class Disconnect(Exception):
    """The client left on purpose."""


def request_bytes(path: str, body: bytes, headers: dict | None = None, method: str = "POST") -> bytes:
    lines = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines.update(headers or {})
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    return head.encode() + body


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    return int(lines[0].split(" ")[1]), headers


async def body_pieces(reader: asyncio.StreamReader, headers: dict):
    """The body as it arrives."""
    if headers.get("transfer-encoding") == "chunked":
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            data = await reader.readexactly(size + 2)
            if size == 0:
                return
            yield data[:-2]
    else:
        yield await reader.readexactly(int(headers.get("content-length", "0")))


def take_event(reply: Reply, event: dict, started: float) -> None:
    if "error" in event:
        reply.error = json.dumps(event["error"])
    if event.get("usage"):
        reply.usage = event["usage"]
    for choice in event.get("choices", []):
        text = choice.get("delta", {}).get("content") or ""
        if text:
            now = time.perf_counter() - started
            reply.first_token = reply.first_token or now
            reply.pieces.append(now)
            reply.text += text
        reply.logprobs += (choice.get("logprobs") or {}).get("content") or []
        reply.finish = choice.get("finish_reason") or reply.finish


async def ask(
    port: int, body: dict, path: str = "/v1/chat/completions", headers: dict | None = None,
    leave_after: int | None = None, delay: float = 0,
) -> Reply:  # fmt: skip
    """One request on a connection of its own.

    :param leave_after: close the connection after so many events; 0 before anything is read.
    :param delay: seconds to wait before each read: a slow reader.
    """
    reply = Reply()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    started = time.perf_counter()
    try:
        writer.write(request_bytes(path, json.dumps(body).encode(), headers))
        await writer.drain()
        if leave_after == 0:
            raise Disconnect
        reply.status, reply.headers = await read_head(reader)
        events = 0
        pending = b""
        async for piece in body_pieces(reader, reply.headers):
            if delay:
                await asyncio.sleep(delay)
            if "text/event-stream" not in reply.headers.get("content-type", ""):
                pending += piece
                continue
            pending += piece
            *lines, pending = pending.split(b"\n")
            for line in lines:
                if not line.startswith(b"data: ") or line == b"data: [DONE]":
                    continue
                take_event(reply, json.loads(line[6:]), started)
                events += 1
                if leave_after is not None and events >= leave_after:
                    raise Disconnect
        if pending:
            take_whole(reply, json.loads(pending), started)
        reply.total = time.perf_counter() - started
        return reply
    finally:
        writer.transport.abort() if leave_after is not None else writer.close()


def take_whole(reply: Reply, answer: dict, started: float) -> None:
    if "error" in answer:
        reply.error = json.dumps(answer["error"])
    reply.usage = answer.get("usage") or {}
    for choice in answer.get("choices", []):
        reply.text += (choice.get("message") or {}).get("content") or ""
        reply.finish = choice.get("finish_reason")
        reply.logprobs += (choice.get("logprobs") or {}).get("content") or []
    reply.first_token = reply.first_token or time.perf_counter() - started


async def get(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request_bytes(path, b"", method="GET"))
        _, headers = await read_head(reader)
        return b"".join([piece async for piece in body_pieces(reader, headers)]).decode()
    finally:
        writer.close()
