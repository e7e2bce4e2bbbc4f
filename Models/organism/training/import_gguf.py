"""Read a GGUF file back into the batched PyTorch model.

The card's counts are taken from the shipped files themselves, F16 rounding included.
"""

import torch
from tokenizers import Tokenizer

from export_gguf import BLOCK_TENSORS
from model import LanguageModel, ModelShape
from reference import ReferenceModel


def load_gguf(path: str) -> tuple[LanguageModel, Tokenizer]:
    file = ReferenceModel(path)
    vocabulary, width = file.weights["token_embd.weight"].shape
    shape = ModelShape(
        vocabulary=vocabulary,
        width=width,
        layers=file.layers,
        heads=file.heads,
        kv_heads=file.kv_heads,
        feed_forward=file.fields["llama.feed_forward_length"],
        context=file.fields["llama.context_length"],
        norm_epsilon=file.epsilon,
        rope_base=file.rope_base,
    )
    model = LanguageModel(shape)
    with torch.no_grad():
        model.embedding.weight.copy_(file.weights["token_embd.weight"])
        model.output_norm.weight.copy_(file.weights["output_norm.weight"])
        for index, block in enumerate(model.blocks):
            for ours, theirs in BLOCK_TENSORS.items():
                getattr(block, ours).weight.copy_(file.weights[f"blk.{index}.{theirs}.weight"])
    return model.eval(), file.tokenizer
