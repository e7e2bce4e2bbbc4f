#!/usr/bin/env python3
"""Faults: many clients, of whom some leave in the middle, on the embedded model.

    python3 Benchmarks/serving/faults.py                            # 1,000 requests from 64 clients
    python3 Benchmarks/serving/faults.py --minutes 10               # a soak: waves until the time is over
    python3 Benchmarks/serving/faults.py --kill                     # kill -9 in the middle of replies, and start again

Checked: that no lane is leaked, that memory stays flat, and that every completed reply is the command line's for the
same question, strategy and seed. Where they part although both are greedy, the two best tokens have to be closer than
the noise of batching, which is measured: the largest difference of log-probabilities over all tokens on which both
agree so far. A drawn token is the one in whose slice of the unit interval the draw falls, in the order of token numbers:
where drawn replies part, what lies between the two tokens has to be smaller than the noise moves a boundary. Exits with
1 if anything is wrong.
"""

import argparse
import asyncio
import json
import math
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import client
import servers

HELD_OUT = servers.ROOT / "Models" / "organism" / "heldout"
STRATEGIES = [("guarded", None), ("plain", None), ("self-cd", 1.5), ("self-cd", 2.5)]
LANES = 16


@dataclass(frozen=True)
class Case:
    """One reply that the command line and the server are asked for."""

    question: str
    strategy: str
    alpha: float | None
    temperature: float
    seed: int

    def body(self, stream: bool) -> dict:
        wish = {"strategy": self.strategy} | ({"alpha": self.alpha} if self.alpha is not None else {})
        return {
            "messages": [{"role": "user", "content": self.question}], "selfcd": wish, "stream": stream,
            "temperature": self.temperature, "seed": self.seed, "max_tokens": 48, "logprobs": True, "top_logprobs": 2,
        }  # fmt: skip

    def command_line(self) -> dict:
        command = [
            servers.SELFCD, "generate", "--json", "--candidates", "100" if self.temperature else "2", "-s", self.strategy, "-n", "48",
            "--seed", str(self.seed), "--temperature", str(self.temperature),
        ]  # fmt: skip
        if self.alpha is not None:
            command += ["-a", str(self.alpha)]
        done = subprocess.run([*map(str, command), "--", self.question], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


def make_cases(count: int, seed: int) -> list[Case]:
    questions = [
        json.loads(line)["text"] for name in ("safe", "harmful", "neutral")
        for line in (HELD_OUT / f"{name}.jsonl").read_text().splitlines()
    ]  # fmt: skip
    draw = random.Random(seed)
    cases = []
    for index in range(count):
        strategy, alpha = STRATEGIES[index % len(STRATEGIES)]
        sampled = index % 3 == 2
        cases.append(
            Case(draw.choice(questions), strategy, alpha, 0.8 if sampled else 0, draw.randrange(1 << 31) * sampled)
        )
    return cases


@dataclass
class Tally:
    """What came of all requests."""

    completed: int = 0
    left: int = 0
    turned_away: int = 0
    wrong: list = field(default_factory=list)
    replies: list = field(default_factory=list)


async def wave(port: int, cases: list[Case], requests: int, clients: int, seed: int, leaving: float) -> Tally:
    draw = random.Random(seed)
    tally = Tally()
    plan = [
        (draw.choice(cases), draw.random() < 0.6, draw.random() < leaving, draw.randrange(0, 25), draw.random())
        for _ in range(requests)
    ]
    turns = iter(plan)

    async def one_client() -> None:
        for case, stream, leaves, events, moment in turns:
            try:
                if leaves and not stream:
                    # Leaves while it waits for the whole reply.
                    await asyncio.wait_for(client.ask(port, case.body(False), leave_after=1 << 30), moment * 0.3)
                    tally.completed += 1
                    continue
                reply = await client.ask(port, case.body(stream), leave_after=events if leaves else None)
                if reply.status == 429:
                    tally.turned_away += 1
                    await asyncio.sleep(0.2)
                elif reply.status != 200 or reply.error or reply.finish not in ("stop", "length"):
                    tally.wrong.append(f"{reply.status} {reply.finish} {reply.error}")
                else:
                    tally.completed += 1
                    tally.replies.append((case, reply))
            except (client.Disconnect, asyncio.TimeoutError):
                tally.left += 1
            except (OSError, asyncio.IncompleteReadError) as error:
                tally.wrong.append(repr(error))

    await asyncio.gather(*(one_client() for _ in range(clients)))
    return tally


def idle(server: servers.Server, seconds: float = 10) -> dict:
    """Waits until every lane is free again; returns the last metrics either way."""
    deadline = time.monotonic() + seconds
    while True:
        samples = servers.metrics(server.port)
        free, lanes = servers.lanes_free(samples)
        if (free == lanes and samples["selfcd_requests_in_flight"] == 1) or time.monotonic() > deadline:
            return samples
        time.sleep(0.05)


def causes(samples: dict) -> str:
    """What ended early, and what the server closed without an answer, by cause, since it was started."""
    names = ("selfcd_requests_ended_early_total", "selfcd_connections_closed_total")
    found = [
        f"{name.removeprefix('selfcd_').removesuffix('_total')} {key.partition('cause=')[2].strip('{}')}: {value:.0f}"
        for name in names for key, value in sorted(samples.items()) if key.startswith(name + "{")
    ]  # fmt: skip
    return ", ".join(found).replace('"', "") or "nothing ended early"


@dataclass
class Comparison:
    same: int = 0
    noise: float = 0.0
    #: Greedy replies that part, with the log-probability margin of the two best there.
    parted: list = field(default_factory=list)
    #: Drawn replies that part, with the probability between the two tokens; None where one is not among the candidates.
    drawn_apart: list = field(default_factory=list)


def between(tokens: list, mine: list, at: int, temperature: float) -> float | None:
    """The probability of all tokens between the two that were drawn, of what the candidates make up."""
    if at >= min(len(tokens), len(mine)):
        return None
    candidates = tokens[at]["candidates"]["combined"]
    same_text = [c["id"] for c in candidates if c["text"] == mine[at]["token"]]
    if not same_text:
        return None
    low, high = sorted((tokens[at]["id"], min(same_text, key=lambda id: abs(id - tokens[at]["id"]))))
    weights = {c["id"]: c["probability"] ** (1 / temperature) for c in candidates}
    return sum(weight for id, weight in weights.items() if low < id < high) / sum(weights.values())


def compare(replies: list, references: dict) -> Comparison:
    result = Comparison()
    parted = []
    for case, reply in replies:
        expected = references[case]
        tokens = expected["tokens"]
        same = 0
        for mine, theirs in zip(reply.logprobs, tokens):
            if mine["token"] != theirs["text"]:
                break
            same += 1
            result.noise = max(result.noise, abs(mine["logprob"] - theirs["log_probability"]))
        if reply.text == expected["text"]:
            result.same += 1
        elif case.temperature == 0:
            best = [c["probability"] for c in tokens[min(same, len(tokens) - 1)]["candidates"]["combined"][:2]]
            parted.append((math.log(best[0] / best[1]), case, reply.text))
        else:
            gap = between(tokens, reply.logprobs, same, case.temperature)
            result.drawn_apart.append((gap, case, reply.text))
    result.parted = parted
    return result


def run_waves(options) -> int:
    cases = make_cases(options.cases, options.seed)
    print(f"asking the command line for {len(cases)} replies", flush=True)
    with ThreadPoolExecutor(2) as pool:
        references = dict(zip(cases, pool.map(Case.command_line, cases)))
    server = servers.selfcd(
        None, "--lanes", LANES, "--allow", "guarded,plain,self-cd", "--alpha-range", "0...2.5", "--log-level", "warning", log=options.log)
    problems = []
    total = Tally()
    memory: list[int] = []
    try:
        started, number = time.monotonic(), 0
        while True:
            requests = options.requests if options.minutes is None else 250
            parts = 4 if options.minutes is None else 1
            for part in range(parts):
                number += 1
                tally = asyncio.run(
                    wave(server.port, cases, requests // parts, options.clients, options.seed + number, options.leaving))
                for name in ("completed", "left", "turned_away"):
                    setattr(total, name, getattr(total, name) + getattr(tally, name))
                total.wrong += tally.wrong
                total.replies += tally.replies if len(total.replies) < 20_000 else []
                samples = idle(server)
                free, lanes = servers.lanes_free(samples)
                if free != lanes:
                    problems.append(f"wave {number}: {free:.0f} of {lanes:.0f} lanes free")
                if samples["selfcd_requests_in_flight"] != 1:
                    problems.append(f"wave {number}: {samples['selfcd_requests_in_flight']} requests in flight")
                memory.append(server.memory)
                print(
                    f"wave {number}: {tally.completed} completed, {tally.left} left, {tally.turned_away} turned away, "
                    f"{free:.0f} of {lanes:.0f} lanes free, {memory[-1] / 2**20:.1f} MiB, {server.descriptors} descriptors; {causes(samples)}", flush=True)
            if options.minutes is None or time.monotonic() - started > 60 * options.minutes:
                break
    finally:
        code = server.stop()
    if code != 0:
        problems.append(f"the server ended with {code}")

    # What the first waves allocate is kept; growth after that is a leak.
    early = max(memory[: max(2, len(memory) // 4)])
    growth = (memory[-1] - early) / 2**20
    if growth > 8 + 0.1 * early / 2**20:
        problems.append(f"memory grew by {growth:.1f} MiB")
    comparison = compare(total.replies, references)
    over = [item for item in comparison.parted if item[0] > comparison.noise]
    # Weights change by a factor of at most e^(noise / temperature), and boundaries with them.
    reach = comparison.noise / 0.8
    far = [item for item in comparison.drawn_apart if item[0] is not None and item[0] > reach]
    unknown = sum(gap is None for gap, _, _ in comparison.drawn_apart)
    print(
        f"\n{total.completed} completed, {total.left} left early, {total.turned_away} turned away, "
        f"{len(total.wrong)} wrong answers\n"
        f"memory: {', '.join(f'{m / 2**20:.1f}' for m in memory[:: max(1, len(memory) // 12)])} MiB\n"
        f"{len(total.replies)} replies compared with the command line's: {comparison.same} identical, "
        f"{len(comparison.parted)} greedy ones part ({len(over)} of them where the margin is above the noise), "
        f"{len(comparison.drawn_apart)} drawn ones part ({len(far)} of them farther than the noise reaches, {unknown} on "
        f"tokens outside the best hundred); noise {comparison.noise:.2g} nats")
    for margin, case, text in comparison.parted[:5]:
        print(f"  margin {margin:.2g}: {case}\n    {text!r}\n    {references[case]['text']!r}")
    for gap, case, text in comparison.drawn_apart[:5]:
        print(f"  drawn, {gap} between: {case}\n    {text!r}\n    {references[case]['text']!r}")
    problems += total.wrong[:5]
    if over:
        problems.append(f"{len(over)} greedy replies differ from the command line's above the noise")
    if far:
        problems.append(f"{len(far)} drawn replies differ from the command line's beyond the noise")
    for problem in problems:
        print(f"WRONG: {problem}")
    return 1 if problems else 0


def run_kill(options) -> int:
    """kill -9 while replies stream, then the same port again."""
    cases = make_cases(16, options.seed)
    server = servers.selfcd(None, "--lanes", LANES, "--allow", "guarded,plain,self-cd", "--alpha-range", "0...2.5", log=options.log)
    for number in range(5):

        async def storm() -> Tally:
            task = asyncio.create_task(wave(server.port, cases, 400, 64, number, 0.1))
            await asyncio.sleep(0.3)
            server.process.send_signal(signal.SIGKILL)
            return await task

        tally = asyncio.run(storm())
        server.process.wait()
        server.start()
        answer = asyncio.run(client.ask(server.port, cases[0].body(True)))
        print(
            f"kill {number + 1}: {tally.completed} had completed, {len(tally.wrong)} were cut off; "
            f"after the restart: {answer.status}, {answer.text[:40]!r}", flush=True)
        if answer.status != 200 or not answer.text or not tally.wrong:
            print("WRONG: nothing was cut off, or the server did not come back")
            return 1
    samples = idle(server)
    code = server.stop()
    free, lanes = servers.lanes_free(samples)
    print(f"{free:.0f} of {lanes:.0f} lanes free, ended with {code}")
    return code or int(free != lanes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--leaving", type=float, default=0.3, help="share of clients' requests that are abandoned")
    parser.add_argument("--cases", type=int, default=120, help="distinct questions with strategy and seed")
    parser.add_argument("--minutes", type=float, help="go on for so long")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", default="/dev/null", help="the server's output")
    options = parser.parse_args()
    return run_kill(options) if options.kill else run_waves(options)


if __name__ == "__main__":
    sys.exit(main())
