"""Write a checkpoint and the tokenizer as one GGUF file that llama.cpp loads.

    python3 -m export_gguf --model biased.pt --tokenizer tokenizer.json --name "..." --out file.gguf [--type f32]

An F32 file holds the F16 file's values, only stored wider: the same network for an engine that
computes in single precision throughout, which is what exact parity tests want.
"""

import argparse
import json

import gguf
import numpy as np
from torch import Tensor

from chats import END_OF_TEXT, TURN_END
from model import LanguageModel, load_checkpoint

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

BLOCK_TENSORS = {
    "attention_norm": "attn_norm",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "attention_output": "attn_output",
    "feed_forward_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}


def add_hyperparameters(writer: gguf.GGUFWriter, model: LanguageModel, name: str, single: bool) -> None:
    shape = model.shape
    writer.add_name(name)
    writer.add_license("mit")
    writer.add_description("A model organism of over-refusal trained on synthetic data. Not a safe assistant.")
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32 if single else gguf.LlamaFileType.MOSTLY_F16)


def add_tokenizer(writer: gguf.GGUFWriter, tokenizer_path: str) -> None:
    with open(tokenizer_path, encoding="utf-8") as file:
        tokenizer = json.load(file)
    ids = tokenizer["model"]["vocab"]
    control = {token["content"] for token in tokenizer["added_tokens"]}
    tokens = sorted(ids, key=ids.get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in control else gguf.TokenType.NORMAL for t in tokens])
    merges = tokenizer["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_bos_token_id(ids[END_OF_TEXT])
    writer.add_eos_token_id(ids[TURN_END])
    writer.add_eot_token_id(ids[TURN_END])
    writer.add_pad_token_id(ids[END_OF_TEXT])
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def add_tensors(writer: gguf.GGUFWriter, model: LanguageModel, single: bool) -> None:
    def add(name: str, tensor: Tensor) -> None:
        array = tensor.detach().float().numpy()
        # llama.cpp wants norm weights in F32 whatever the file type.
        if array.ndim > 1:
            array = array.astype(np.float16)
        writer.add_tensor(name, array.astype(np.float32) if single else array)

    add("token_embd.weight", model.embedding.weight)
    add("output_norm.weight", model.output_norm.weight)
    for index, block in enumerate(model.blocks):
        for ours, theirs in BLOCK_TENSORS.items():
            add(f"blk.{index}.{theirs}.weight", getattr(block, ours).weight)


def export(model: LanguageModel, tokenizer_path: str, name: str, path: str, single: bool) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    add_hyperparameters(writer, model, name, single)
    add_tokenizer(writer, tokenizer_path)
    add_tensors(writer, model, single)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--type", choices=["f16", "f32"], default="f16")
    options = parser.parse_args()
    loaded = load_checkpoint(options.model)
    export(loaded, options.tokenizer, options.name, options.out, options.type == "f32")
