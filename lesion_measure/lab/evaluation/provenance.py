"""What a reviewer needs to check an evaluation: which pictures, how they were split, which command, which versions."""

from __future__ import annotations

import hashlib
import platform
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lesion_measure import __version__
from lesion_measure.job.provenance import versions
from lesion_measure.lab.datasets import Picture, picture_digest
from lesion_measure.lab.evaluation.cases import Case
from lesion_measure.lab.evaluation.networks import Network
from lesion_measure.lab.evaluation.record import SetData

TEST = "test"


def set_sha256(pictures: Iterable[Picture]) -> str:
    """SHA-256 (hexadecimal) of what is measured on: pictures and outlines, whatever their names, order and formats.

    It is of one line for each picture, sorted, in ASCII: `picture_digest`, a blank, the SHA-256 of its labels, a line
    feed. That of the labels is taken of ``rows columns `` and the label of each pixel (a byte, 0 outside), rows first.
    """
    lines = sorted(f"{picture_digest(item)} {_labels_digest(item)}\n" for item in pictures)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _labels_digest(item: Picture) -> str:
    rows, cols = item.labels.shape
    return hashlib.sha256(f"{rows} {cols} ".encode() + np.ascontiguousarray(item.labels).tobytes()).hexdigest()


def data_of(
    pictures: Sequence[Picture], networks: Sequence[Network], runs: Sequence[Sequence[Case]], names: Sequence[str]
) -> dict[str, SetData]:
    """Which pictures of each set were measured on, and what they were to each network, by its name."""
    return {
        source: SetData(
            pictures=sum(item.source == source for item in pictures),
            sha256=set_sha256(item for item in pictures if item.source == source),
            split={
                name: _split([case for case in cases if case.source == source], network)
                for network, cases, name in zip(networks, runs, names, strict=True)
                if network.trained is not None
            },
        )
        for source in sorted({item.source for item in pictures})
    }


def _split(cases: Sequence[Case], network: Network) -> Mapping[str, int]:
    """How many pictures of a set a bundle was trained on, was chosen by, put aside as test, and does not list."""
    test = frozenset[str]() if network.held is None else network.held.test
    found = Counter(_part(case, test) for case in cases)
    return {part: found[part] for part in ("trained_on", "chosen_by", TEST, "unlisted")}


def _part(case: Case, test: frozenset[str]) -> str:
    if case.trained_on:
        return "trained_on"
    if case.chosen_by:
        return "chosen_by"
    return TEST if case.digest in test else "unlisted"


def environment() -> dict[str, str]:
    """By what the figures were computed: versions and the kind of machine, never its name."""
    return {
        "lesion_measure": __version__,
        **versions(),
        "system": platform.system(),
        "processor": platform.machine(),
    }


def command_line(words: Iterable[str]) -> str:
    """A command with the names of files and folders alone, as a line for a shell."""
    return shlex.join(["lesion-measure", "evaluate", *words])
