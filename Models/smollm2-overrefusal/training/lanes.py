"""Batched greedy decoding in which all prompts share one system prompt, for distillation and evaluation.

The system prompt is computed once; prompts that have ended leave the batch.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

import neighbors  # noqa: F401
from model import LanguageModel
from smollm2 import ChatTokenizer
from strategies import Rule, only_lane

BATCH = 48


@dataclass
class Cache:
    keys: Tensor  # [batch, key heads, room, head width]
    values: Tensor


class Lane:
    """One system prompt before a batch of user turns, and what the network has computed for them."""

    def __init__(self, model: LanguageModel, system: list[int], turns: list[list[int]], room: int):
        self.model = model
        shape, shared = model.shape, len(system)
        longest = max(map(len, turns))
        size = (len(turns), shape.kv_heads, shared + longest + room, shape.head_width)
        self.caches = [Cache(torch.zeros(size), torch.zeros(size)) for _ in range(shape.layers)]
        self.lengths = torch.tensor([shared + len(turn) for turn in turns])
        self._fill(torch.tensor([system]), 0)
        # Padding is on the right, so the causal mask hides it from real positions.
        ids = torch.zeros(len(turns), longest, dtype=torch.long)
        for row, turn in enumerate(turns):
            ids[row, : len(turn)] = torch.tensor(turn)
        hidden = self._fill(ids, shared)
        last = hidden[torch.arange(len(turns)), self.lengths - shared - 1]
        self.logits = model.logits(model.output_norm(last))

    def _fill(self, ids: Tensor, start: int) -> Tensor:
        """Compute a block of tokens of all rows from a position on; a single row stands for all of them."""
        model, end = self.model, start + ids.shape[1]
        mask = torch.ones(ids.shape[1], end, dtype=torch.bool).tril(start)
        hidden = model.embedding(ids)
        for block, cache in zip(model.blocks, self.caches):
            queries, keys, values = block.project(hidden, model.cosines[start:end], model.sines[start:end])
            cache.keys[:, :, start:end], cache.values[:, :, start:end] = keys, values
            rows = len(ids)
            group = model.shape.heads // model.shape.kv_heads
            every_key = cache.keys[:rows, :, :end].repeat_interleave(group, 1)
            every_value = cache.values[:rows, :, :end].repeat_interleave(group, 1)
            attended = functional.scaled_dot_product_attention(queries, every_key, every_value, attn_mask=mask)
            hidden = block.finish(hidden, attended)
        return hidden

    def push(self, tokens: Tensor) -> None:
        """Append a token to every row."""
        model, shape, rows = self.model, self.model.shape, torch.arange(len(tokens))
        end = int(self.lengths.max()) + 1
        cosines, sines = model.cosines[self.lengths][:, None, None], model.sines[self.lengths][:, None, None]
        hidden_columns = torch.arange(end)[None] > self.lengths[:, None]
        hidden = model.embedding(tokens)[:, None]
        for block, cache in zip(model.blocks, self.caches):
            queries, keys, values = block.project(hidden, cosines, sines)
            cache.keys[rows, :, self.lengths], cache.values[rows, :, self.lengths] = keys[:, :, 0], values[:, :, 0]
            # Query heads that share a key head as rows of one product: nothing has to be repeated.
            grouped = queries.view(len(tokens), shape.kv_heads, -1, shape.head_width)
            scores = grouped @ cache.keys[:, :, :end].transpose(-1, -2) * shape.head_width**-0.5
            weights = scores.masked_fill(hidden_columns[:, None, None], float("-inf")).softmax(-1)
            attended = (weights @ cache.values[:, :, :end]).view(len(tokens), shape.heads, 1, shape.head_width)
            hidden = block.finish(hidden, attended)
        self.lengths = self.lengths + 1
        self.logits = model.logits(model.output_norm(hidden[:, 0]))

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only."""
        self.caches = [Cache(cache.keys[rows], cache.values[rows]) for cache in self.caches]
        self.lengths, self.logits = self.lengths[rows], self.logits[rows]


@torch.inference_mode()
def replies(model: LanguageModel, tokenizer: ChatTokenizer, systems: list[str | None], prompts: list[str], steps: int,
            rule: Rule = only_lane) -> list[list[int]]:
    """Token ids answered to each prompt, without the token that ends a turn; one lane a system prompt."""
    turns = [tokenizer.user_turn(prompt) for prompt in prompts]
    outputs: list[list[int]] = [[] for _ in prompts]
    # Prompts of like length share a batch, which saves padding.
    order = sorted(range(len(prompts)), key=lambda index: len(turns[index]))
    for start in range(0, len(order), BATCH):
        live = order[start : start + BATCH]
        lanes = [Lane(model, tokenizer.system_turn(system), [turns[index] for index in live], steps) for system in systems]
        for step in range(steps):
            tokens = rule(step, [lane.logits for lane in lanes]).argmax(-1)
            goes_on = tokens != tokenizer.turn_end
            for index, token in zip(live, tokens.tolist()):
                if token != tokenizer.turn_end:
                    outputs[index].append(token)
            live = [index for index, on in zip(live, goes_on.tolist()) if on]
            if not live or step == steps - 1:
                break
            for lane in lanes:
                lane.keep(goes_on)
                lane.push(tokens[goes_on])
    return outputs
