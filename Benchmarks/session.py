"""All benchmarks in one run, each alternating between what it compares. Started by run.sh, which sets up what it needs.

A PyTorch peer is measured between two measurements of SelfCD; its ratio is its time over their mean. So a machine
that is slower for a while slows down both sides. The median of the rounds is printed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
MODELS = CACHE / "models"
RECORDS = CACHE / "records.jsonl"
ORGANISM = HERE.parent / "Models" / "organism"
PEERS = ["published", "published_last_row", "guidance", "batched"]
SECTIONS = ["combine", "decode", "lanes", "prefix", "firstk", "words", "peers"]
FORMATS = ["f16", "q8_0", "q4_0"]


@dataclass(frozen=True)
class Time:
    """On one thread CPU time is compared too: others on the machine do not lengthen it as they do the clock's."""

    seconds: float
    cpu_seconds: float
    memory: int


def bench(*arguments: str) -> str:
    """Runs selfcd-bench."""
    program = HERE / ".build" / "release" / "selfcd-bench"
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def last_record() -> dict:
    return json.loads(RECORDS.read_text().splitlines()[-1])


def time_of(record: dict) -> Time:
    return Time(record["seconds"], record["cpu_seconds"], record["peak_memory"])


class PeerSession:
    """SelfCD and the PyTorch peers on one model and one number of threads."""

    def __init__(self, shape: str, threads: int, options: argparse.Namespace):
        self.shape, self.threads, self.options = shape, threads, options
        self.ours: dict[str, list[Time]] = {kind: [] for kind in FORMATS}
        # The engine chooses by timing; on a busy machine it may choose differently from time to time.
        self.step_modes: dict[str, list[str]] = {}
        self.peers: dict[tuple[str, str], list[Time]] = {}
        self.ratios: dict[tuple[str, str, str], list[float]] = {}
        self.cpu_ratios: dict[tuple[str, str, str], list[float]] = {}
        self.agreements: list[tuple[str, dict]] = []

    def measure_ours(self, kind: str, seed: int) -> Time:
        bench(
            "decode", str(MODELS / f"{self.shape}-{kind}.gguf"), "--modes", "auto", "--rounds", "1", "--quiet",
            "--threads", str(self.threads), "--seed", str(seed), "--new-tokens", str(self.options.new_tokens),
            "--record", str(RECORDS),
        )  # fmt: skip
        record = last_record()
        self.step_modes.setdefault(kind, []).append(record["step_mode"])
        time = time_of(record)
        self.ours[kind].append(time)
        return time

    def measure_peer(self, name: str, dtype: str, seed: int) -> Time:
        command = [
            sys.executable, str(HERE / "peers" / f"{name}.py"), "--model", str(MODELS / f"{self.shape}-f16.gguf"),
            "--dtype", dtype, "--threads", str(self.threads), "--seed", str(seed),
            "--new-tokens", str(self.options.new_tokens), "--compare", str(RECORDS),
        ]  # fmt: skip
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        record = json.loads(output.splitlines()[-1])
        with RECORDS.open("a") as file:
            file.write(json.dumps(record) + "\n")
        if "agreement" in record:
            self.agreements.append((name, record["agreement"]))
        time = time_of(record)
        self.peers.setdefault((name, dtype), []).append(time)
        return time

    def run(self) -> None:
        for round_index in range(self.options.rounds):
            seed = 1 + round_index
            for dtype in self.options.dtypes:
                before = {kind: self.measure_ours(kind, seed) for kind in self.options.formats}
                for name in self.options.peers:
                    # These take so long that one round is steady enough.
                    if name.startswith("published") and round_index >= self.options.published_rounds:
                        continue
                    peer = self.measure_peer(name, dtype, seed)
                    after = {kind: self.measure_ours(kind, seed) for kind in self.options.formats}
                    for kind in self.options.formats:
                        key = (name, dtype, kind)
                        ours = (before[kind].seconds + after[kind].seconds) / 2
                        self.ratios.setdefault(key, []).append(peer.seconds / ours)
                        ours = (before[kind].cpu_seconds + after[kind].cpu_seconds) / 2
                        self.cpu_ratios.setdefault(key, []).append(peer.cpu_seconds / ours)
                    before = after

    def print_table(self) -> None:
        formats = self.options.formats
        print(f"\n{self.shape}, {self.threads} thread(s), 128-token prompts, {self.options.new_tokens} new tokens")
        ours = ", ".join(
            f"{kind} {statistics.median(t.seconds for t in self.ours[kind]):.2f} s "
            f"({'/'.join(sorted(set(self.step_modes[kind])))}), "
            f"{max(t.memory for t in self.ours[kind]) >> 20} MiB"
            for kind in formats
        )
        print(f"SelfCD: {ours}\n")
        print("| peer | precision | seconds | peak MiB | " + " | ".join(f"to SelfCD {kind}" for kind in formats) + " |")
        print("|---|---|---" + "|---" * (1 + len(formats)) + "|")
        for (name, dtype), times in self.peers.items():
            cells = []
            for kind in formats:
                ratio = statistics.median(self.ratios[name, dtype, kind])
                cell = f"{ratio:.1f}"
                if self.threads == 1:
                    cell += f" (CPU {statistics.median(self.cpu_ratios[name, dtype, kind]):.1f})"
                cells.append(cell)
            seconds = statistics.median(time.seconds for time in times)
            memory = max(time.memory for time in times) >> 20
            print(f"| {name} | {dtype} | {seconds:.2f} | {memory} | " + " | ".join(cells) + " |")
        for name in dict.fromkeys(name for name, _ in self.agreements):
            found = [agreement for peer, agreement in self.agreements if peer == name]
            print(
                f"{name}: same token at {sum(a['agreeing'] for a in found)} of {sum(a['steps'] for a in found)} steps; "
                f"widest margin where not {max(a['widest_margin_of_a_difference'] for a in found):.4f} "
                f"(median margin {statistics.median(a['median_margin'] for a in found):.2f}); "
                f"own run the same for {', '.join(str(a['free_running_prefix']) for a in found)} tokens"
            )
        sys.stdout.flush()


def files(options: argparse.Namespace) -> list[str]:
    return [str(MODELS / f"{shape}-{kind}.gguf") for shape in options.shapes for kind in options.formats]


def run_decode(options: argparse.Namespace) -> None:
    threads = ["--threads", *map(str, options.threads)]
    print(bench("decode", *files(options), *threads, "--rounds", str(options.rounds)))
    print("\nMemory of one mode alone, and its first token")
    for path in files(options):
        for mode in ("plain", "batched"):
            bench(
                "decode", path, "--modes", mode, "--threads", "1", "--rounds", "1", "--new-tokens", "8", "--quiet",
                "--record", str(RECORDS),
            )  # fmt: skip
            record = last_record()
            print(
                f"{record['model']:<16}{mode:<9}{record['peak_memory'] >> 20:>6} MiB, "
                f"file {os.path.getsize(path) >> 20} MiB, first token {record['first_token_seconds'] * 1e3:.0f} ms"
            )


def widened_organism() -> Path | None:
    source, target = ORGANISM / "selfcd-organism.f16.gguf", MODELS / "organism-wide-f16.gguf"
    if not source.exists():
        return None
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        command = [sys.executable, "-m", "widen", "--model", str(source), "--out", str(target), "--check"]
        if subprocess.run(command, cwd=ORGANISM / "training").returncode != 0:
            return None
    return target


def run_first_k(options: argparse.Namespace) -> None:
    model = widened_organism()
    if model is None:
        print("Skipped: Models/organism has no model organism that widen.py can widen.")
        return
    threads = ["--threads", *map(str, options.threads)]
    print(bench("firstk", str(model), *threads, "--rounds", str(options.rounds)))


def run(options: argparse.Namespace) -> None:
    RECORDS.unlink(missing_ok=True)
    print(f"load average {os.getloadavg()[0]:.2f} at the start")
    if "combine" in options.sections:
        print("\n## Combining two rows and finding the maximum\n\n" + bench("combine"), flush=True)
    if "decode" in options.sections:
        print("\n## Plain decoding and Self-CD\n", flush=True)
        run_decode(options)
    if "lanes" in options.sections:
        print("\n## The cost of a step by the number of lanes\n", flush=True)
        for threads in options.threads:
            print(bench("lanes", *files(options)[: len(options.formats)], "--threads", str(threads)))
    if "prefix" in options.sections:
        print("\n## A shared system prompt over eight lanes\n", flush=True)
        print(bench("prefix", *files(options)[: len(options.formats)], "--threads", str(max(options.threads))))
    if "firstk" in options.sections:
        print("\n## Contrast for the first tokens only\n", flush=True)
        run_first_k(options)
    if "words" in options.sections:
        print("\n## A prompt without each of its words\n", flush=True)
        print(bench("words", str(ORGANISM / "selfcd-organism.f16.gguf"), "--threads", str(max(options.threads))))
    if "peers" in options.sections:
        print("\n## PyTorch\n", flush=True)
        for threads in options.threads:
            session = PeerSession(options.peer_shape, threads, options)
            session.run()
            session.print_table()
    print(f"\nload average {os.getloadavg()[0]:.2f} at the end")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the smallest model, one thread, one round, few tokens")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--shapes", nargs="+", default=["135m", "0.5b", "1b"])
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--published-rounds", type=int, default=1, help="rounds of the peers without a cache")
    parser.add_argument("--new-tokens", type=int, default=64, help="tokens of the comparison with the peers")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--peer-shape", default="135m")
    parser.add_argument("--dtypes", nargs="+", choices=["float32", "bfloat16"], default=["float32", "bfloat16"])
    options = parser.parse_args()
    if options.quick:
        options.shapes, options.formats, options.threads = ["135m"], ["f16"], [1]
        options.rounds, options.new_tokens, options.dtypes = 1, 16, ["float32"]
    return options


if __name__ == "__main__":
    run(parse())
