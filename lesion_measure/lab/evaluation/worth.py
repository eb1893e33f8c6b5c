"""Which pictures are worth outlining next: those on which networks disagree, or which leave a network undecided.

Nothing here looks at true outlines, so pictures that nobody has outlined are ranked alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lesion_measure.lab.datasets import Picture, group_duplicates, picture_digest
from lesion_measure.lab.datasets.files import PICTURE_SUFFIXES, bad, bound_of, files_by_stem, read_grey
from lesion_measure.lab.evaluation.cases import Case
from lesion_measure.lab.evaluation.overlap import union
from lesion_measure.network.confidence import dice

_POOL = "/"
"""What sets and groups of a pool begin with while they stand beside outlined ones, of which none begins so."""


@dataclass(frozen=True, slots=True)
class Worth:
    """A picture that is worth outlining.

    Attributes
    ----------
    source, picture, group
        Its set, its name, and what shows the same lesion or patient.
    score
        What it is ranked by: the mean of the next two, of those that are known.
    disagreement
        Mean over all pairs of networks, and masks of other tools, of 1 - Dice of what they draw; None for one alone.
    undecided
        Mean of the networks' `Case.undecided`.
    confidence
        Of the first network's surest outline; None where it draws none.
    drawn
        How many lesions the first network draws.
    """

    source: str
    picture: str
    group: str
    score: float
    disagreement: float | None
    undecided: float | None
    confidence: float | None
    drawn: int


def worth_outlining(runs: Sequence[Sequence[Case]], pictures: Sequence[Picture], count: int) -> tuple[Worth, ...]:
    """The ``count`` pictures of the highest score, best first; of each group the best alone.

    ``runs`` are the cases of each network or tool, in the order of the ``pictures``.
    """
    every = [_worth([cases[at] for cases in runs], item) for at, item in enumerate(pictures)]
    ranked = sorted(every, key=lambda one: (-one.score, one.source, one.picture))
    best: dict[str, Worth] = {}
    for one in ranked:
        best.setdefault(one.group, one)
    return tuple(best.values())[:count]


def _worth(cases: Sequence[Case], item: Picture) -> Worth:
    masks = [union(case.automatic_masks, item.image.shape) for case in cases]
    apart = [1 - dice(one, other) for one, other in itertools.combinations(masks, 2)]
    open_ = [case.undecided for case in cases if case.undecided is not None]
    disagreement = float(np.mean(apart)) if apart else None
    undecided = float(np.mean(open_)) if open_ else None
    first = cases[0]
    return Worth(
        source=item.source,
        picture=item.name,
        group=item.group,
        score=float(np.mean([one for one in (disagreement, undecided) if one is not None])),
        disagreement=disagreement,
        undecided=undecided,
        confidence=max((one.confidence for one in first.automatic if one.confidence is not None), default=None),
        drawn=len(first.automatic),
    )


def read_pool(
    folders: Sequence[Path],
    outlined: Sequence[Picture],
    trained: Collection[str] = (),
    links: Path | None = None,
    say: Callable[[str], object] | None = None,
) -> list[Picture]:
    """Pictures without outlines: the files of each folder, or of ``images`` in it; near-duplicates share a group.

    Parameters
    ----------
    folders
        Each is a set, by its name; an outlined one may have the same.
    outlined
        Pictures that are outlined already; these and their near-duplicates are left out.
    trained
        Digests of further pictures to be left out.
    links
        A folder that files may be links into, where it lies around theirs.
    say
        Receives a sentence where pictures were left out.

    Raises
    ------
    InputError
        A file is no picture, none is left, or two folders are one or have the same name.
    """
    _check_names(folders)
    found = [item for folder in folders for item in _pictures_in(folder, links)]
    joined = group_duplicates([*outlined, *found])[0]
    known = {item.group for item in joined[: len(outlined)]}
    # A picture without any texture has no near-duplicates, but copies.
    seen = {*trained, *map(picture_digest, outlined)}
    left = [item for item in joined[len(outlined) :] if item.group not in known and picture_digest(item) not in seen]
    if not left:
        raise bad(
            "Each picture here is outlined or was trained on, or shows the same frame as one that is.",
            folders[0],
            "Give a folder of other pictures.",
        )
    if say is not None and len(left) < len(found):
        say(
            f"Of the pool's {len(found)} pictures {len(left)} are looked at. The others are outlined already or were "
            "trained on, or show the same frame as one that is."
        )
    return [replace(item, source=item.source[len(_POOL) :], group=item.group[len(_POOL) :]) for item in left]


def _check_names(folders: Sequence[Path]) -> None:
    known: dict[str, Path] = {}
    for folder in folders:
        real = folder.resolve()
        if known.get(real.name) == real:
            raise bad("This pool is given twice.", folder, "Give it once.")
        if real.name in known:
            raise bad("Two pools have the same name.", folder, "Rename one: the name tells their sets apart.")
        known[real.name] = real


def _pictures_in(folder: Path, links: Path | None) -> list[Picture]:
    """The pictures of a folder as those of a set, each a group of its own; both begin with `_POOL`."""
    name = _POOL + folder.resolve().name
    images = folder / "images"
    home = images if images.is_dir() else folder
    found = []
    for stem, path in files_by_stem(bound_of(folder, links), home, PICTURE_SUFFIXES).items():
        grey = read_grey(path)
        found.append(Picture(stem, name, f"{name}/{stem}", grey, np.zeros(grey.shape, np.uint8), ()))
    if not found:
        raise bad(
            "The folder holds no PNG, JPEG, TIFF or BMP file; folders in it are not looked into.",
            home,
            "Put the pictures into one folder.",
        )
    return found
