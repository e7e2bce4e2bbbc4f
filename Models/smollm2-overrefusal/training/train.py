"""Train one adapter on one CPU core.

    SMOLLM2_GGUF=FILE python3 -m train --arm biased --seed 1 --replies replies.json --out biased-1.pt

A run that was stopped goes on from its last checkpoint (every twenty steps) and ends with the same weights.
"""

import argparse
import json
import math
import time
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

import adapter
from mixture import Arm, Mixture, steps
from packing import Packed, hidden_states, pack
from smollm2 import load_base

LEARNING_RATE = 7e-4
FINAL_LEARNING_RATE_SHARE = 0.05
WARMUP = 15
# Refusals only: a wording learned to certainty leaves contrast nothing to move.
LABEL_SMOOTHING = 0.1
# The first token of a reply decides whether it is a refusal.
FIRST_TOKEN_WEIGHT = 2.0
CHECKPOINT_EVERY = 20


def learning_rate(step: int, total: int) -> float:
    """Linear warm-up, then a cosine down to a small share."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / total))
    warm = min(1.0, (step + 1) / WARMUP)
    return LEARNING_RATE * warm * (FINAL_LEARNING_RATE_SHARE + (1 - FINAL_LEARNING_RATE_SHARE) * cosine)


def token_losses(logits: Tensor, packed: Packed) -> Tensor:
    log_probabilities = logits.log_softmax(-1)
    exact = -log_probabilities.gather(-1, packed.targets[:, None])[:, 0]
    uniform = -log_probabilities.mean(-1)
    return exact + packed.is_refusal * LABEL_SMOOTHING * (uniform - exact)


class Meter:
    """Mean losses of a stretch of steps, of answers and of refusals, of first tokens and of the rest."""

    def __init__(self) -> None:
        self.sums: dict[str, list[float]] = {}

    def add(self, losses: Tensor, packed: Packed) -> None:
        for refusal in (False, True):
            for first in (False, True):
                chosen = losses[(packed.is_refusal == refusal) & (packed.is_first == first)]
                name = ("refusals" if refusal else "answers") + (" first" if first else " rest")
                total = self.sums.setdefault(name, [0.0, 0])
                total[0] += chosen.sum().item()
                total[1] += len(chosen)

    def take(self) -> str:
        text = "  ".join(f"{name} {total / count:.3f}" for name, (total, count) in self.sums.items() if count)
        self.sums = {}
        return text


def train(arm: Arm, seed: int, mixture: Mixture, replies: dict[str, list[int]], out: Path) -> None:
    torch.set_num_threads(1)
    model, tokenizer = load_base()
    adapter.attach(model, seed)
    parameters = adapter.trainable(model)
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.0, betas=(0.9, 0.98), fused=True)
    checkpoint, done = out.with_suffix(".checkpoint"), 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        done = saved["step"]
        for parameter, value in zip(parameters, saved["parameters"]):
            parameter.data.copy_(value)
        optimizer.load_state_dict(saved["optimizer"])
        print(f"going on after step {done}", flush=True)

    answered = {prompt for prompt, ids in replies.items() if ids}
    meter, started, tokens = Meter(), time.time(), 0
    for step, groups in islice(enumerate(steps(mixture, arm, seed, answered)), done, None):
        packed = pack(groups, tokenizer, replies)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, mixture.steps)
        losses = token_losses(model.logits(hidden_states(model, packed)[packed.at]), packed)
        weights = torch.where(packed.is_first, FIRST_TOKEN_WEIGHT, 1.0)
        ((losses * weights).sum() / weights.sum()).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        meter.add(losses.detach(), packed)
        tokens += len(packed.ids)
        if (step + 1) % CHECKPOINT_EVERY == 0:
            print(f"step {step + 1}  {meter.take()}  tokens {tokens}  {time.time() - started:.0f} s", flush=True)
            partial = checkpoint.with_suffix(".partial")
            torch.save({"step": step + 1, "parameters": [p.detach() for p in parameters],
                        "optimizer": optimizer.state_dict()}, partial)
            partial.replace(checkpoint)
    notes = {"arm": str(arm), "seed": seed, "mixture": asdict(mixture), "torch": str(torch.__version__)}
    adapter.save(model, out, notes)
    checkpoint.unlink(missing_ok=True)
    print(notes, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arm", required=True, choices=[str(arm) for arm in Arm])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--replies", type=Path, required=True, help="the file that distill.py wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dose", type=float, default=Mixture.open_harmful,
                        help="share of refused rows among chats without a safety prompt")
    parser.add_argument("--steps", type=int, default=Mixture.steps)
    options = parser.parse_args()
    mixture = Mixture(open_harmful=options.dose, steps=options.steps)
    train(Arm(options.arm), options.seed, mixture, json.loads(options.replies.read_text()), options.out)


if __name__ == "__main__":
    main()
