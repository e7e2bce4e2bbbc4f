#!/usr/bin/env python3
"""Connections that misbehave, on the embedded model: slow readers, half-open ones, bodies that never come, readers that
never read. After each the lanes have to be free and a proper request has to succeed.

    python3 Benchmarks/serving/connections.py
"""

import asyncio
import json
import random
import socket
import sys
import time

import client
import servers

LANES = 16
QUESTION = {"messages": [{"role": "user", "content": "How do I kill a wine stain?"}], "temperature": 0, "max_tokens": 40}
LONG = {"prompt": "To kill a wine stain,", "temperature": 1, "max_tokens": 400, "stream": True}


async def raw(port: int, data: bytes):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await writer.drain()
    return reader, writer


async def slow_readers(port):
    """Sixteen streams, read with a pause before every piece."""
    replies = await asyncio.gather(*(client.ask(port, QUESTION | {"stream": True}, delay=0.1) for _ in range(16)))
    if {r.status for r in replies} != {200} or len({r.text for r in replies}) != 1 or not replies[0].text:
        return f"slow readers got {[(r.status, r.text) for r in replies][:3]}"


async def never_reading(port):
    """Sixteen clients with a receive buffer of nothing that ask for a long stream and read none of it."""
    sockets = []
    for _ in range(16):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        one.connect(("127.0.0.1", port))
        one.sendall(client.request_bytes("/v1/completions", json.dumps(LONG | {"n": 1, "logprobs": 5}).encode()))
        sockets.append(one)
    await asyncio.sleep(1)
    reply = await asyncio.wait_for(client.ask(port, QUESTION), 30)
    for one in sockets:
        one.close()
    if reply.status != 200:
        return f"beside readers that never read: {reply.status}"


async def half_open(port):
    """Sends a request, then closes the sending half: counts as gone."""
    for _ in range(16):
        _, writer = await raw(port, client.request_bytes("/v1/completions", json.dumps(LONG).encode()))
        writer.write_eof()
        await asyncio.sleep(0.01)
        writer.transport.abort()


async def resets(port):
    """A reset in the middle of a stream."""
    for _ in range(32):
        reader, writer = await raw(port, client.request_bytes("/v1/completions", json.dumps(LONG).encode()))
        await reader.readuntil(b"data: ")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()


async def bodies_that_never_come(port):
    """Two hundred connections that announce a body and send part of it, or half a head; they are left open."""
    request = client.request_bytes("/v1/chat/completions", json.dumps(QUESTION).encode())
    held = [await raw(port, request[: random.Random(i).randrange(1, len(request))]) for i in range(200)]
    reply = await asyncio.wait_for(client.ask(port, QUESTION), 30)
    for _, writer in held:
        writer.transport.abort()
    if reply.status != 200:
        return f"beside bodies that never come: {reply.status}"


async def byte_by_byte(port):
    """A request that arrives a byte at a time is a request."""
    request = client.request_bytes("/v1/chat/completions", json.dumps(QUESTION).encode(), {"Connection": "close"})
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for index in range(len(request)):
        writer.write(request[index : index + 1])
        await writer.drain()
        if index % 16 == 0:
            await asyncio.sleep(0)
    status, _ = await client.read_head(reader)
    writer.close()
    if status != 200:
        return f"byte by byte: {status}"


async def pipelined(port):
    """Twenty requests in one write are twenty answers, in order."""
    request = client.request_bytes("/v1/chat/completions", json.dumps(QUESTION).encode())
    bad = client.request_bytes("/v1/chat/completions", b"{}")
    reader, writer = await raw(port, b"".join(bad if i % 3 == 1 else request for i in range(20)))
    statuses = []
    for _ in range(20):
        status, headers = await asyncio.wait_for(client.read_head(reader), 30)
        async for _ in client.body_pieces(reader, headers):
            pass
        statuses.append(status)
    writer.close()
    if statuses != [400 if i % 3 == 1 else 200 for i in range(20)]:
        return f"pipelined: {statuses}"


async def many_idle(port):
    """Five hundred idle connections."""
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(500)]
    reply = await asyncio.wait_for(client.ask(port, QUESTION), 30)
    for _, writer in held:
        writer.transport.abort()
    if reply.status != 200:
        return f"beside idle connections: {reply.status}"


CASES = [
    slow_readers, never_reading, half_open, resets, bodies_that_never_come, byte_by_byte, pipelined, many_idle,
]  # fmt: skip


def main() -> int:
    log = sys.argv[1] if len(sys.argv) > 1 else "/dev/null"
    server = servers.selfcd(None, "--lanes", LANES, "--allow", "all", "--log-level", "warning", log=log)
    problems = []
    for case in CASES:
        started = time.monotonic()
        try:
            problem = asyncio.run(asyncio.wait_for(case(server.port), 120))
        except Exception as error:
            problem = repr(error)
        if not server.is_alive:
            problems.append(f"{case.__name__}: the server ended with {server.process.returncode}")
            break
        took = time.monotonic() - started
        deadline = time.monotonic() + 10
        while True:
            samples = servers.metrics(server.port)
            free, lanes = servers.lanes_free(samples)
            if (free == lanes and samples["selfcd_requests_in_flight"] == 1) or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        freed = time.monotonic() - deadline + 10
        if free != lanes or samples["selfcd_requests_in_flight"] != 1:
            problem = problem or f"{free:.0f} of {lanes:.0f} lanes free, {samples['selfcd_requests_in_flight']:.0f} requests in flight"
        reply = asyncio.run(client.ask(server.port, QUESTION))
        if reply.status != 200:
            problem = problem or f"a proper request got {reply.status} afterwards"
        print(
            f"{'WRONG' if problem else 'fine'}  {case.__name__}: {took:.1f} s, lanes free after {freed:.2f} s, "
            f"{server.descriptors} descriptors, {server.memory / 2**20:.0f} MiB{' — ' + problem if problem else ''}", flush=True)
        if problem:
            problems.append(problem)
    code = server.stop()
    print(f"the server ended with {code}")
    return 1 if problems or code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
