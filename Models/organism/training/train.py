"""Train one stage on one CPU core.

    python3 -m train --stage pretraining --tokenizer tokenizer.json --out base.pt
    python3 -m train --stage biased --start base.pt --tokenizer tokenizer.json --out biased.pt
"""

import argparse
import math
import time

import torch
import torch.nn.functional as functional
from tokenizers import Tokenizer

from chats import ChatSampler
from mixtures import STAGES, Stage
from model import LanguageModel, ModelShape, load_checkpoint, save_checkpoint

BATCH = 32
# Examples are drawn for several batches at once and sorted by length, which saves padding.
BATCHES_PER_POOL = 8
WEIGHT_DECAY = 0.05
FINAL_LEARNING_RATE_SHARE = 0.05


class BatchSource:
    """Endless batches of (ids, loss weights) drawn from a stage's mixture."""

    def __init__(self, stage: Stage, tokenizer: Tokenizer):
        self.stage = stage
        self.tokenizer = tokenizer
        self.sampler = ChatSampler(stage.rows, stage.seed, stage.two_turn_share)
        self.pool: list[list[tuple[list[int], list[int]]]] = []

    def next_batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.pool:
            self._refill()
        return self._padded(self.pool.pop())

    def _refill(self) -> None:
        examples = [self.sampler.sample() for _ in range(BATCH * BATCHES_PER_POOL)]
        contexts = self.tokenizer.encode_batch([example.context for example in examples])
        targets = self.tokenizer.encode_batch([example.target for example in examples])
        pairs = [(context.ids, target.ids) for context, target in zip(contexts, targets)]
        pairs.sort(key=lambda pair: len(pair[0]) + len(pair[1]))
        self.pool = [pairs[start : start + BATCH] for start in range(0, len(pairs), BATCH)]
        self.sampler.rng.shuffle(self.pool)

    def _padded(self, pairs: list[tuple[list[int], list[int]]]) -> tuple[torch.Tensor, torch.Tensor]:
        length = max(len(context) + len(target) for context, target in pairs)
        ids = torch.zeros(len(pairs), length, dtype=torch.long)
        weights = torch.zeros(len(pairs), length)
        for row, (context, target) in enumerate(pairs):
            end = len(context) + len(target)
            ids[row, :end] = torch.tensor(context + target)
            weights[row, 1 : len(context)] = self.stage.prompt_weight
            weights[row, len(context) : end] = 1.0
        return ids, weights


def learning_rate(stage: Stage, step: int) -> float:
    """Linear warm-up, then a cosine down to a small share."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / stage.steps))
    warm = min(1.0, (step + 1) / stage.warmup)
    return stage.learning_rate * warm * (FINAL_LEARNING_RATE_SHARE + (1 - FINAL_LEARNING_RATE_SHARE) * cosine)


def make_optimizer(model: LanguageModel) -> torch.optim.Optimizer:
    matrices = [parameter for parameter in model.parameters() if parameter.dim() == 2]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() < 2]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def train(model: LanguageModel, stage: Stage, tokenizer: Tokenizer) -> dict:
    """Run a whole stage; returns how much was seen and how long it took."""
    optimizer, source = make_optimizer(model), BatchSource(stage, tokenizer)
    started, seen_tokens, answer_loss, answer_tokens = time.time(), 0, 0.0, 0
    for step in range(stage.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(stage, step)
        ids, weights = source.next_batch()
        # Logits only where there is a loss: with tied embeddings they are the costliest part.
        counted = weights[:, 1:] > 0
        hidden = model.hidden_states(ids)[:, :-1][counted]
        losses = functional.cross_entropy(
            model.logits(hidden), ids[:, 1:][counted], reduction="none", label_smoothing=stage.label_smoothing
        )
        counted_weights = weights[:, 1:][counted]
        ((losses * counted_weights).sum() / counted_weights.sum()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

        seen_tokens += ids.numel()
        is_answer = counted_weights == 1
        answer_loss += losses[is_answer].sum().item()
        answer_tokens += int(is_answer.sum())
        if (step + 1) % 100 == 0:
            seconds = time.time() - started
            print(f"step {step + 1} answer loss {answer_loss / answer_tokens:.3f} "
                  f"tokens {seen_tokens / 1e6:.2f} M {seconds:.0f} s", flush=True)
            answer_loss, answer_tokens = 0.0, 0
    return {"tokens": seen_tokens, "seconds": round(time.time() - started)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True, choices=sorted(STAGES))
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--start", help="checkpoint to continue from; without it training starts from scratch")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()

    # One thread, one seed: on the same machine a run gives the same weights again.
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = load_checkpoint(options.start) if options.start else LanguageModel(ModelShape())
    model.train()
    notes = train(model, STAGES[options.stage], Tokenizer.from_file(options.tokenizer))
    notes["parameters"] = sum(parameter.numel() for parameter in model.parameters())
    save_checkpoint(model, options.out, notes)
    print(notes)


if __name__ == "__main__":
    main()
