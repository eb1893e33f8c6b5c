"""Near-duplicates: pictures of one frame under several names, so that none is trained on and tested on.

Published sets hold the same frame with and without calipers, in several crops and sizes, and sets share pictures.
`group_duplicates` joins the groups of such pictures before anything is split; `check_splits` makes sure afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lesion_measure.errors import InputError
from lesion_measure.lab.datasets.pictures import Picture
from lesion_measure.lab.datasets.similarity import patterns, similar_pairs
from lesion_measure.lab.datasets.simulated import SIMULATED

LEAST_SIMILARITY = 0.7
"""Similarity from which two pictures are near-duplicates: above what different frames reach (0.61 among 580 breast
images, 0.44 among 18 liver images, 0.59 among simulated frames), below what edits of one frame keep (0.84 and more)."""


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two near-duplicates of different groups, as set/name, and how similar they are (0..1)."""

    first: str
    second: str
    similarity: float


@dataclass(frozen=True, slots=True)
class DuplicateReport:
    """What `group_duplicates` found: the ``pairs``, and for each set of groups that became one, their names."""

    pairs: tuple[DuplicatePair, ...]
    merged: tuple[tuple[str, ...], ...]


def find_duplicates(pictures: Sequence[Picture], groups: Sequence[str] | None = None) -> list[tuple[int, int, float]]:
    """Near-duplicates among pictures of different ``groups`` (their own where None): (index, index, similarity).

    Pairs within a group are not looked for, nor simulated pictures, whose scenes are all different. Every picture is
    compared with every other in small; 10,000 times 10,000 pictures take half a minute of one core.
    """
    own = [item.group for item in pictures] if groups is None else groups
    real = [index for index, item in enumerate(pictures) if item.source != SIMULATED]
    found = patterns([pictures[index].image for index in real])
    pairs = similar_pairs(found, [own[index] for index in real], LEAST_SIMILARITY)
    return [(real[first], real[second], similarity) for first, second, similarity in pairs]


def group_duplicates(pictures: Sequence[Picture]) -> tuple[list[Picture], DuplicateReport]:
    """The same pictures in the same order, groups joined that near-duplicates connect, and a report of it.

    A joined group has the first of its groups' names.
    """
    pairs = find_duplicates(pictures)
    names = _joined((pictures[first].group, pictures[second].group) for first, second, _ in pairs)
    merged: dict[str, list[str]] = {}
    for group in sorted(names):
        merged.setdefault(names[group], []).append(group)
    report = DuplicateReport(
        tuple(DuplicatePair(_called(pictures[a]), _called(pictures[b]), round(s, 3)) for a, b, s in pairs),
        tuple(tuple(several) for several in merged.values()),
    )
    return [replace(item, group=names.get(item.group, item.group)) for item in pictures], report


def check_splits(training: Sequence[Picture], validation: Sequence[Picture]) -> None:
    """Make sure that no group and no near-duplicate stands on both sides.

    Raises
    ------
    InputError
        One does; the message names a pair.
    """
    shared = {item.group for item in training} & {item.group for item in validation}
    if shared:
        raise InputError(
            f"The group {min(shared)} stands in training and in validation ({len(shared)} such groups).",
            remedy="Split whole groups.",
            code="leak",
        )
    pictures = [*training, *validation]
    sides = ["training"] * len(training) + ["validation"] * len(validation)
    pairs = find_duplicates(pictures, sides)
    if pairs:
        first, second, _ = pairs[0]
        raise InputError(
            f"{_called(pictures[first])} in training and {_called(pictures[second])} in validation are near-duplicates "
            f"({len(pairs)} such pairs).",
            remedy="Join the groups of near-duplicates before the split.",
            code="leak",
        )


def _called(item: Picture) -> str:
    return f"{item.source}/{item.name}"


def _joined(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For every linked name the first name of all that hang together (union-find)."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for one, other in links:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return {name: root(name) for name in parent}
