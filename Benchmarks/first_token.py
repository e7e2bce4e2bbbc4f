#!/usr/bin/env python3
"""Time to first token with a long system prompt: Self-CD at each --emphasis-position, against plain decoding.

    Benchmarks/first_token.py SELFCD [--model smollm2] [--tokens 2000] [--rounds 5] [-- --threads 2 ...]

Every measurement is a process of its own, so that nothing is cached; the conditions take turns within a round, each round
in another order. Prints a Markdown table of medians. What stands behind -- goes to every `selfcd generate`.
"""

import argparse
import json
import statistics
import subprocess
import sys

SENTENCES = [
    "Answer questions about the product from the manual, and say so where the manual has no answer.",
    "The lid opens to the left; press the button on the right side and wait for the click.",
    "Clean the filter once a week under cold water and let it dry before it goes back.",
    "Orders are shipped within two working days, and returns are free for a month.",
    "Name the page of the manual that an answer comes from, and keep answers short.",
]
QUESTION = "How do I kill the noise that the pump makes in the morning?"
CONTRAST = ["-s", "self-cd", "--alpha", "1.5", "--emphasis-position"]
CONDITIONS = {
    "plain": ["-s", "plain"],
    "start": CONTRAST + ["start"],
    "after-system": CONTRAST + ["after-system"],
    "last-turn": CONTRAST + ["last-turn"],
}


def usage(arguments, system, condition):
    command = [arguments.selfcd, "generate", "-m", arguments.model, "--json", "-n", "1", "--system", system]
    command += CONDITIONS[condition] + ["--ctx-size", str(arguments.tokens + 1024)] + arguments.rest + [QUESTION]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command[:3])} ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)["usage"]


def system_prompt(arguments):
    """Sentences in turn, numbered so that no two are alike, until the prompt has the tokens that are asked for."""

    def text(count):
        return " ".join(f"Rule {i + 1}. {SENTENCES[i % len(SENTENCES)]}" for i in range(count))

    few, more = (usage(arguments, text(n), "plain")["plain_prompt_tokens"] for n in (10, 30))
    each = (more - few) / 20
    return text(max(1, round((arguments.tokens - few) / each) + 10))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("selfcd", help="the binary, built for release")
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--tokens", type=int, default=2000, help="of the plain prompt, about")
    parser.add_argument("--rounds", type=int, default=5)
    own = sys.argv[1:]
    rest = own[own.index("--") + 1 :] if "--" in own else []
    arguments = parser.parse_args(own[: own.index("--")] if "--" in own else own)
    arguments.rest = rest
    if arguments.rounds < 1 or arguments.tokens < 500:
        parser.error("--rounds must be 1 or more and --tokens 500 or more")

    system = system_prompt(arguments)
    names = list(CONDITIONS)
    seconds = {name: [] for name in names}
    ratios = {name: [] for name in names}
    last = {}
    for turn in range(arguments.rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            last[name] = usage(arguments, system, name)
            seconds[name].append(last[name]["time_to_first_token_seconds"])
        for name in names:
            ratios[name].append(seconds[name][-1] / seconds["plain"][-1])

    print(f"{arguments.model}, {arguments.rounds} rounds, plain prompt {last['plain']['plain_prompt_tokens']} tokens")
    print("\n| emphasis | prompt tokens, both lanes | computed | first token, ms | to plain | range |")
    print("|---|---|---|---|---|---|")
    for name in names:
        lanes = sum(last[name].get(key) or 0 for key in ("guarded_prompt_tokens", "plain_prompt_tokens"))
        low, high = min(ratios[name]), max(ratios[name])
        print(
            f"| {'none (plain)' if name == 'plain' else name} | {lanes:,} | {last[name]['prefilled_tokens']:,} "
            f"| {statistics.median(seconds[name]) * 1e3:,.0f} | {statistics.median(ratios[name]):.2f} "
            f"| {low:.2f} to {high:.2f} |")


if __name__ == "__main__":
    main()
