"""What somebody asks for who trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings

Only = Literal["automatic", "prompted", "clicked"]


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What the user asked for.

    Attributes
    ----------
    data
        Folders that `lesion_measure.lab.datasets` can read; may be empty where simulated frames are asked for.
    out
        The bundle's folder. Checkpoints, curves and simulated frames are kept beside it, in ``<name>.work``.
    settings
        Everything else.
    lesion_labels
        Labels that are lesions, where a folder's own words do not tell.
    links
        A folder around the data that files may be links into; without it they stay in their data folder.
    resume
        Continue from the last whole epoch of a run with the same settings and data; finished stages are not repeated.
    overwrite
        Begin anew where there is an earlier training, whose checkpoints and curves are removed; its bundle is replaced
        when the new one is complete.
    start
        A bundle whose weights training starts from; it must have the same networks.
    only
        Train this network's stages and stop, so that two processes can share the work; a run with ``resume`` and
        without ``only`` then measures both and writes the bundle.
    against
        A bundle that the model card compares the new one with, on held-back pictures that neither was trained on.
    device
        Where to train: ``cpu``, ``cuda`` or ``cuda:0``. Processes that torchrun started share the work.
    """

    data: Sequence[Path]
    out: Path
    settings: TrainSettings
    lesion_labels: Sequence[str] = ()
    links: Path | None = None
    resume: bool = False
    overwrite: bool = False
    start: Path | None = None
    only: Only | None = None
    against: Path | None = None
    device: str = "cpu"

    def networks(self) -> Iterator[tuple[str, NetworkSettings]]:
        """The networks that are trained, by name."""
        return ((name, part) for name, part in self.settings.parts() if self.only in (None, name))
