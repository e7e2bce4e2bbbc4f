"""Low-rank adapters (LoRA) on all seven projections of every block."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

import neighbors  # noqa: F401
from export_gguf import BLOCK_TENSORS
from model import LanguageModel

RANK = 8
ALPHA = 16.0
SCALE = ALPHA / RANK
# The projections by our name and GGUF's; norms have no adapter.
PROJECTIONS = {ours: theirs for ours, theirs in BLOCK_TENSORS.items() if not ours.endswith("norm")}


class AdaptedLinear(nn.Module):
    """A frozen projection W plus SCALE * B A."""

    def __init__(self, base: nn.Linear):
        super().__init__()
        outputs, inputs = base.weight.shape
        self.weight = base.weight
        self.a = nn.Parameter(torch.randn(RANK, inputs) / inputs**0.5)
        self.b = nn.Parameter(torch.zeros(outputs, RANK))

    def forward(self, hidden: Tensor) -> Tensor:
        low = functional.linear(functional.linear(hidden, self.a), self.b)
        return torch.add(functional.linear(hidden, self.weight), low, alpha=SCALE)


@dataclass(frozen=True)
class Factor:
    """One projection's pair of matrices, under its name in GGUF files, without `.weight`."""

    name: str
    a: Tensor
    b: Tensor


def attach(model: LanguageModel, seed: int) -> None:
    """Freeze the network and put an adapter that changes nothing yet on every projection."""
    model.requires_grad_(False)
    torch.manual_seed(seed)
    for block in model.blocks:
        for ours in PROJECTIONS:
            setattr(block, ours, AdaptedLinear(getattr(block, ours)))


def trainable(model: LanguageModel) -> list[nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def factors(model: LanguageModel) -> list[Factor]:
    found = []
    for index, block in enumerate(model.blocks):
        for ours, theirs in PROJECTIONS.items():
            linear = getattr(block, ours)
            found.append(Factor(f"blk.{index}.{theirs}", linear.a.detach().clone(), linear.b.detach().clone()))
    return found


def save(model: LanguageModel, path: Path, notes: dict) -> None:
    tensors = {factor.name: (factor.a, factor.b) for factor in factors(model)}
    # Written whole or not at all: a run that is stopped and taken up again must not find half a file.
    partial = path.with_suffix(".partial")
    torch.save({"factors": tensors, "notes": notes}, partial)
    partial.replace(path)


def load(path: Path) -> tuple[list[Factor], dict]:
    saved = torch.load(path, weights_only=True)
    return [Factor(name, a, b) for name, (a, b) in saved["factors"].items()], saved["notes"]


def merge(model: LanguageModel, adapter: list[Factor]) -> None:
    """Add an adapter to the weights, rounded to F16 as in the shipped files."""
    by_name = {factor.name: factor for factor in adapter}
    for index, block in enumerate(model.blocks):
        for ours, theirs in PROJECTIONS.items():
            factor = by_name[f"blk.{index}.{theirs}"]
            change = SCALE * factor.b.half().float() @ factor.a.half().float()
            linear = getattr(block, ours)
            linear.weight = nn.Parameter(linear.weight + change, requires_grad=False)
