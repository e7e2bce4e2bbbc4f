"""Self-CD through transformers' `generate` with `guidance_scale`, key-value caches for both prompts.

Guidance computes `scale * (g - p) + p`, which is Self-CD at scale = 1 - α (its log-softmax only shifts rows).
"""

import torch
from transformers import PreTrainedModel

import common


def generate(model: PreTrainedModel, guarded: torch.Tensor, plain: torch.Tensor, count: int) -> list[int]:
    output = model.generate(
        guarded,
        attention_mask=torch.ones_like(guarded),
        negative_prompt_ids=plain,
        negative_prompt_attention_mask=torch.ones_like(plain),
        guidance_scale=1 - common.ALPHA,
        max_new_tokens=count,
        min_new_tokens=count,
        do_sample=False,
    )
    return output[0, guarded.shape[1] :].tolist()


if __name__ == "__main__":
    common.main("guidance", __doc__, generate)
