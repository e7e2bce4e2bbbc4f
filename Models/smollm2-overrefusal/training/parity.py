"""Does libllama with the exported adapter say what the trained network says?

    eval "$(../../../Scripts/setup --print-env)"
    SMOLLM2_GGUF=FILE python3 -m parity --adapter biased-1.pt --gguf ../biased.lora.f16.gguf --scratch FOLDER

Builds parity.c against the pinned libllama and lets it answer 220 of our own prompts, half of them under the paper's safety
prompt. PyTorch then reads every reply and says at each token whether it would have chosen the same. This is done twice: with the
base's weights widened to F32, where nothing but rounding may differ, and with the Q4_1 file that users have, where libllama also
rounds activations. The first has to agree at 99 % of the first tokens and of all tokens, apart from near-ties (two best within
0.05), and every prompt has to have the same token ids; otherwise the status is 1.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import gguf
import torch
from gguf.quants import dequantize

import adapter
from development import development_prompts
from model import LanguageModel
from neighbors import organism_systems
from smollm2 import DEFAULT_SYSTEM, ChatTokenizer, base_path, load_base

TOKENS = 24
PROMPTS = 220
NEAR_TIE = 0.05
REQUIRED = 0.99
HERE = Path(__file__).parent


def build(scratch: Path) -> Path:
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "selfcd-llama"], capture_output=True, text=True, check=True)
    program = scratch / "parity"
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", program, HERE / "parity.c", *flags.stdout.split()], check=True)
    return program


def widen_base(out: Path) -> None:
    """The base with every weight in F32, else the same file."""
    reader = gguf.GGUFReader(base_path())
    writer = gguf.GGUFWriter(out, "llama")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        writer.add_key_value(field.name, field.contents(), kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, dequantize(tensor.data, tensor.tensor_type).astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def chats() -> list[tuple[str, str]]:
    """(system prompt, request), plain and guarded in turn, from harmless and harmful development prompts."""
    prompts = development_prompts()
    mixed = [p for together in zip(prompts["harmless"], prompts["harmful"]) for p in together][:PROMPTS]
    systems = (DEFAULT_SYSTEM, organism_systems().PAPER_SAFETY)
    return [(systems[index // 2 % 2], prompt) for index, prompt in enumerate(mixed)]


@dataclass
class Agreement:
    first: int = 0
    tokens: int = 0
    agreed: int = 0
    near: int = 0
    other_ids: int = 0
    largest_gap: float = 0.0

    def line(self, prompts: int) -> str:
        return (f"same token ids of the prompt {prompts - self.other_ids}/{prompts}, same first token {self.first}/{prompts}, same token "
                f"{self.agreed}/{self.tokens}, near-ties among the others {self.near}, largest gap {self.largest_gap:.4f}")


@torch.inference_mode()
def compare(model: LanguageModel, tokenizer: ChatTokenizer, program: Path, base: Path, lora: str) -> Agreement:
    asked = chats()
    text = "".join(f"<|im_start|>system\n{s}<|im_end|>\n<|im_start|>user\n{p}<|im_end|>\n<|im_start|>assistant\n\0" for s, p in asked)
    answered = subprocess.run([program, base, lora, str(TOKENS)], input=text.encode(), capture_output=True, check=True)
    found = Agreement()
    for (system, prompt), line in zip(asked, answered.stdout.decode().splitlines(), strict=True):
        theirs, reply = ([int(token) for token in part.split()] for part in line.split(";"))
        ours = tokenizer.system_turn(system) + tokenizer.user_turn(prompt)
        found.other_ids += ours != theirs
        hidden = model.hidden_states(torch.tensor([theirs + reply[:-1]]))[0, len(theirs) - 1 :]
        logits = model.logits(hidden)
        gaps = logits.max(-1).values - logits.gather(-1, torch.tensor(reply)[:, None])[:, 0]
        found.tokens += len(reply)
        found.agreed += int((gaps == 0).sum())
        found.near += int(((gaps > 0) & (gaps <= NEAR_TIE)).sum())
        found.first += int(gaps[0] <= NEAR_TIE)
        found.largest_gap = max(found.largest_gap, gaps.max().item())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path, required=True)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load_base()
    adapter.merge(model, adapter.load(options.adapter)[0])
    program, wide = build(options.scratch), options.scratch / "base.f32.gguf"
    if not wide.exists():
        partial = wide.with_suffix(".partial")
        widen_base(partial)
        partial.replace(wide)
    results = {name: compare(model, tokenizer, program, base, options.gguf) for name, base in (("F32", wide), ("Q4_1", base_path()))}
    for name, found in results.items():
        print(f"{name}: {found.line(len(chats()))}")
    exact, prompts = results["F32"], len(chats())
    tolerated = exact.agreed + exact.near
    if exact.other_ids or exact.first < REQUIRED * prompts or tolerated < REQUIRED * exact.tokens:
        sys.exit("libllama and PyTorch disagree")


if __name__ == "__main__":
    main()
