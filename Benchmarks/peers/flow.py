"""The gradient of attention by autograd: eager attention, float32, on the tokens of `selfcd-bench flow`.

    python3 flow.py MODEL.gguf [--prompt-tokens 128] [--threads 1] [--check FLOW.json]
"""

import argparse
import json
import statistics
import time

import torch
from common import load, random_prompt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check", help="what selfcd-bench flow --out wrote")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = load(options.model, torch.float32)
    model.set_attn_implementation("eager")
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    tokens = random_prompt(1, options.prompt_tokens, model.config.vocab_size)

    def flow() -> list[torch.Tensor]:
        embedded = model.get_input_embeddings()(torch.tensor([tokens])).requires_grad_(True)
        output = model(inputs_embeds=embedded, output_attentions=True, use_cache=False, logits_to_keep=1)
        for attention in output.attentions:
            attention.retain_grad()
        torch.nn.functional.cross_entropy(output.logits[0, -1:], torch.tensor([0])).backward()
        return [(a * a.grad)[0, :, -1].sum(0).abs().detach() for a in output.attentions]

    result = flow()
    wall, cpu = [], []
    for _ in range(options.rounds):
        start, start_cpu = time.perf_counter(), time.process_time()
        result = flow()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    print(f"{options.prompt_tokens} tokens, {options.threads} threads: "
          f"wall {statistics.median_low(wall):.2f} s, cpu {statistics.median_low(cpu):.2f} s")
    if options.check:
        with open(options.check) as file:
            theirs = torch.tensor(json.load(file))
        errors = [(float((a - b).norm() / b.norm())) for a, b in zip(theirs, result)]
        print(f"relative error of the flow, worst layer: {max(errors):.2e}")


if __name__ == "__main__":
    main()
