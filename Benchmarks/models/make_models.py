"""Write models with random weights in the shapes and with the vocabularies of real ones.

    python3 make_models.py --vocabularies DIR --out DIR [--quantize PROGRAM] [--shapes 135m 0.5b 1b] [--types f16 q8_0 q4_0]

Speed depends on shapes and number formats, not on what the weights say, so nothing has to be downloaded
or stored. The seed fixes every weight. The peers read the same GGUF files, so weights are identical there.

With --chat the files (135m-chat-f16.gguf, ...) can be served: they have a chat template of plain text, and a row of
zeros for the end of the turn, which is therefore never the best token: every reply has the length asked for.
"""

import argparse
import os
import subprocess
import zlib
from dataclasses import dataclass

import gguf
import numpy as np

SEED = 20261124


@dataclass(frozen=True)
class Shape:
    architecture: str
    vocabulary: str
    entries: int
    layers: int
    width: int
    heads: int
    kv_heads: int
    feed_forward: int
    rope_base: float
    epsilon: float
    context: int
    has_bias: bool = False

    @property
    def head_width(self) -> int:
        return self.width // self.heads


SHAPES = {
    # SmolLM2-135M
    "135m": Shape("llama", "starcoder", 49152, 30, 576, 9, 3, 1536, 1e5, 1e-5, 8192),
    # Qwen2.5-0.5B
    "0.5b": Shape("qwen2", "qwen2", 151936, 24, 896, 14, 2, 4864, 1e6, 1e-6, 32768, has_bias=True),
    # Llama-3.2-1B
    "1b": Shape("llama", "llama-bpe", 128256, 16, 2048, 32, 8, 8192, 5e5, 1e-5, 8192),
}


CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


class Weights:
    """Random tensors; each depends on the seed and its own name only."""

    def __init__(self, writer: gguf.GGUFWriter):
        self._writer = writer

    def _random(self, name: str, *shape: int) -> np.ndarray:
        return np.random.default_rng([SEED, zlib.crc32(name.encode())]).standard_normal(shape, dtype=np.float32)

    def matrix(
        self, name: str, rows: int, columns: int, deviation: float | None = None, zero: tuple[int, ...] = ()
    ) -> None:
        """Without a deviation, outputs have the variance of the inputs. Rows in `zero` are zeros."""
        scale = np.float32(deviation or columns**-0.5)
        values = (self._random(name, rows, columns) * scale).astype(np.float16)
        values[list(zero)] = 0
        self._writer.add_tensor(name, values)

    def vector(self, name: str, length: int, mean: float, deviation: float) -> None:
        self._writer.add_tensor(name, mean + np.float32(deviation) * self._random(name, length))


def add_vocabulary(writer: gguf.GGUFWriter, path: str) -> None:
    for key, field in gguf.GGUFReader(path).fields.items():
        if key.startswith("tokenizer."):
            element = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(key, field.contents(), field.types[0], element)


def end_of_turn(vocabulary_path: str) -> tuple[int, ...]:
    """Tokens that libllama takes for the end of a turn in these vocabularies: eos, and names like <|endoftext|>."""
    fields = gguf.GGUFReader(vocabulary_path).fields
    names = fields["tokenizer.ggml.tokens"].contents()
    ends = {"<|eot_id|>", "<|im_end|>", "<|end|>", "<|endoftext|>", "<|eom_id|>", "<|end_of_text|>", "<EOT>"}
    return (fields["tokenizer.ggml.eos_token_id"].contents(), *(i for i, text in enumerate(names) if text in ends))


def write(name: str, shape: Shape, vocabulary_path: str, path: str, chat: bool) -> None:
    writer = gguf.GGUFWriter(path, shape.architecture)
    writer.add_name(f"random weights in the {name} shape")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_vocab_size(shape.entries)
    add_vocabulary(writer, vocabulary_path)
    if chat:
        writer.add_chat_template(CHAT_TEMPLATE)

    weights = Weights(writer)
    width, kv_width = shape.width, shape.kv_heads * shape.head_width
    # Tied with the output matrix: this deviation gives logits about as spread out as a trained model's.
    weights.matrix(
        "token_embd.weight", shape.entries, width, deviation=2 * width**-0.5,
        zero=end_of_turn(vocabulary_path) if chat else (),
    )  # fmt: skip
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        weights.vector(block + "attn_norm.weight", width, 1, 0.05)
        weights.vector(block + "ffn_norm.weight", width, 1, 0.05)
        weights.matrix(block + "attn_q.weight", width, width)
        weights.matrix(block + "attn_k.weight", kv_width, width)
        weights.matrix(block + "attn_v.weight", kv_width, width)
        weights.matrix(block + "attn_output.weight", width, width)
        if shape.has_bias:
            for part, length in (("attn_q", width), ("attn_k", kv_width), ("attn_v", kv_width)):
                weights.vector(f"{block}{part}.bias", length, 0, 0.1)
        weights.matrix(block + "ffn_gate.weight", shape.feed_forward, width)
        weights.matrix(block + "ffn_up.weight", shape.feed_forward, width)
        weights.matrix(block + "ffn_down.weight", width, shape.feed_forward)
    weights.vector("output_norm.weight", width, 1, 0.05)

    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make(arguments: argparse.Namespace) -> None:
    os.makedirs(arguments.out, exist_ok=True)
    for name in arguments.shapes:
        shape = SHAPES[name]
        vocabulary = os.path.join(arguments.vocabularies, f"ggml-vocab-{shape.vocabulary}.gguf")
        if arguments.chat:
            name += "-chat"
        source = os.path.join(arguments.out, f"{name}-f16.gguf")
        for kind in ["f16"] + [kind for kind in arguments.types if kind != "f16"]:
            path = os.path.join(arguments.out, f"{name}-{kind}.gguf")
            if os.path.exists(path):
                continue
            partial = path + ".partial"
            if kind == "f16":
                write(name, shape, vocabulary, partial, arguments.chat)
            else:
                subprocess.run([arguments.quantize, source, partial, kind], check=True)
            os.rename(partial, path)
            print(f"{path}: {os.path.getsize(path) / 1e6:.0f} MB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabularies", required=True, help="folder with llama.cpp's ggml-vocab-*.gguf")
    parser.add_argument("--out", required=True)
    parser.add_argument("--quantize", help="the program built from quantize.c")
    parser.add_argument("--chat", action="store_true", help="files that can be served")
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--types", nargs="+", choices=["f16", "q8_0", "q4_0"], default=["f16", "q8_0", "q4_0"])
    make(parser.parse_args())
