"""Which pictures the samples of a stage come from, and whose lesions are blended into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lesion_measure.errors import ConfigError
from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.training.settings import NetworkSettings, Stage


class Mixture:
    """Which picture a sample comes from: its set by the sets' weights, then any of that set."""

    def __init__(self, sources: Sequence[str], weights: Mapping[str, float]) -> None:
        self._places: dict[str, list[int]] = {}
        for place, source in enumerate(sources):
            if weights.get(source, 1.0) > 0:
                self._places.setdefault(source, []).append(place)
        self.names = sorted(self._places)
        shares = np.array([weights.get(name, 1.0) for name in self.names])
        self._shares = shares / shares.sum()

    def draw(self, rng: np.random.Generator) -> int:
        """The place of a picture in the sequence of sources."""
        places = self._places[self.names[int(rng.choice(len(self.names), p=self._shares))]]
        return places[int(rng.integers(len(places)))]


def donors(pictures: Sequence[Picture], stage: Stage) -> list[Picture]:
    """Whose lesions are blended into others."""
    able = [item for item in pictures if item.axes]
    if stage.blend_from:
        return [item for item in able if item.source in stage.blend_from]
    return [item for item in able if item.source not in stage.blend_share] or able


def check_sources(name: str, pictures: Sequence[Picture], part: NetworkSettings, stage: Stage) -> None:
    """Raise ConfigError where a stage would find nothing to draw a sample from, or no lesion to blend.

    Parameters
    ----------
    name
        Of the stage, as a training tells of it.
    pictures
        What the stage learns from.
    part, stage
        Settings of the network and of the stage.
    """
    alone = part.of_lesions
    usable = [item.source for item in pictures if item.axes or not alone]
    drawn = Mixture(usable, stage.set_weights).names
    if not drawn:
        raise ConfigError(
            f"The stage '{name}' has no {'lesion' if alone else 'picture'} to learn from.",
            remedy="Give a set that it has pictures of a weight above 0 (set_weights), or set its epochs to 0.",
        )
    hosts = [source for source in drawn if stage.blend_share.get(source, 0.0) > 0]
    if hosts and not alone and not donors(pictures, stage):
        named = f"of {_told(stage.blend_from)} (blend_from)" if stage.blend_from else "in any set"
        raise ConfigError(
            f"The stage '{name}' shall blend lesions into pictures of {_told(hosts)} (blend_share), and learns from no "
            f"lesion {named}.",
            remedy="Name sets in blend_from whose lesions this stage learns from, or take blend_share out.",
        )


def _told(names: Sequence[str]) -> str:
    return ", ".join(names)
