"""The bundles that are evaluated, with what each says of the pictures that it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.errors import ConfigError, InputError
from lesion_measure.lab.datasets import Picture, picture_digest
from lesion_measure.lab.evaluation.record import Model
from lesion_measure.lab.evaluation.trained import TRAINING_PICTURES, HeldBack, read_held_back, read_training_pictures
from lesion_measure.network import Segmenter


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A bundle, loaded; ``trained`` and ``held`` are None where it does not list such pictures."""

    bundle: Path
    segmenter: Segmenter
    trained: frozenset[str] | None
    held: HeldBack | None

    @property
    def model(self) -> Model:
        """What the evaluation calls it."""
        own = self.segmenter
        return Model(own.name, own.sha256, self.bundle.name, backend=own.backend)


def opened(bundle: Path, *, device: str, backend: str, threads: int | None) -> Network:
    """A bundle with its lists of pictures.

    Raises
    ------
    ModelError, ConfigError
        It cannot be used, or not by this backend.
    """
    segmenter = Segmenter.from_bundle(bundle, device=device, backend=backend, threads=threads)
    return Network(bundle, segmenter, read_training_pictures(bundle), read_held_back(bundle))


def unseen(pictures: Sequence[Picture], networks: Sequence[Network]) -> list[Picture]:
    """The pictures of groups of which no bundle was trained, or chosen, on any.

    Raises
    ------
    ConfigError
        A bundle does not say what it was trained on.
    InputError
        No picture is left.
    """
    seen: set[str] = set()
    for network in networks:
        if network.trained is None:
            raise ConfigError(
                "This bundle does not list its training pictures, so it is not known which are unseen.",
                remedy=f"Leave out --unseen-only, or use a bundle with {TRAINING_PICTURES}.",
                path=network.bundle.name,
            )
        seen |= network.trained
        seen |= network.held.validation.keys() if network.held is not None else set()
    groups = {item.group for item in pictures if picture_digest(item) in seen}
    left = [item for item in pictures if item.group not in groups]
    if not left:
        raise InputError(
            "Every picture, or another one of its group, was trained on or chosen by.",
            remedy="Evaluate on other data, or leave out --unseen-only and read the figures as flattering.",
            code="dataset",
        )
    return left
