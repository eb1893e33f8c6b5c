"""Which numbers a training computes in: bfloat16 where the hardware does, else float32."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from lesion_measure.lab.training.settings import TrainSettings
from lesion_measure.lab.training.team import Team

FIRST_WITH_BFLOAT16 = 8
"""Major compute capability of the first NVIDIA GPUs with bfloat16 (Ampere)."""

_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""Names that torch.cpu.get_capabilities has for a processor's own bfloat16; others imitate it, many times slower."""


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 itself; False where this PyTorch cannot tell of a processor."""
    if device.type == "cuda":
        return torch.version.hip is not None or torch.cuda.get_device_capability(device)[0] >= FIRST_WITH_BFLOAT16
    told: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(bool(told.get(name)) for name in _INSTRUCTIONS)


def settled(settings: TrainSettings, team: Team) -> TrainSettings:
    """The settings with ``bfloat16`` true or false: as asked, or for ``auto`` what the first process's device does."""
    if settings.bfloat16 != "auto":
        return settings
    (chosen,) = team.agree([float(computes_bfloat16(team.device))])
    return settings.model_copy(update={"bfloat16": bool(chosen)})


def precision_told(settings: TrainSettings) -> str:
    """What a training whose precision is settled computes in, in words."""
    return "mixed bfloat16" if settings.bfloat16 is True else "float32"
