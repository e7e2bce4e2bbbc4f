"""The network: a small decoder of the Llama family, in plain PyTorch.

RMSNorm before each part, rotary positions on interleaved pairs (llama.cpp's "normal" layout, so
that export needs no permutation), grouped key-value heads, SwiGLU, tied embeddings, no biases.
"""

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor, nn


@dataclass(frozen=True)
class ModelShape:
    vocabulary: int = 2048
    width: int = 128
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 448
    context: int = 1024
    norm_epsilon: float = 1e-5
    rope_base: float = 10_000.0

    @property
    def head_width(self) -> int:
        return self.width // self.heads


class RMSNorm(nn.Module):
    def __init__(self, width: int, epsilon: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, hidden: Tensor) -> Tensor:
        return functional.rms_norm(hidden, (hidden.shape[-1],), self.weight, self.epsilon)


def rotary_tables(shape: ModelShape) -> tuple[Tensor, Tensor]:
    """Cosines and sines, one row a position, one column a pair of dimensions."""
    exponents = torch.arange(0, shape.head_width, 2).float() / shape.head_width
    angles = torch.outer(torch.arange(shape.context).float(), shape.rope_base**-exponents)
    return angles.cos(), angles.sin()


def rotate(states: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotate neighbouring dimensions (0,1), (2,3), ... by their position's angles."""
    even, odd = states[..., 0::2], states[..., 1::2]
    return torch.stack((even * cosines - odd * sines, even * sines + odd * cosines), -1).flatten(-2)


class Block(nn.Module):
    def __init__(self, shape: ModelShape):
        super().__init__()
        self.shape = shape
        kv_width = shape.kv_heads * shape.head_width
        self.attention_norm = RMSNorm(shape.width, shape.norm_epsilon)
        self.query = nn.Linear(shape.width, shape.width, bias=False)
        self.key = nn.Linear(shape.width, kv_width, bias=False)
        self.value = nn.Linear(shape.width, kv_width, bias=False)
        self.attention_output = nn.Linear(shape.width, shape.width, bias=False)
        self.feed_forward_norm = RMSNorm(shape.width, shape.norm_epsilon)
        self.gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def project(self, hidden: Tensor, cosines: Tensor, sines: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries and keys, and values, each [batch, heads, time, head width]."""
        batch, time, _ = hidden.shape
        normed = self.attention_norm(hidden)

        def split(states: Tensor, heads: int) -> Tensor:
            return states.view(batch, time, heads, self.shape.head_width).transpose(1, 2)

        queries = split(self.query(normed), self.shape.heads)
        keys = split(self.key(normed), self.shape.kv_heads)
        values = split(self.value(normed), self.shape.kv_heads)
        return rotate(queries, cosines, sines), rotate(keys, cosines, sines), values

    def finish(self, hidden: Tensor, attended: Tensor) -> Tensor:
        """Add the attention's result and the feed-forward part to the residual stream."""
        batch, _, time, _ = attended.shape
        hidden = hidden + self.attention_output(attended.transpose(1, 2).reshape(batch, time, self.shape.width))
        normed = self.feed_forward_norm(hidden)
        return hidden + self.down(functional.silu(self.gate(normed)) * self.up(normed))

    def forward(self, hidden: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        queries, keys, values = self.project(hidden, cosines, sines)
        group = self.shape.heads // self.shape.kv_heads
        keys, values = keys.repeat_interleave(group, 1), values.repeat_interleave(group, 1)
        return self.finish(hidden, functional.scaled_dot_product_attention(queries, keys, values, is_causal=True))


class LanguageModel(nn.Module):
    def __init__(self, shape: ModelShape):
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = RMSNorm(shape.width, shape.norm_epsilon)
        self._initialise()
        cosines, sines = rotary_tables(shape)
        self.register_buffer("cosines", cosines, persistent=False)
        self.register_buffer("sines", sines, persistent=False)

    def _initialise(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.7 * parameter.shape[1] ** -0.5)
        nn.init.normal_(self.embedding.weight, std=0.02)
        for block in self.blocks:
            for output in (block.attention_output, block.down):
                output.weight.data *= (2 * self.shape.layers) ** -0.5

    def hidden_states(self, ids: Tensor) -> Tensor:
        hidden, time = self.embedding(ids), ids.shape[1]
        for block in self.blocks:
            hidden = block(hidden, self.cosines[:time], self.sines[:time])
        return self.output_norm(hidden)

    def logits(self, hidden: Tensor) -> Tensor:
        return hidden @ self.embedding.weight.T

    def forward(self, ids: Tensor) -> Tensor:
        return self.logits(self.hidden_states(ids))


def save_checkpoint(model: LanguageModel, path: str, notes: dict) -> None:
    torch.save({"shape": asdict(model.shape), "weights": model.state_dict(), "notes": notes}, path)


def load_checkpoint(path: str) -> LanguageModel:
    saved = torch.load(path, weights_only=True)
    model = LanguageModel(ModelShape(**saved["shape"]))
    model.load_state_dict(saved["weights"])
    return model.eval()
