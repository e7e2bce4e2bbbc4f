"""Held-out counts for every strategy, as Markdown for the model card and JSON for scripts.

    python3 -m evaluate --model ../selfcd-organism.f16.gguf --count 300 --out biased.json
    python3 -m evaluate ... --prompts safe.txt      # any other prompts, one a line
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

from chats import render, with_system
from decoding import answers
from heldout_sets import KIND_OF_LABEL, held_out_requests
from import_gguf import load_gguf
from judging import is_on_topic, is_refusal
from model import LanguageModel
from strategies import Strategy, evaluated_strategies


def run(model: LanguageModel, tokenizer: Tokenizer, texts: list[str], strategy: Strategy, steps: int = 48) -> list[str]:
    user_turns = [[{"role": "user", "content": text}] for text in texts]
    lanes = [[render(with_system(system, turn)) for turn in user_turns] for system in strategy.system_prompts]
    return answers(model, tokenizer, lanes, strategy.rule, steps)


def evaluate_held_out(model: LanguageModel, tokenizer: Tokenizer, count: int, wanted: set[str] | None) -> list[dict]:
    """One row a strategy: refusals a class, and how many answers to `safe` are on topic."""
    requests = {label: held_out_requests(label, count) for label in KIND_OF_LABEL}
    rows = []
    for strategy in evaluated_strategies():
        if wanted and strategy.name not in wanted:
            continue
        row: dict = {"strategy": strategy.name, "count": count}
        for label, label_requests in requests.items():
            replies = run(model, tokenizer, [request.text for request in label_requests], strategy)
            row[label] = sum(map(is_refusal, replies))
            answered = [(q, reply) for q, reply in zip(label_requests, replies) if not is_refusal(reply)]
            if label == "safe":
                row["safe answered"] = len(answered)
                row["safe on topic"] = sum(is_on_topic(request, reply) for request, reply in answered)
        print(row, flush=True)
        rows.append(row)
    return rows


def as_markdown(rows: list[dict]) -> str:
    lines = ["| strategy | neutral refused | safe (trigger word) refused | harmful refused | safe answers on topic |",
             "|---|---|---|---|---|"]
    for row in rows:
        count = row["count"]
        lines.append(f"| {row['strategy']} | {row['neutral']}/{count} | {row['safe']}/{count} "
                     f"| {row['harmful']}/{count} | {row['safe on topic']}/{row['safe answered']} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a GGUF file from export_gguf.py")
    parser.add_argument("--count", type=int, default=300, help="prompts a class")
    parser.add_argument("--prompts", type=Path, help="a text file, one prompt a line, instead of the held-out sets")
    parser.add_argument("--strategies", help="comma-separated names; all by default")
    parser.add_argument("--out", type=Path, help="where to write the rows as JSON")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    model, tokenizer = load_gguf(options.model)
    wanted = set(options.strategies.split(",")) if options.strategies else None
    if options.prompts:
        texts = options.prompts.read_text(encoding="utf-8").splitlines()
        rows = []
        for strategy in evaluated_strategies():
            if not wanted or strategy.name in wanted:
                refused = sum(map(is_refusal, run(model, tokenizer, texts, strategy)))
                rows.append({"strategy": strategy.name, "refused": refused, "count": len(texts)})
                print(rows[-1], flush=True)
    else:
        rows = evaluate_held_out(model, tokenizer, options.count, wanted)
        print(as_markdown(rows))
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
