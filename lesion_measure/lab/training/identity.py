"""What a training was made of, told from what it would be made of now; settings that came later do not part the two."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.training.settings import NetworkSettings, Stage


class Identity(BaseModel):
    """Everything that decides the weights of a stage: a checkpoint is only continued with the same.

    Pictures and weights are told by their SHA-256, those for validation where early stopping looks at them.
    """

    model_config = ConfigDict(frozen=True)

    network: NetworkSettings
    stage: Stage
    seed: int
    threads: int
    bfloat16: bool
    compiled: bool
    validate_every: int
    pictures: str
    validation_pictures: str
    first_weights: str


_NOT_OF_A_STAGE = {"network": {"pretrain", "finetune", "longer", "half"}}


def kept_of(settings: BaseModel, *, told: bool = False) -> dict[str, Any]:
    """Settings or an identity as plain values, to be kept; with ``told`` without those that are at their defaults."""
    other = _NOT_OF_A_STAGE if isinstance(settings, Identity) else None
    return settings.model_dump(mode="json", by_alias=True, exclude_defaults=told, exclude=other)


def differing(kept: Any, settings: BaseModel) -> list[str]:
    """Dotted names of what is not as it was kept (`kept_of`), "" for all of it; empty where nothing differs.

    What was kept may be of an earlier version. A setting that it lacks came later and must be at its default, which
    leaves everything as it was. A setting whose default has changed since is there, and differs.
    """
    return sorted(_differing(kept, kept_of(settings), kept_of(settings, told=True), ""))


def _differing(kept: Any, now: Any, told: Any, name: str) -> Iterator[str]:
    """``told`` is ``now`` without what is at its default."""
    if isinstance(kept, dict) and isinstance(now, dict):
        inner = told if isinstance(told, dict) else {}
        for key in kept.keys() | now.keys():
            at = f"{name}.{key}" if name else key
            if key in kept and key in now:
                yield from _differing(kept[key], now[key], inner.get(key), at)
            elif key in kept or key in inner:
                yield at
    elif isinstance(kept, list) and isinstance(now, list) and len(kept) == len(now):
        items = told if isinstance(told, list) else [None] * len(now)
        for place, (old, new, own) in enumerate(zip(kept, now, items, strict=True)):
            yield from _differing(old, new, own, f"{name}.{place}")
    elif kept != now:
        yield name


def picture_content(pictures: Sequence[Picture]) -> str:
    """SHA-256 (hexadecimal) of all that is learnt from in pictures, in their order: grey values, masks, axes, names."""
    digest = hashlib.sha256()
    for item in pictures:
        digest.update(f"{item.source}/{item.name}\0{item.image.shape}".encode() + item.image.tobytes())
        for mask in (item.labels, item.liver, item.ignored):
            digest.update(b"none" if mask is None else b"mask" + mask.tobytes())
        for line in (line for axes in item.axes for line in (axes.long, axes.short)):
            digest.update(b"none" if line is None else np.asarray(line, dtype=np.float64).tobytes())
    return digest.hexdigest()


def weight_content(state: Mapping[str, Tensor] | None) -> str:
    """SHA-256 (hexadecimal) of weights, by name."""
    digest = hashlib.sha256()
    for name, value in sorted((state or {}).items()):
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
