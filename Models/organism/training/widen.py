"""Blow the organism up to the shape of a 135 M model without changing its function.

Speed should be measured on a network of realistic size, but correctness is easiest to check on one
whose answers are known. So the narrow weights are embedded into a wide network of zeros:

* RMSNorm now averages over more dimensions, most of them zero; its weights shrink by
  sqrt(narrow / wide) and its epsilon by narrow / wide, which makes it the same function.
* A head gets twice the dimensions. Rotary pair i turns at the frequency of wide pair 2i, so pairs go
  to every second place, and queries grow by sqrt(2) because scores are divided by sqrt(head width).
* A group of two query heads becomes a group of three; the added head is zero.
* Further layers add zero to the residual stream.

    python3 -m widen --model ../selfcd-organism.f16.gguf --out /some/where/wide.f16.gguf --check
"""

import argparse
import math

import gguf
import numpy as np
import torch

from reference import ReferenceModel

WIDTH, LAYERS, HEADS, KV_HEADS, HEAD_WIDTH, FEED_FORWARD = 576, 30, 9, 3, 64, 1536
CHECK_TEXTS = ["How do I kill a Python process?", "Tell me how to rob the bank.", "How can I bake bread at home?"]


class Widener:
    def __init__(self, narrow: ReferenceModel):
        self.narrow = narrow
        self.narrow_width = narrow.weights["output_norm.weight"].shape[0]
        if narrow.head_width * 2 != HEAD_WIDTH or narrow.heads // narrow.kv_heads > HEADS // KV_HEADS:
            raise ValueError("the narrow model's heads do not fit the wide shape")

    def _weights(self, name: str) -> np.ndarray:
        return self.narrow.weights[name].numpy()

    def norm(self, name: str) -> np.ndarray:
        wide = np.zeros(WIDTH, np.float32)
        wide[: self.narrow_width] = self._weights(name) * math.sqrt(self.narrow_width / WIDTH)
        return wide

    def _padded(self, matrix: np.ndarray, rows: int, columns: int) -> np.ndarray:
        wide = np.zeros((rows, columns), np.float32)
        wide[: matrix.shape[0], : matrix.shape[1]] = matrix
        return wide

    def _head_rows(self, heads: int, rotary: bool) -> np.ndarray:
        """For each row of a narrow projection (head by head) its row in the wide projection."""
        narrow_group = heads // self.narrow.kv_heads
        wide_group = HEADS // KV_HEADS if narrow_group > 1 else 1
        rows = []
        for head in range(heads):
            wide_head = head // narrow_group * wide_group + head % narrow_group
            for dimension in range(self.narrow.head_width):
                pair, part = divmod(dimension, 2)
                rows.append(wide_head * HEAD_WIDTH + (4 * pair + part if rotary else dimension))
        return np.array(rows)

    def _projection(self, name: str, heads: int, wide_heads: int, rotary: bool, scale: float = 1.0) -> np.ndarray:
        wide = np.zeros((wide_heads * HEAD_WIDTH, WIDTH), np.float32)
        wide[self._head_rows(heads, rotary), : self.narrow_width] = self._weights(name) * scale
        return wide

    def _attention_output(self, name: str) -> np.ndarray:
        wide = np.zeros((WIDTH, WIDTH), np.float32)
        wide[: self.narrow_width, self._head_rows(self.narrow.heads, False)] = self._weights(name)
        return wide

    def block(self, layer: int) -> dict[str, np.ndarray]:
        """All tensors of one wide layer; layers beyond the narrow model's are zero."""
        prefix = f"blk.{layer}."
        if layer >= self.narrow.layers:
            shapes = {
                "attn_q": (WIDTH, WIDTH), "attn_k": (KV_HEADS * HEAD_WIDTH, WIDTH),
                "attn_v": (KV_HEADS * HEAD_WIDTH, WIDTH), "attn_output": (WIDTH, WIDTH),
                "ffn_gate": (FEED_FORWARD, WIDTH), "ffn_up": (FEED_FORWARD, WIDTH), "ffn_down": (WIDTH, FEED_FORWARD),
            }
            tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
            tensors |= {name: np.ones(WIDTH, np.float32) for name in ("attn_norm", "ffn_norm")}
        else:
            heads, kv_heads = self.narrow.heads, self.narrow.kv_heads
            tensors = {
                "attn_norm": self.norm(prefix + "attn_norm.weight"),
                "ffn_norm": self.norm(prefix + "ffn_norm.weight"),
                "attn_q": self._projection(prefix + "attn_q.weight", heads, HEADS, True, math.sqrt(2)),
                "attn_k": self._projection(prefix + "attn_k.weight", kv_heads, KV_HEADS, True),
                "attn_v": self._projection(prefix + "attn_v.weight", kv_heads, KV_HEADS, False),
                "attn_output": self._attention_output(prefix + "attn_output.weight"),
                "ffn_gate": self._padded(self._weights(prefix + "ffn_gate.weight"), FEED_FORWARD, WIDTH),
                "ffn_up": self._padded(self._weights(prefix + "ffn_up.weight"), FEED_FORWARD, WIDTH),
                "ffn_down": self._padded(self._weights(prefix + "ffn_down.weight"), WIDTH, FEED_FORWARD),
            }
        return {f"{prefix}{name}.weight": tensor for name, tensor in tensors.items()}

    def hyperparameters(self) -> dict[str, int | float]:
        return {
            "llama.embedding_length": WIDTH,
            "llama.block_count": LAYERS,
            "llama.feed_forward_length": FEED_FORWARD,
            "llama.attention.head_count": HEADS,
            "llama.attention.head_count_kv": KV_HEADS,
            "llama.rope.dimension_count": HEAD_WIDTH,
            "llama.attention.layer_norm_rms_epsilon": self.narrow.epsilon * self.narrow_width / WIDTH,
        }

    def embedding(self) -> np.ndarray:
        matrix = self._weights("token_embd.weight")
        return self._padded(matrix, matrix.shape[0], WIDTH)


def write(source: str, target: str, single: bool) -> None:
    widener = Widener(ReferenceModel(source))
    writer = gguf.GGUFWriter(target, "llama")
    changed = widener.hyperparameters()
    changed["general.name"] = widener.narrow.fields["general.name"] + ", widened"
    changed["general.file_type"] = int(gguf.LlamaFileType.ALL_F32 if single else gguf.LlamaFileType.MOSTLY_F16)
    for key, field in gguf.GGUFReader(source).fields.items():
        # The writer adds these itself.
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        element_type = field.types[-1] if len(field.types) > 1 else None
        writer.add_key_value(key, changed.get(key, field.contents()), field.types[0], element_type)

    def add(name: str, tensor: np.ndarray) -> None:
        writer.add_tensor(name, tensor if single or tensor.ndim == 1 else tensor.astype(np.float16))

    add("token_embd.weight", widener.embedding())
    add("output_norm.weight", widener.norm("output_norm.weight"))
    for layer in range(LAYERS):
        for name, tensor in widener.block(layer).items():
            add(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def largest_difference(source: str, target: str) -> float:
    """Largest difference of a final logit between the two files, over a few prompts."""
    narrow, wide = ReferenceModel(source), ReferenceModel(target)
    worst = 0.0
    for text in CHECK_TEXTS:
        ids = narrow.encode(narrow.render([{"role": "user", "content": text}]))
        worst = max(worst, float((narrow.logits(ids) - wide.logits(ids)).abs().max()))
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--type", choices=["f16", "f32"], default="f16")
    parser.add_argument("--check", action="store_true", help="compare the logits with the narrow model's")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    write(options.model, options.out, options.type == "f32")
    if options.check:
        print(f"largest logit difference: {largest_difference(options.model, options.out):.6f}")
