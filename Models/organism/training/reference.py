"""An independent reference: plain recomputation of a GGUF file's network, without any cache.

Nothing here is shared with the training or evaluation code. Weights, tokenizer and chat template
come from the GGUF file alone, weights are widened to float32 exactly, every step runs the whole
sequence again, and the decoding rules are written out from their published formulas. What the
product computes with caches and batches has to agree with this.
"""

import math
from dataclasses import dataclass

import gguf
import jinja2
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers


class ReferenceModel:
    def __init__(self, path: str):
        reader = gguf.GGUFReader(path)
        self.fields = {name: field.contents() for name, field in reader.fields.items()}
        self.weights = {t.name: torch.from_numpy(t.data.astype("float32")) for t in reader.tensors}
        self.layers = self.fields["llama.block_count"]
        self.heads = self.fields["llama.attention.head_count"]
        self.kv_heads = self.fields["llama.attention.head_count_kv"]
        self.epsilon = self.fields["llama.attention.layer_norm_rms_epsilon"]
        self.rope_base = self.fields["llama.rope.freq_base"]
        self.head_width = self.fields["llama.rope.dimension_count"]
        self.stop_ids = {self.fields["tokenizer.ggml.eos_token_id"], self.fields["tokenizer.ggml.bos_token_id"]}
        self.tokenizer = self._build_tokenizer()
        environment = jinja2.Environment(keep_trailing_newline=True)
        self.template = environment.from_string(self.fields["tokenizer.chat_template"])
        self._known: dict[tuple[int, ...], torch.Tensor] = {}

    def _build_tokenizer(self) -> Tokenizer:
        tokens = self.fields["tokenizer.ggml.tokens"]
        types = self.fields["tokenizer.ggml.token_type"]
        merges = [tuple(merge.split(" ")) for merge in self.fields["tokenizer.ggml.merges"]]
        tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        tokenizer.decoder = decoders.ByteLevel()
        control = [token for token, kind in zip(tokens, types) if kind == gguf.TokenType.CONTROL]
        tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in control])
        return tokenizer

    def render(self, messages: list[dict[str, str]]) -> str:
        return self.template.render(messages=messages, add_generation_prompt=True)

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode([token for token in ids if token not in self.stop_ids])

    def logits(self, ids: list[int]) -> torch.Tensor:
        """Logits after the last token. Remembered by whole sequence, since strategies share prefixes."""
        key = tuple(ids)
        if key not in self._known:
            self._known[key] = self._compute(torch.tensor(ids))
        return self._known[key]

    def forget(self) -> None:
        self._known.clear()

    def _norm(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        mean_square = (hidden * hidden).mean(-1, keepdim=True)
        return hidden / torch.sqrt(mean_square + self.epsilon) * self.weights[name]

    def _rotate(self, states: torch.Tensor) -> torch.Tensor:
        """[time, heads, head width]: the pair (2i, 2i+1) turns by position * base^(-2i/width)."""
        positions = torch.arange(states.shape[0], dtype=torch.float32)
        pair = torch.arange(self.head_width // 2, dtype=torch.float32)
        angles = (positions[:, None] * self.rope_base ** (-2 * pair / self.head_width))[:, None, :]
        even, odd = states[:, :, 0::2], states[:, :, 1::2]
        result = torch.empty_like(states)
        result[:, :, 0::2] = even * angles.cos() - odd * angles.sin()
        result[:, :, 1::2] = even * angles.sin() + odd * angles.cos()
        return result

    def _attention(self, normed: torch.Tensor, prefix: str) -> torch.Tensor:
        time = normed.shape[0]
        query = self._rotate((normed @ self.weights[prefix + "attn_q.weight"].T).view(time, self.heads, -1))
        key = self._rotate((normed @ self.weights[prefix + "attn_k.weight"].T).view(time, self.kv_heads, -1))
        value = (normed @ self.weights[prefix + "attn_v.weight"].T).view(time, self.kv_heads, -1)
        future = torch.triu(torch.ones(time, time, dtype=torch.bool), diagonal=1)
        heads = []
        for head in range(self.heads):
            shared = head // (self.heads // self.kv_heads)
            scores = query[:, head] @ key[:, shared].T / math.sqrt(self.head_width)
            heads.append(scores.masked_fill(future, float("-inf")).softmax(-1) @ value[:, shared])
        return torch.cat(heads, dim=-1) @ self.weights[prefix + "attn_output.weight"].T

    def _feed_forward(self, normed: torch.Tensor, prefix: str) -> torch.Tensor:
        gate = normed @ self.weights[prefix + "ffn_gate.weight"].T
        up = normed @ self.weights[prefix + "ffn_up.weight"].T
        return (gate * torch.sigmoid(gate) * up) @ self.weights[prefix + "ffn_down.weight"].T

    def _compute(self, ids: torch.Tensor) -> torch.Tensor:
        hidden = self.weights["token_embd.weight"][ids]
        for layer in range(self.layers):
            prefix = f"blk.{layer}."
            hidden = hidden + self._attention(self._norm(hidden, prefix + "attn_norm.weight"), prefix)
            hidden = hidden + self._feed_forward(self._norm(hidden, prefix + "ffn_norm.weight"), prefix)
        return self._norm(hidden[-1], "output_norm.weight") @ self.weights["token_embd.weight"].T


@dataclass(frozen=True)
class Decoding:
    """One decoding rule. `lanes` names prompts; two lanes are always (guarded, plain)."""

    lanes: tuple[str, ...]
    alpha: float | None = None
    beta: float | None = None  # plausibility mask on the plain lane
    first_k: int | None = None  # contrast only the first k steps, then the plain lane alone
    ada: bool = False


def scores(decoding: Decoding, step: int, rows: list[torch.Tensor]) -> torch.Tensor:
    """The combined scores of one step, in double precision from float32 logits."""
    rows = [row.double() for row in rows]
    if len(rows) == 1:
        return rows[0]
    guarded, plain = rows
    if decoding.first_k is not None and step >= decoding.first_k:
        return plain
    p_guarded, p_plain = guarded.softmax(-1), plain.softmax(-1)
    difference = guarded - plain
    sign = -1.0
    if decoding.ada:
        rank = int((plain > plain[guarded.argmax()]).sum())
        agreement = 1 / (rank + 1)
        if agreement >= 0.9 and p_plain.max() >= 0.9 * p_guarded.max():
            sign = 1.0
    combined = guarded + sign * decoding.alpha * difference
    if decoding.beta is not None:
        combined[p_plain < decoding.beta * p_plain.max()] = float("-inf")
    return combined


def decode(model: ReferenceModel, decoding: Decoding, prompts: dict[str, list[int]], steps: int) -> dict:
    """Greedy tokens (with the stop token, if one came) and the top-two margin of every step.

    A margin is None when the plausibility mask left a single token.
    """
    sequences = [list(prompts[lane]) for lane in decoding.lanes]
    tokens, margins = [], []
    for step in range(steps):
        combined = scores(decoding, step, [model.logits(sequence) for sequence in sequences])
        best = int((combined == combined.max()).nonzero()[0])  # ties go to the lowest id
        first, second = combined.topk(2).values.tolist()
        margins.append(None if second == float("-inf") else round(first - second, 5))
        tokens.append(best)
        if best in model.stop_ids:
            break
        for sequence in sequences:
            sequence.append(best)
    return {"tokens": tokens, "margins": margins}
