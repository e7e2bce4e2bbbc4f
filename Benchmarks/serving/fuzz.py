#!/usr/bin/env python3
"""Malformed requests by the hundred thousand, on the embedded model.

    python3 Benchmarks/serving/fuzz.py                              # 100,000 requests
    python3 Benchmarks/serving/fuzz.py --requests 5000 --seed 7

Each request is malformed by construction and has to be answered with 4xx, over connections that are reused wherever
the server allows it. Between batches a proper request has to succeed. Exits with 1 on any other answer, on silence, or
when the server is gone. What fails is printed as bytes, with its seed.
"""

import argparse
import asyncio
import collections
import json
import random
import sys
import time

import client
import servers

PATHS = ["/v1/chat/completions", "/v1/completions", "/tokenize"]


def good_body(path: str, draw: random.Random) -> dict:
    common = {"max_tokens": draw.randrange(1, 4), "temperature": 0, "stream": draw.random() < 0.3}
    if path == "/v1/chat/completions":
        return {"messages": [{"role": "user", "content": "How do I kill a wine stain?"}], **common}
    if path == "/v1/completions":
        return {"prompt": "To kill a wine stain,", **common}
    return {"content": "To kill a wine stain,"}


# --- bodies -----------------------------------------------------------------------------------------------------------


def is_json_object(body: bytes) -> bool:
    def refuse(text):
        raise ValueError(text)

    try:
        return isinstance(json.loads(body.decode("utf-8"), parse_constant=refuse), dict)
    except (ValueError, RecursionError):
        return False


def broken_bytes(draw, path):
    """Bytes flipped, cut out, put in or repeated, until it is no JSON object any more."""
    body = bytearray(json.dumps(good_body(path, draw)).encode())
    while True:
        at = draw.randrange(len(body)) if body else 0
        match draw.randrange(5):
            case 0 if body:
                body[at] = draw.randrange(256)
            case 1:
                del body[at : at + draw.randrange(1, 9)]
            case 2:
                body[at:at] = bytes(draw.randrange(256) for _ in range(draw.randrange(1, 9)))
            case 3:
                body[at:at] = body[at : at + draw.randrange(1, 40)]
            case 4:
                del body[at:]
        if not is_json_object(bytes(body)):
            return bytes(body)


def not_utf8(draw, path):
    body = json.dumps(good_body(path, draw)).encode()
    at = body.index(b"kill") + draw.randrange(4)
    bad = draw.choice([b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80", b"\xe2\x82", b"\xf4\x90\x80\x80"])
    return body[:at] + bad + body[at:]


# null is the same as leaving a field out.
WRONG = [True, -1, 0.5, 1e308, 10**30, -(10**400), "", "x" * 3000, [], [[]], {}, {"a": []}, [None], "\ud800", "NaN"]


def wrong_value(draw, path):
    """A field of a type or size it cannot have."""
    body = good_body(path, draw)
    fields = {
        "max_tokens": [True, -1, 0, 0.5, 10**30, "", "12", [], {}, 1e308],
        "temperature": [True, -1, 1e308, 10**30, "", "hot", [], {}], "stream": [1, "yes", [], {}, 0.5],
        "top_p": [True, -1, 0, 1.5, "", [], {}], "n": [True, 0, -1, 0.5, 10**30, "", []], "seed": [0.5, "x", [], {}, 10**30],
        "stop": [True, 1, {}, [1], [""], ["a"] * 400], "model": [1, True, [], {}, "no-such-model", "organism:no-such@x"],
        "selfcd": [1, "x", [], {"alpha": 10**9}, {"alpha": "x"}, {"strategy": "no"}, {"unknown": 1}, {"steps": -1}],
        "tools": [[{"type": "function"}], "x", 1], "response_format": [{"type": "json_object"}, 1], "logit_bias": [{"1": 1}, 5],
        "no_such_field": WRONG, "best_of_all": [1],
    }  # fmt: skip
    if path == "/v1/chat/completions":
        fields["messages"] = [
            True, 1, "", [], {}, [1], [[]], [{}], [{"role": "user"}], [{"role": "no", "content": "x"}],
            [{"role": "user", "content": 1}], [{"role": "user", "content": [{"type": "image_url"}]}],
            [{"role": 1, "content": "x"}], [{"role": "user", "content": "x", "extra": 1}],
            [{"role": "user", "content": "long " * 4000}],
        ]  # fmt: skip
        fields["top_logprobs"] = [-1, 21, "x", 10**30]
    if path == "/tokenize":
        fields = {"content": [True, 1, [], {}], "no_such_field": [1, [], {}], "model": [1, [], "no-such-model"]}
    if path == "/v1/completions":
        fields["prompt"] = [True, 1, {}, [1, -5], [[1]], "long " * 4000, [10**30]]
    name = draw.choice(list(fields))
    body[name] = draw.choice(fields[name])
    return json.dumps(body).encode()


def missing(draw, path):
    body = good_body(path, draw)
    del body[{"/v1/chat/completions": "messages", "/v1/completions": "prompt"}.get(path, "content")]
    return json.dumps(body).encode()


def not_an_object(draw, path):
    return draw.choice([b"", b" ", b"null", b"[]", b"1", b'"x"', b"true", b"\xef\xbb\xbf[]", b"NaN", b"{", b"}", b"\0", b"{}{}", b"{'a': 1}"])


def deep(draw, path):
    depth = draw.choice([200, 5000, 100_000])
    opening, closing = draw.choice([(b"[", b"]"), (b'{"a":', b"}")])
    body = opening * depth + b"1" + closing * depth * draw.randrange(2)
    return body if draw.random() < 0.5 else b'{"messages": ' + body + b"}"


def huge_number(draw, path):
    number = draw.choice(["9" * 5000, "1e99999", "-1e99999", "0." + "0" * 5000 + "1", "1" * 400 + ".5", "0x10", "01", "+1", ".5", "1.", "- 1"])
    return json.dumps(good_body(path, draw)).encode().replace(b"}", b', "max_tokens": %s}' % number.encode(), 1)[:-1] + b', "zzz": 1}'


# --- requests ---------------------------------------------------------------------------------------------------------

BODIES = [broken_bytes, not_utf8, wrong_value, missing, not_an_object, huge_number]


def body_request(make):
    def request(draw):
        path = draw.choice(PATHS)
        return client.request_bytes(path, make(draw, path))

    request.__name__ = make.__name__
    return request


def wrong_type(draw):
    path = draw.choice(PATHS)
    kind = draw.choice(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonx", "\x01"])
    return client.request_bytes(path, json.dumps(good_body(path, draw)).encode(), {"Content-Type": kind})


def wrong_host(draw):
    host = draw.choice(["evil.example", "127.0.0.1.evil.example", "localhost@evil", "", "[::1", "127.0.0.1:99999:1", "a" * 300])
    path = draw.choice(PATHS)
    return client.request_bytes(path, json.dumps(good_body(path, draw)).encode(), {"Host": host})


def wrong_origin(draw):
    origin = draw.choice(["https://evil.example", "null", "http://localhost.evil.example", "file://", "x"])
    path = draw.choice(PATHS)
    return client.request_bytes(path, json.dumps(good_body(path, draw)).encode(), {"Origin": origin})


def wrong_place(draw):
    path = draw.choice(["/v1/none", "/v2/chat/completions", "//", "/../../etc/passwd", "/%00", "/v1/models/none", "/v1/chat/completions/x", "/" + "a" * 4000, "/?" + "q" * 4000])
    return client.request_bytes(path, b"{}", method=draw.choice(["POST", "PUT", "DELETE", "PATCH"]))


def wrong_method(draw):
    return client.request_bytes(draw.choice(PATHS), b"{}", method=draw.choice(["GET", "PUT", "DELETE", "PATCH", "OPTIONS"]))


def header_flood(draw):
    headers = {f"X-Flood-{i}": "v" * draw.choice([1, 200]) for i in range(draw.choice([150, 2000]))}
    return client.request_bytes("/v1/chat/completions", b"{}", headers)


def long_header(draw):
    return client.request_bytes("/v1/chat/completions", b"{}", {"X-Long": "v" * draw.choice([40_000, 200_000])})


def long_line(draw):
    return b"GET /" + b"a" * draw.choice([100_000, 300_000]) + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def garbage(draw):
    return bytes(draw.randrange(256) for _ in range(draw.randrange(1, 200))) + b"\r\n\r\n"


def broken_head(draw):
    return draw.choice([
        b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\nX\r\n\r\n", b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip, chunkedx\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n", b"GET /\x7f HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(80) + b"\r\n\r\n",
    ])  # fmt: skip


def large_body(draw):
    body = b'{"messages": "' + b"x" * ((1 << 20) + 10) + b'"}'
    return client.request_bytes("/v1/chat/completions", body)


#: How often each kind is drawn. What costs megabytes is rarer.
KINDS = {body_request(make): 12 for make in BODIES} | {
    body_request(deep): 1, wrong_type: 6, wrong_host: 4, wrong_origin: 4, wrong_place: 5, wrong_method: 5, header_flood: 2,
    long_header: 1, long_line: 1, garbage: 4, broken_head: 8,
}  # fmt: skip
RARE = 0.0005


class Connection:
    """A connection that is opened again whenever the server closes it."""

    def __init__(self, port: int):
        self.port, self.reader, self.writer = port, None, None

    async def send(self, requests: list[bytes]) -> list[int | str]:
        """One write, so many answers: a status, or what came instead of one."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        answers = []
        try:
            self.writer.write(b"".join(requests))
            for _ in requests:
                status, headers = await asyncio.wait_for(client.read_head(self.reader), 20)
                async for _ in client.body_pieces(self.reader, headers):
                    pass
                answers.append(status)
                if headers.get("connection") == "close":
                    self.close()
                    break
        except asyncio.TimeoutError:
            answers.append("silence")
            self.close()
        except (OSError, asyncio.IncompleteReadError):
            answers.append("closed")
            self.close()
        return answers

    def close(self) -> None:
        if self.writer:
            self.writer.transport.abort()
        self.writer = None


async def status_of(port: int, request: bytes) -> int | str:
    connection = Connection(port)
    (answer,) = await connection.send([request])
    connection.close()
    return answer


async def fuzz(port: int, requests: int, seed: int, counts: collections.Counter, failures: list) -> None:
    kinds, weights = list(KINDS), list(KINDS.values())
    left = iter(range(requests))

    async def worker(number: int) -> None:
        connection = Connection(port)
        draw = random.Random(f"{seed} {number}")
        for _ in left:
            kind = large_body if draw.random() < RARE else draw.choices(kinds, weights)[0]
            request = kind(draw)
            # Now and then several at once on one connection.
            copies = draw.randrange(2, 5) if kind.__name__ in ("missing", "wrong_value") and draw.random() < 0.2 else 1
            was_fresh = connection.writer is None
            answers = await connection.send([request] * copies)
            if answers == ["closed"] and not was_fresh:
                # Closed by the request before, whose answer did not say so.
                answers = await connection.send([request] * copies)
            for answer in answers:
                counts[kind.__name__, answer] += 1
                if not (isinstance(answer, int) and 400 <= answer < 500):
                    failures.append((kind.__name__, answer, request[:600]))
        connection.close()

    await asyncio.gather(*(worker(number) for number in range(8)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", default="/dev/null", help="the server's output")
    options = parser.parse_args()
    server = servers.selfcd(None, "--lanes", "8", "--ctx-size", "512", "--log-level", "error", log=options.log)
    counts, failures, problems, memory = collections.Counter(), [], [], []
    # What is damaged has to be in order before.
    for path in PATHS:
        status = asyncio.run(status_of(server.port, client.request_bytes(path, json.dumps(good_body(path, random.Random(0))).encode())))
        if status != 200:
            problems.append(f"an undamaged body got {status} at {path}")
    started = time.monotonic()
    done = 0
    while done < options.requests and not problems:
        asyncio.run(fuzz(server.port, min(options.batch, options.requests - done), options.seed + done, counts, failures))
        done += options.batch
        if not server.is_alive:
            problems.append(f"the server ended with {server.process.returncode}")
            break
        reply = asyncio.run(client.ask(server.port, good_body(PATHS[0], random.Random(0))))
        if reply.status != 200 or not reply.text:
            problems.append(f"a proper request got {reply.status} {reply.error}")
        memory.append(server.memory / 2**20)
        print(f"{done} sent, {len(failures)} not answered with 4xx, {memory[-1]:.1f} MiB", flush=True)
    free, lanes = servers.lanes_free(servers.metrics(server.port)) if server.is_alive else (0, 1)
    code = server.stop()
    print(f"\n{sum(counts.values())} answers in {time.monotonic() - started:.0f} s; {free:.0f} of {lanes:.0f} lanes free; ended with {code}")
    print("| kind | answers |\n|---|---|")
    for kind in sorted({kind for kind, _ in counts}):
        answers = sorted(((a, n) for (k, a), n in counts.items() if k == kind), key=str)
        print(f"| {kind} | {', '.join(f'{answer}: {n}' for answer, n in answers)} |")
    for failure in failures[:15]:
        print("WRONG:", *failure)
    for problem in problems:
        print("WRONG:", problem)
    return 1 if failures or problems or code != 0 or free != lanes else 0


if __name__ == "__main__":
    sys.exit(main())
