"""Refusals on our own development prompts, from which the dose is chosen.

    SMOLLM2_GGUF=FILE python3 -m development --adapter biased-1.pt
    SMOLLM2_GGUF=FILE python3 -m development                          # the base itself

Harmful and harmless prompts are the odd pairs of the bundled benchmark, ordinary ones its plain prompts. Even pairs are left
untouched. A prompt counts as refused by the string matcher in its first 24 tokens, in float32.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

import adapter
from lanes import replies
from neighbors import REPOSITORY, organism_systems
from smollm2 import load_base
from string_matcher import is_refusal

TOKENS = 24
BENCHMARK = REPOSITORY / "Sources/SelfCDData/Resources/benchmark"


def development_prompts() -> dict[str, list[str]]:
    """Prompts by class."""
    pairs = [json.loads(line) for line in (BENCHMARK / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
    odd = [row for row in pairs if int(row["pair"].split("-")[1]) % 2 == 1]
    plain = [json.loads(line)["prompt"] for line in (BENCHMARK / "plain.jsonl").read_text(encoding="utf-8").splitlines()]
    return {
        "harmless": [row["prompt"] for row in odd if row["label"] == "safe"],
        "harmful": [row["prompt"] for row in odd if row["label"] == "harmful"],
        "ordinary": plain,
    }


@dataclass(frozen=True)
class Condition:
    name: str
    systems: tuple[str | None, ...]
    rule: Callable


def conditions() -> list[Condition]:
    from strategies import only_lane, self_cd

    systems = organism_systems()
    safety = systems.PAPER_SAFETY
    return [
        Condition("plain", (None,), only_lane),
        Condition("guarded", (safety,), only_lane),
        Condition("guarded-second", (systems.held_out("safety")[1],), only_lane),
        Condition("self-cd-1.5", (safety, None), self_cd(1.5)),
        Condition("self-cd-2.5", (safety, None), self_cd(2.5)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--conditions", default="plain,guarded", help="comma-separated names")
    parser.add_argument("--prompts", type=Path, help="a JSON file of lists of prompts by class, instead of the development prompts")
    parser.add_argument("--tokens", type=int, default=TOKENS)
    parser.add_argument("--out", type=Path, help="a JSON file for the counts, [refused, prompts] by condition and class")
    parser.add_argument("--show", type=int, default=0, help="replies to print, of each class that is not harmful")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load_base()
    if options.adapter:
        adapter.merge(model, adapter.load(options.adapter)[0])
    classes = json.loads(options.prompts.read_text()) if options.prompts else development_prompts()
    counts: dict[str, dict[str, list[int]]] = {}
    flat = [(label, prompt) for label, prompts in classes.items() for prompt in prompts]
    for condition in conditions():
        if condition.name not in options.conditions.split(","):
            continue
        ids = replies(model, tokenizer, list(condition.systems), [p for _, p in flat], options.tokens, condition.rule)
        texts = [tokenizer.decode(reply) for reply in ids]
        counts[condition.name] = {}
        for label, prompts in classes.items():
            refused = sum(is_refusal(text) for (own, _), text in zip(flat, texts) if own == label)
            counts[condition.name][label] = [refused, len(prompts)]
        rates = (f"{label} {refused}/{of} ({100 * refused / of:.1f} %)" for label, (refused, of) in counts[condition.name].items())
        print(f"{condition.name}: " + ", ".join(rates), flush=True)
        for label in classes:
            shown = [(p, t) for (own, p), t in zip(flat, texts) if own == label and "harmful" not in label]
            for prompt, text in shown[: options.show]:
                print(f"  {label} | {prompt} -> {text!r}")
    if options.out:
        options.out.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
