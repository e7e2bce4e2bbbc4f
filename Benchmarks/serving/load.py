#!/usr/bin/env python3
"""Load: selfcd serve and llama.cpp's own server side by side, on one model and one number of threads.

    Benchmarks/peers/llama_server.sh                          # once
    python3 Benchmarks/serving/load.py MODEL.gguf             # models: Benchmarks/models/make_models.py --chat
    python3 Benchmarks/serving/load.py MODEL.gguf --clients 1 16 --rounds 1 --json results.json

Every client has one streamed request running and sends the next when it ends. Each round measures all servers at each
number of clients, one after the other, on the same prompts, which no server has seen before. Ratios are taken within a
round; medians over rounds are printed. On a machine that others use, a CPU second of the server is the steadier measure.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import client
import servers

WORDS = (
    "river stone light winter garden paper silver market window number engine letter forest bridge morning shadow "
    "copper village thunder pencil harbour candle blanket orchard feather mirror lantern marble meadow ribbon"
).split()


@dataclass
class Load:
    """What one server did under one number of clients."""

    server: str
    clients: int
    tokens: int
    prompt_tokens: int
    seconds: float
    cpu_seconds: float
    first_tokens: list
    gaps: list
    failed: int

    @property
    def speed(self) -> float:
        return self.tokens / self.seconds

    @property
    def cpu_speed(self) -> float:
        return self.tokens / self.cpu_seconds if self.cpu_seconds else float("nan")


def prompt(seed: int, words: int) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


async def measure(name: str, server: servers.Server, clients: int, seed: int, options) -> Load:
    async def one_client(number: int) -> list[client.Reply]:
        replies = []
        for question in range(options.questions):
            body = {
                "model": name.split("=")[-1], "stream": True, "stream_options": {"include_usage": True},
                "temperature": 0, "max_tokens": options.new_tokens,
                "messages": [
                    {"role": "user", "content": prompt(seed * 1_000_000 + number * 1000 + question, options.words)}
                ],
            }  # fmt: skip
            replies.append(await client.ask(server.port, body))
        return replies

    cpu, start = server.cpu_seconds, time.perf_counter()
    groups = await asyncio.gather(*(one_client(number) for number in range(clients)))
    seconds, cpu = time.perf_counter() - start, server.cpu_seconds - cpu
    replies = [reply for group in groups for reply in group]
    good = [r for r in replies if r.status == 200 and r.usage.get("completion_tokens") == options.new_tokens]
    return Load(
        server=name, clients=clients, tokens=sum(r.usage["completion_tokens"] for r in good),
        prompt_tokens=sum(r.usage["prompt_tokens"] for r in good), seconds=seconds, cpu_seconds=cpu,
        first_tokens=[r.first_token for r in good if r.first_token],
        gaps=[b - a for r in good for a, b in zip(r.pieces, r.pieces[1:])], failed=len(replies) - len(good),
    )  # fmt: skip


def quantile(values: list, q: float) -> float:
    return sorted(values)[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


def start_servers(options) -> dict[str, servers.Server]:
    """By label; behind '=' what requests call the model."""
    threads, context = str(options.threads), options.context
    lanes = str(options.lanes)
    ours = servers.selfcd(
        options.model, "--name", "m", "--lanes", lanes, "--ctx-size", context, "--threads", threads,
        "--strategy", "plain", "--allow", "plain,self-cd", "--judge", "none", *options.serve_option, log=options.log,
    )  # fmt: skip
    running = {"selfcd plain=m": ours}
    if not options.no_contrast:
        running["selfcd self-cd=m:self-cd@2.0"] = ours
    if not options.no_peer:
        common = ["-np", lanes, "-t", threads, "-tb", threads]
        total = str(options.context * options.lanes)
        for label, extra in (("llama-server", ["--no-kv-unified"]), ("llama-server unified", ["--kv-unified"])):
            if label in options.peers:
                running[label + "=m"] = servers.llama_server(options.model, "-c", total, *common, *extra, log=options.log)
    return running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 32])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=2, help="requests of each client in a round")
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--words", type=int, default=40, help="words of each prompt")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=32)
    parser.add_argument("--context", type=int, default=512, help="tokens of a lane or slot")
    parser.add_argument("--no-contrast", action="store_true")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument(
        "--peers", nargs="+", default=["llama-server"], choices=["llama-server", "llama-server unified"])
    parser.add_argument("--serve-option", nargs="*", default=[], help="more options of selfcd serve")
    parser.add_argument("--json", type=Path, help="write every measurement there")
    parser.add_argument("--log", default="/dev/null", help="the servers' output")
    options = parser.parse_args()

    running = start_servers(options)
    loads: list[Load] = []
    try:
        for name, server in running.items():
            asyncio.run(measure(name, server, 2, 999, options))  # warms up
        for round_index in range(options.rounds):
            for clients in options.clients:
                # Turn and turn about, so that nobody is always first.
                order = list(running.items())[:: 1 if round_index % 2 == 0 else -1]
                for place, (name, server) in enumerate(order):
                    # One seed for a round and number of clients, the same for all; ours is asked twice, so by name.
                    twice = 500 if "self-cd@" in name else 0
                    seed = 1 + round_index * 100 + options.clients.index(clients) + twice
                    load = asyncio.run(measure(name, server, clients, seed, options))
                    loads.append(load)
                    print(
                        f"round {round_index + 1}, {clients} clients, {name.split('=')[0]}: {load.speed:.1f} tokens/s, "
                        f"{load.cpu_speed:.1f} a CPU second, {load.failed} failed", flush=True)  # fmt: skip
    finally:
        for server in set(running.values()):
            server.stop()
    report(loads, options)
    if options.json:
        options.json.write_text(json.dumps([asdict(load) for load in loads]))


def report(loads: list[Load], options) -> None:
    names = list(dict.fromkeys(load.server for load in loads))
    plain = names[0]
    print("\n| clients | server | tokens/s | a CPU second | plain SelfCD's to it: tokens/s | CPU | first token ms "
          "p50 | p95 | p99 | between tokens ms p50 | p99 |")
    print("|---" * 11 + "|")
    for clients in options.clients:
        ours = [load for load in loads if load.server == plain and load.clients == clients]
        for name in names:
            mine = [load for load in loads if load.server == name and load.clients == clients]
            wall = statistics.median(a.speed / b.speed for a, b in zip(ours, mine))
            cpu = statistics.median(a.cpu_speed / b.cpu_speed for a, b in zip(ours, mine))
            waits = [wait * 1e3 for load in mine for wait in load.first_tokens]
            gaps = [gap * 1e3 for load in mine for gap in load.gaps]
            print(
                f"| {clients} | {name.split('=')[0]} | {statistics.median(load.speed for load in mine):.1f} "
                f"| {statistics.median(load.cpu_speed for load in mine):.1f} | {wall:.2f} | {cpu:.2f} "
                f"| {quantile(waits, 0.5):.0f} | {quantile(waits, 0.95):.0f} | {quantile(waits, 0.99):.0f} "
                f"| {quantile(gaps, 0.5):.0f} | {quantile(gaps, 0.99):.0f} |")  # fmt: skip


if __name__ == "__main__":
    main()
