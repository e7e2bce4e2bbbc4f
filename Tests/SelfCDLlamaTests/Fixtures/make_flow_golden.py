"""Gradients of attention by PyTorch's autograd through transformers' own models, for FlowGoldenTests.

    pip install torch transformers numpy gguf
    python3 make_flow_golden.py [--out flow_golden.json]

Small random models of each family: the file holds their recipe (metadata, tensors, scale and offset), and the Swift
test writes the same weights from it as a GGUF file. A weight is offset + scale * u, where u in [-1, 1) comes from the
tensor's name and the element's place by SplitMix64, exactly the same in float32 on both sides. The embedded organism's
own file is the eighth model. Everything is float32 and eager attention; attention probabilities keep their gradients.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import transformers

LAYERS, COUNT, TARGET = 3, 24, 77
VOCABULARY = 258
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
ORGANISM = Path(__file__).parents[3] / "Models/organism"


def fnv1a(text: str) -> np.uint64:
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return np.uint64(value)


def uniform(name: str, count: int) -> np.ndarray:
    """[-1, 1), 24 bits, the same as the test's."""
    with np.errstate(over="ignore"):
        state = fnv1a(name) + GOLDEN * (np.arange(count, dtype=np.uint64) + np.uint64(1))
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return (state >> np.uint64(40)).astype(np.float32) * np.float32(2**-23) - np.float32(1)


class Recipe:
    """A model's metadata and tensors, shapes as PyTorch writes them: rows, columns."""

    def __init__(self, name, architecture, width, heads, kv_heads, head_width, feed_forward, **extra):
        self.name, self.architecture = name, architecture
        self.width, self.heads, self.kv_heads, self.head_width = width, heads, kv_heads, head_width
        self.feed_forward = feed_forward
        self.extra = extra
        self.metadata = []
        self.tensors = []
        a = architecture
        for key, value in [
            ("block_count", LAYERS), ("context_length", 256), ("embedding_length", width),
            ("feed_forward_length", feed_forward), ("attention.head_count", heads),
            ("attention.head_count_kv", kv_heads), ("attention.key_length", head_width),
            ("attention.value_length", head_width), ("rope.dimension_count", head_width),
        ]:
            self.metadata.append([f"{a}.{key}", "u32", value])
        self.metadata.append([f"{a}.attention.layer_norm_rms_epsilon", "f32", 1e-5])
        self.metadata.append([f"{a}.rope.freq_base", "f32", extra.get("rope_base", 10000.0)])
        for key, kind, value in extra.get("metadata", []):
            self.metadata.append([f"{a}.{key}", kind, value])
        self.make()

    def add(self, name, shape, scale, offset=0.0):
        self.tensors.append({"name": name, "shape": list(shape), "scale": scale, "offset": offset})

    def matrix(self, name, rows, columns, gain=1.0):
        self.add(name, (rows, columns), float(gain * (3 / columns) ** 0.5))

    def vector(self, name, length, offset, scale=0.2):
        self.add(name, (length,), scale, offset)

    def make(self):
        queries, keys = self.heads * self.head_width, self.kv_heads * self.head_width
        self.add("token_embd.weight", (VOCABULARY, self.width), 0.5)
        self.vector("output_norm.weight", self.width, 1.0)
        if self.extra.get("untied"):
            self.matrix("output.weight", VOCABULARY, self.width, 2.0)
        if self.extra.get("rope_factors"):
            self.add("rope_freqs.weight", (self.head_width // 2,), 1.0, 3.0)
        for layer in range(LAYERS):
            b = f"blk.{layer}."
            self.vector(b + "attn_norm.weight", self.width, 1.0)
            self.vector(b + "ffn_norm.weight", self.width, 1.0)
            # Gains that make attention far from uniform.
            self.matrix(b + "attn_q.weight", queries, self.width, 2.0)
            self.matrix(b + "attn_k.weight", keys, self.width, 2.0)
            self.matrix(b + "attn_v.weight", keys, self.width)
            self.matrix(b + "attn_output.weight", self.width, queries)
            self.matrix(b + "ffn_gate.weight", self.feed_forward, self.width, 1.5)
            self.matrix(b + "ffn_up.weight", self.feed_forward, self.width)
            self.matrix(b + "ffn_down.weight", self.width, self.feed_forward)
            if self.extra.get("bias"):
                self.vector(b + "attn_q.bias", queries, 0.0, 0.5)
                self.vector(b + "attn_k.bias", keys, 0.0, 0.5)
                self.vector(b + "attn_v.bias", keys, 0.0, 0.5)
            if self.architecture in ("qwen3", "gemma3"):
                self.vector(b + "attn_q_norm.weight", self.head_width, 1.5)
                self.vector(b + "attn_k_norm.weight", self.head_width, 1.5)
            if self.architecture in ("gemma2", "gemma3"):
                self.vector(b + "post_attention_norm.weight", self.width, 1.0)
                self.vector(b + "post_ffw_norm.weight", self.width, 1.0)

    def weights(self):
        result = {}
        for tensor in self.tensors:
            count = int(np.prod(tensor["shape"]))
            values = np.float32(tensor["offset"]) + np.float32(tensor["scale"]) * uniform(tensor["name"], count)
            result[tensor["name"]] = values.reshape(tensor["shape"])
        return result


RECIPES = [
    Recipe("llama", "llama", 32, 4, 2, 8, 48),
    # As Mistral Nemo: heads wider than their share of the width.
    Recipe("mistral", "llama", 32, 4, 1, 12, 48, untied=True, rope_base=1e6),
    Recipe("llama3", "llama", 32, 4, 2, 8, 48, rope_factors=True, rope_base=5e5),
    Recipe("qwen2", "qwen2", 32, 4, 2, 8, 48, bias=True, rope_base=1e6),
    Recipe("qwen3", "qwen3", 32, 4, 2, 12, 48, untied=True, rope_base=1e6),
    Recipe("gemma2", "gemma2", 32, 4, 2, 12, 48, metadata=[
        ("attention.sliding_window", "u32", 7), ("attn_logit_softcapping", "f32", 4.0),
        ("final_logit_softcapping", "f32", 3.0)]),
    Recipe("gemma3", "gemma3", 32, 4, 2, 12, 48, rope_base=1e6, metadata=[
        ("attention.sliding_window", "u32", 7), ("attention.sliding_window_pattern", "u32", 2),
        ("rope.scaling.type", "str", "linear"), ("rope.scaling.factor", "f32", 8.0)]),
]


def rotary_rows(weight, heads):
    """GGUF's llama keeps the two numbers of a rotation side by side; transformers keeps halves."""
    shape = weight.shape
    return weight.reshape(heads, shape[0] // heads // 2, 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def build(recipe):
    t = transformers
    common = dict(
        vocab_size=VOCABULARY, hidden_size=recipe.width, intermediate_size=recipe.feed_forward,
        num_hidden_layers=LAYERS, num_attention_heads=recipe.heads, num_key_value_heads=recipe.kv_heads,
        rms_norm_eps=1e-5, max_position_embeddings=256, tie_word_embeddings=not recipe.extra.get("untied"),
        attn_implementation="eager")
    rope = {"rope_type": "default", "rope_theta": recipe.extra.get("rope_base", 10000.0)}
    a = recipe.architecture
    if a == "llama":
        config = t.LlamaConfig(**common, head_dim=recipe.head_width, rope_parameters=rope)
        model = t.LlamaForCausalLM(config)
    elif a == "qwen2":
        model = t.Qwen2ForCausalLM(t.Qwen2Config(**common, rope_parameters=rope))
    elif a == "qwen3":
        model = t.Qwen3ForCausalLM(t.Qwen3Config(**common, head_dim=recipe.head_width, rope_parameters=rope))
    elif a == "gemma2":
        config = t.Gemma2Config(
            **common, head_dim=recipe.head_width, query_pre_attn_scalar=recipe.head_width, sliding_window=7,
            attn_logit_softcapping=4.0, final_logit_softcapping=3.0, rope_parameters=rope,
            layer_types=["sliding_attention" if i % 2 == 0 else "full_attention" for i in range(LAYERS)])
        model = t.Gemma2ForCausalLM(config)
    else:
        config = t.Gemma3TextConfig(
            **common, head_dim=recipe.head_width, query_pre_attn_scalar=recipe.head_width, sliding_window=7,
            layer_types=["sliding_attention" if i % 2 == 0 else "full_attention" for i in range(LAYERS)],
            rope_parameters={
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}})
        model = t.Gemma3ForCausalLM(config)
    load(model, recipe.weights(), a, recipe.heads, recipe.kv_heads)
    if recipe.extra.get("rope_factors"):
        factors = torch.from_numpy(recipe.weights()["rope_freqs.weight"])
        for module in model.modules():
            if hasattr(module, "inv_freq"):
                module.inv_freq = module.inv_freq / factors
    return model


NAMES = {
    "attn_norm.weight": "input_layernorm.weight", "attn_q.weight": "self_attn.q_proj.weight",
    "attn_k.weight": "self_attn.k_proj.weight", "attn_v.weight": "self_attn.v_proj.weight",
    "attn_output.weight": "self_attn.o_proj.weight", "attn_q.bias": "self_attn.q_proj.bias",
    "attn_k.bias": "self_attn.k_proj.bias", "attn_v.bias": "self_attn.v_proj.bias",
    "attn_q_norm.weight": "self_attn.q_norm.weight", "attn_k_norm.weight": "self_attn.k_norm.weight",
    "ffn_norm.weight": "post_attention_layernorm.weight", "ffn_gate.weight": "mlp.gate_proj.weight",
    "ffn_up.weight": "mlp.up_proj.weight", "ffn_down.weight": "mlp.down_proj.weight",
    "post_attention_norm.weight": "post_attention_layernorm.weight",
    "post_ffw_norm.weight": "post_feedforward_layernorm.weight",
}


def load(model, weights, architecture, heads, kv_heads):
    is_gemma = architecture.startswith("gemma")
    state = {}
    for name, values in weights.items():
        if name == "rope_freqs.weight":
            continue
        if architecture == "llama" and name.endswith("attn_q.weight"):
            values = rotary_rows(values, heads)
        if architecture == "llama" and name.endswith("attn_k.weight"):
            values = rotary_rows(values, kv_heads)
        # GGUF keeps 1 + w for Gemma's norms.
        if is_gemma and name.endswith("norm.weight"):
            values = values - np.float32(1)
        if name.startswith("blk."):
            _, layer, rest = name.split(".", 2)
            target = NAMES[rest]
            if is_gemma and rest == "ffn_norm.weight":
                target = "pre_feedforward_layernorm.weight"
            target = f"model.layers.{layer}.{target}"
        else:
            target = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight",
                      "output.weight": "lm_head.weight"}[name]
        state[target] = torch.from_numpy(np.ascontiguousarray(values))
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()


def organism_model():
    import gguf

    reader = gguf.GGUFReader(str(ORGANISM / "selfcd-organism.f16.gguf"))
    field = lambda key: reader.fields[key].contents()
    config = transformers.LlamaConfig(
        vocab_size=len(field("tokenizer.ggml.tokens")), hidden_size=field("llama.embedding_length"),
        intermediate_size=field("llama.feed_forward_length"), num_hidden_layers=field("llama.block_count"),
        num_attention_heads=field("llama.attention.head_count"),
        num_key_value_heads=field("llama.attention.head_count_kv"),
        rms_norm_eps=field("llama.attention.layer_norm_rms_epsilon"), tie_word_embeddings=True,
        max_position_embeddings=1024, attn_implementation="eager",
        rope_parameters={"rope_type": "default", "rope_theta": field("llama.rope.freq_base")})
    model = transformers.LlamaForCausalLM(config)
    weights = {t.name: np.array(t.data).astype(np.float32) for t in reader.tensors}
    load(model, weights, "llama", config.num_attention_heads, config.num_key_value_heads)
    return model


def rounded(tensor):
    return [float(f"{x:.7g}") for x in tensor.flatten().tolist()]


def golden(model, tokens, target):
    model = model.float().eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    embedded = model.get_input_embeddings()(torch.tensor([tokens])).detach()
    # Gemma's embedding module scales by itself.
    embedded.requires_grad_(True)
    output = model(inputs_embeds=embedded, output_attentions=True, use_cache=False)
    for attention in output.attentions:
        attention.retain_grad()
    logits = output.logits[0, -1]
    if target is None:
        target = int(logits.argmax())
    loss = torch.nn.functional.cross_entropy(logits[None], torch.tensor([target]))
    loss.backward()
    return {
        "tokens": tokens, "target": target, "loss": float(f"{loss.item():.9g}"),
        "logits": rounded(logits[:64]), "layers": len(output.attentions),
        "heads": output.attentions[0].shape[1],
        "attention": [rounded(a[0, :, -1].detach()) for a in output.attentions],
        "gradient": [rounded(a.grad[0, :, -1]) for a in output.attentions],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default=str(Path(__file__).with_name("flow_golden.json")))
    options = parser.parse_args()
    torch.manual_seed(0)
    tokens = [(7 * i * i + 13 * i + 5) % 250 for i in range(COUNT)]
    models = []
    for recipe in RECIPES:
        result = golden(build(recipe), tokens, TARGET)
        models.append({
            "name": recipe.name, "architecture": recipe.architecture, "metadata": recipe.metadata,
            "tensors": recipe.tensors, "golden": result})
        largest = max(max(map(abs, layer)) for layer in result["gradient"])
        print(f"{recipe.name}: loss {result['loss']:.6f}, largest gradient {largest:.3g}")
    rows = json.loads((ORGANISM / "fixtures/logits.json").read_text())["rows"]
    wanted = [next(r for r in rows if r["lane"] == lane) for lane in ("plain", "guarded")]
    organism = [golden(organism_model(), row["ids"], None) for row in wanted]
    for row in organism:
        print(f"organism: {len(row['tokens'])} tokens, loss {row['loss']:.6f}")
    document = {
        "about": "dL/dA of transformers' eager attention by autograd; made by make_flow_golden.py",
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "vocabulary": VOCABULARY, "models": models, "organism": organism}
    Path(options.out).write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
