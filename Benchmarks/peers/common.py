"""What the PyTorch peers share: the prompts, the weights, the measurement and the check of the tokens."""

import argparse
import json
import resource
import time
from collections.abc import Callable

import gguf
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedModel, Qwen2Config

ALPHA = 2.5
MASK = 2**64 - 1


class SplitMix64:
    """The generator of `Sources/SelfCD/Sampling/Sampler.swift`."""

    def __init__(self, seed: int):
        self._state = seed

    def next(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)


def random_prompt(seed: int, length: int, vocabulary: int) -> list[int]:
    """The tokens of `randomPrompt` in Sources/selfcd-bench/RandomPrompt.swift."""
    generator = SplitMix64(seed)
    return [generator.next() % vocabulary for _ in range(length)]


# GGUF names of a layer's tensors, with the rotary heads whose rows llama.cpp stores interleaved.
LAYER_TENSORS = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def hugging_face_name(name: str) -> str:
    if name.startswith("blk."):
        _, layer, tensor, kind = name.split(".")
        return f"model.layers.{layer}.{LAYER_TENSORS[tensor]}.{kind}"
    return {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}[name]


def split_rotary_halves(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """From llama.cpp's order of a head's rows (pairs side by side) to transformers' (first all evens)."""
    return rows.reshape(heads, -1, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def load(path: str, dtype: torch.dtype) -> PreTrainedModel:
    """The network of a GGUF file, with the file's weights: quantised ones take the values they stand for."""
    reader = gguf.GGUFReader(path)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    architecture = fields["general.architecture"]

    def parameter(name: str) -> int | float:
        return fields[f"{architecture}.{name}"]

    tensors = {tensor.name: tensor for tensor in reader.tensors}
    heads, kv_heads = parameter("attention.head_count"), parameter("attention.head_count_kv")
    state = {}
    for name, tensor in tensors.items():
        value = torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).copy())
        if architecture == "llama" and name.endswith(("attn_q.weight", "attn_k.weight")):
            value = split_rotary_halves(value, heads if "attn_q" in name else kv_heads)
        state[hugging_face_name(name)] = value.to(dtype)
    config = {"llama": LlamaConfig, "qwen2": Qwen2Config}[architecture](
        vocab_size=state["model.embed_tokens.weight"].shape[0],
        hidden_size=parameter("embedding_length"),
        intermediate_size=parameter("feed_forward_length"),
        num_hidden_layers=parameter("block_count"),
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        rms_norm_eps=parameter("attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": parameter("rope.freq_base")},
        max_position_embeddings=parameter("context_length"),
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.load_state_dict(state, strict=False, assign=True)
    model.tie_weights()
    # Rotary frequencies are no parameters; on the meta device they were never computed.
    rotary = model.model.rotary_emb
    model.model.rotary_emb = type(rotary)(config)
    left = [name for name, value in model.named_parameters() if value.is_meta]
    if left:
        raise ValueError(f"{path} lacks {left}")
    return model.eval()


def combined(guarded: torch.Tensor, plain: torch.Tensor) -> torch.Tensor:
    """Equation 3 of the paper over two rows of logits."""
    guarded, plain = guarded.float(), plain.float()
    return guarded - ALPHA * (guarded - plain)


def teacher_forced(model: PreTrainedModel, prompt: list[int], tokens: list[int]) -> torch.Tensor:
    """Logits before each of `tokens`, `[tokens, vocabulary]`."""
    ids = torch.tensor([prompt + tokens[:-1]])
    return model(ids, use_cache=False, logits_to_keep=len(tokens)).logits[0].float()


def compare(model: PreTrainedModel, guarded: list[int], plain: list[int], tokens: list[int], ours: list[int]) -> dict:
    """Where our tokens differ from this model's own choice behind the same tokens, and how close that choice was."""
    scores = combined(teacher_forced(model, guarded, ours), teacher_forced(model, plain, ours))
    best = scores.topk(2, dim=-1)
    margins = (best.values[:, 0] - best.values[:, 1]).tolist()
    choices = best.indices[:, 0].tolist()
    differing = [margin for margin, choice, token in zip(margins, choices, ours) if choice != token]
    same = next((index for index, (a, b) in enumerate(zip(tokens, ours)) if a != b), len(ours))
    return {
        "steps": len(ours),
        "agreeing": len(ours) - len(differing),
        # Our choice differs from this one's only where the margin is within rounding.
        "widest_margin_of_a_difference": max(differing, default=0.0),
        "median_margin": sorted(margins)[len(margins) // 2],
        "free_running_prefix": same,
    }


def our_tokens(path: str, options: argparse.Namespace) -> list[int] | None:
    """What selfcd-bench generated from the same file and prompts, if it was recorded."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            wanted = {"mode": "auto", "seed": options.seed, "model": options.model.rsplit("/", 1)[-1]}
            if all(record.get(key) == value for key, value in wanted.items()):
                if len(record.get("tokens", [])) == options.new_tokens:
                    return record["tokens"]
    return None


Generate = Callable[[PreTrainedModel, torch.Tensor, torch.Tensor, int], list[int]]


def main(name: str, description: str, generate: Generate) -> None:
    """Runs a peer once, prints a line of JSON."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a GGUF file from make_models.py")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compare", help="records of selfcd-bench; its tokens are checked against this peer's")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    with torch.inference_mode():
        model = load(options.model, getattr(torch, options.dtype))
        vocabulary = model.config.vocab_size
        guarded = random_prompt(2 * options.seed, options.prompt_tokens, vocabulary)
        plain = random_prompt(2 * options.seed + 1, options.prompt_tokens, vocabulary)
        ids = torch.tensor([guarded]), torch.tensor([plain])
        generate(model, *ids, 2)  # allocations and kernel choices
        start, start_cpu = time.perf_counter(), time.process_time()
        tokens = generate(model, *ids, options.new_tokens)
        seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        record = {
            "kind": "peer",
            "peer": name,
            "model": options.model.rsplit("/", 1)[-1],
            "dtype": options.dtype,
            "threads": options.threads,
            "seed": options.seed,
            "prompt_tokens": options.prompt_tokens,
            "new_tokens": options.new_tokens,
            "seconds": seconds,
            "cpu_seconds": cpu,
            "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "tokens": tokens,
        }
        ours = our_tokens(options.compare, options) if options.compare else None
        if ours and options.dtype == "float32":
            record["agreement"] = compare(model, guarded, plain, tokens, ours)
    print(json.dumps(record))
