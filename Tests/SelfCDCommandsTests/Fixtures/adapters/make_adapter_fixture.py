"""Write a LoRA adapter and a control vector of the embedded model, of random numbers.

    pip install gguf==0.19.0 numpy && python3 make_adapter_fixture.py

They are there to be loaded and to make a difference, not to be of use.
"""

from pathlib import Path

import gguf
import numpy as np

HERE = Path(__file__).parent
WIDTH, HIDDEN, LAYERS = 128, 448, 4
rng = np.random.default_rng(20261126)


def write(name: str, architecture: str, metadata, tensors: dict[str, np.ndarray]) -> None:
    writer = gguf.GGUFWriter(HERE / name, architecture)
    metadata(writer)
    for tensor, values in tensors.items():
        writer.add_tensor(tensor, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def lora(writer: gguf.GGUFWriter) -> None:
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 1)
    writer.add_name("noise")


factors = {}
for layer in range(LAYERS):
    name = f"blk.{layer}.ffn_down.weight"
    factors[name + ".lora_a"] = rng.standard_normal((1, HIDDEN)) / 4
    factors[name + ".lora_b"] = rng.standard_normal((WIDTH, 1)) / 4
write("noise.lora.gguf", "llama", lora, factors)
directions = {f"direction.{layer}": rng.standard_normal(WIDTH) for layer in range(1, LAYERS)}
write("noise.control.gguf", "controlvector", lambda writer: writer.add_string("controlvector.model_hint", "llama"), directions)
