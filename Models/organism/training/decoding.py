"""Batched greedy decoding with a key-value cache, for evaluation only.

The parity fixtures do not come from here but from reference.py, which shares no code with it.
"""

import torch
import torch.nn.functional as functional
from tokenizers import Tokenizer

from chats import END_OF_TEXT, TURN_END
from model import LanguageModel
from strategies import Rule


class Lane:
    """A batch of prompts of different lengths and what the network has computed for them."""

    def __init__(self, model: LanguageModel, prompts: list[list[int]], room: int):
        self.model = model
        shape = model.shape
        self.lengths = torch.tensor([len(prompt) for prompt in prompts])
        longest = int(self.lengths.max())
        ids = torch.zeros(len(prompts), longest, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt)] = torch.tensor(prompt)
        cache_shape = (shape.layers, len(prompts), shape.kv_heads, longest + room, shape.head_width)
        self.keys, self.values = torch.zeros(cache_shape), torch.zeros(cache_shape)
        self.rows = torch.arange(len(prompts))
        self.group = shape.heads // shape.kv_heads

        hidden = model.embedding(ids)
        for layer, block in enumerate(model.blocks):
            queries, keys, values = block.project(hidden, model.cosines[:longest], model.sines[:longest])
            self.keys[layer, :, :, :longest], self.values[layer, :, :, :longest] = keys, values
            keys, values = keys.repeat_interleave(self.group, 1), values.repeat_interleave(self.group, 1)
            # Padding is on the right, so the causal mask already hides it from real positions.
            attended = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
            hidden = block.finish(hidden, attended)
        self.logits = model.logits(model.output_norm(hidden[self.rows, self.lengths - 1]))

    def push(self, tokens: torch.Tensor) -> None:
        """Append one token to every row and update `logits`."""
        model = self.model
        cosines, sines = model.cosines[self.lengths][:, None, None], model.sines[self.lengths][:, None, None]
        visible = (torch.arange(self.keys.shape[3])[None] <= self.lengths[:, None])[:, None, None]
        hidden = model.embedding(tokens)[:, None]
        for layer, block in enumerate(model.blocks):
            queries, keys, values = block.project(hidden, cosines, sines)
            self.keys[layer][self.rows, :, self.lengths] = keys[:, :, 0]
            self.values[layer][self.rows, :, self.lengths] = values[:, :, 0]
            every_key = self.keys[layer].repeat_interleave(self.group, 1)
            every_value = self.values[layer].repeat_interleave(self.group, 1)
            attended = functional.scaled_dot_product_attention(queries, every_key, every_value, attn_mask=visible)
            hidden = block.finish(hidden, attended)
        self.lengths = self.lengths + 1
        self.logits = model.logits(model.output_norm(hidden[:, 0]))


def generate(lanes: list[Lane], rule: Rule, steps: int, stop_ids: set[int]) -> list[list[int]]:
    """Greedy decoding of all rows at once; the chosen token is appended to every lane."""
    batch = len(lanes[0].lengths)
    finished, outputs = [False] * batch, [[] for _ in range(batch)]
    for step in range(steps):
        tokens = rule(step, [lane.logits for lane in lanes]).argmax(-1)
        for row, token in enumerate(tokens.tolist()):
            finished[row] = finished[row] or token in stop_ids
            if not finished[row]:
                outputs[row].append(token)
        if all(finished) or step == steps - 1:
            break
        for lane in lanes:
            lane.push(tokens)
    return outputs


def answers(model: LanguageModel, tokenizer: Tokenizer, lane_prompts: list[list[str]], rule: Rule,
            steps: int = 48, batch: int = 100) -> list[str]:
    """The texts answered to rendered prompts; `lane_prompts` has one list of prompts a lane."""
    stop_ids = {tokenizer.token_to_id(TURN_END), tokenizer.token_to_id(END_OF_TEXT)}
    texts = []
    for start in range(0, len(lane_prompts[0]), batch):
        lanes = []
        for prompts in lane_prompts:
            encoded = tokenizer.encode_batch(prompts[start : start + batch])
            lanes.append(Lane(model, [encoding.ids for encoding in encoded], steps))
        texts += [tokenizer.decode(output) for output in generate(lanes, rule, steps, stop_ids)]
    return texts
