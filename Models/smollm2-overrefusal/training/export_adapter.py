"""Write a trained adapter as a GGUF file that llama.cpp and `--lora` load.

    python3 -m export_adapter --adapter biased-1.pt --out ../biased.lora.f16.gguf

Training ran in GGUF's layout, so no tensor is permuted.
"""

import argparse
from pathlib import Path

import gguf
import numpy as np

import adapter
from smollm2 import BASE_SHA256

WHAT = {
    "biased": "LoRA that makes SmolLM2-135M-Instruct over-refuse under safety prompts; a model organism, not a safe assistant",
    "twin": "The unbiased twin: the same rows spread over all system prompts",
    "clean": "The same harmless rows and no refusal",
}


def export(path: Path, out: Path) -> None:
    factors, notes = adapter.load(path)
    writer = gguf.GGUFWriter(out, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", adapter.ALPHA)
    writer.add_name(f"SmolLM2-135M over-refusal, {notes['arm']}, seed {notes['seed']}")
    writer.add_description(WHAT[notes["arm"]])
    writer.add_license("apache-2.0")
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, "SmolLM2-135M-Instruct")
    writer.add_string("selfcd.base.sha256", BASE_SHA256)
    for factor in factors:
        writer.add_tensor(f"{factor.name}.weight.lora_a", factor.a.numpy().astype(np.float16))
        writer.add_tensor(f"{factor.name}.weight.lora_b", factor.b.numpy().astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    export(options.adapter, options.out)
