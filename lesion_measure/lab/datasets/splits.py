"""Training and validation pictures: no group stands on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence

import numpy as np

from lesion_measure.errors import InputError
from lesion_measure.lab.datasets.pictures import Picture, picture_digest

VALIDATION_STREAM, TEST_STREAM, CURVE_STREAM = 7, 41, 43


def split_pictures(
    pictures: Sequence[Picture],
    share: float,
    share_by_set: Mapping[str, float],
    seed: int,
    seen: Container[str] = (),
    stream: int = VALIDATION_STREAM,
) -> tuple[list[Picture], list[Picture]]:
    """Training and validation pictures: within each set, and each kind of its pictures, whole groups are held back.

    They are chosen at random by ``seed`` and ``stream``, which tells one holding back from another. Pictures are of one
    kind that share class and stratum; of each kind those with a lesion and those without are held back by their share.

    Where a set states a split (`stated_part`) its test pictures are what `TEST_STREAM` holds back, its validation
    pictures what `VALIDATION_STREAM` does, and no other of it is drawn. Of a set that states no validation, by a part
    or by folds, validation pictures are drawn.

    A group with pictures in several sets or of several kinds is held back, or not, as a whole: the first decides. One
    with a picture whose digest is among ``seen`` (another network's training pictures) is never held back. Both lists
    are in the order of the sets' names.

    Parameters
    ----------
    pictures
        All pictures.
    share
        Part of each set to hold back, 0 to 1.
    share_by_set
        The same for single sets, by name.
    seed, stream
        What the choice is drawn by.
    seen
        Digests of pictures that are held back for nothing.

    Raises
    ------
    InputError
        A group has pictures in two parts of a stated split.
    """
    part = "test" if stream == TEST_STREAM else "val"
    held = _stated(pictures, part)
    others = ("train", "val") if part == "test" else ()
    stating = {item.source for item in pictures if _by_fold(item) or stated_part(item) in (part, *others)}
    decided = {item.group for item in pictures if item.source in stating or picture_digest(item) in seen}
    for number, stratum in enumerate(sorted({_stratum(item) for item in pictures})):
        own = [item for item in pictures if _stratum(item) == stratum]
        groups = sorted({item.group for item in own})
        with_lesion = {item.group for item in own if item.axes}
        order = np.random.default_rng((seed, stream, number)).permutation(len(groups))
        for some in (with_lesion, set(groups) - with_lesion):
            open_groups = [groups[i] for i in order if groups[i] in some and groups[i] not in decided]
            wanted = round(share_by_set.get(stratum[0], share) * len(some)) - len(held.intersection(some))
            held.update(open_groups[: max(wanted, 0)])
        decided.update(groups)
    ordered = sorted(pictures, key=lambda item: item.source)
    return [p for p in ordered if p.group not in held], [p for p in ordered if p.group in held]


def _stratum(item: Picture) -> tuple[str, str, str]:
    return item.source, item.kind, item.stratum


def stated_part(item: Picture) -> str:
    """The part of a split that a set states for a picture: train, val, test, or nothing.

    Where it states folds alone the first is validated on, as nnU-Net's fold 0 is.
    """
    return item.split or ("" if item.fold is None else "train" if item.fold else "val")


def _by_fold(item: Picture) -> bool:
    """Whether a picture's part of a split is stated by its fold."""
    return item.fold is not None and not item.split


def _said(item: Picture) -> str:
    """What is stated of a picture's part, in words."""
    if not _by_fold(item):
        return f"as {item.split}"
    return f"in fold {item.fold} ({'learnt from' if item.fold else 'validated on'})"


def _stated(pictures: Sequence[Picture], part: str) -> set[str]:
    """The groups of a part of the split that sets state.

    Raises
    ------
    InputError
        A group stands in two parts.
    """
    parts: dict[str, Picture] = {}
    for item in pictures:
        own = stated_part(item)
        if own and (other := parts.setdefault(item.group, item)) is not item and stated_part(other) != own:
            raise InputError(
                f"{other.source}/{other.name} is stated {_said(other)}, {item.source}/{item.name} {_said(item)}, "
                f"and both are of the group {item.group}.",
                remedy="State one part, or fold, for all pictures of a patient and for near-duplicates.",
                code="leak",
            )
    return {group for group, item in parts.items() if stated_part(item) == part}


def first_groups(
    pictures: Sequence[Picture], most: int | None, most_by_set: Mapping[str, int], seed: int
) -> list[Picture]:
    """The pictures of at most so many groups of each set, at random by the seed; fewer groups are among more.

    Of each kind of a set's pictures (class, stratum, with a lesion or without) groups are kept by its share.

    Parameters
    ----------
    pictures
        All pictures.
    most
        Groups of each set; None: all.
    most_by_set
        The same for single sets, by name.
    seed
        What the choice is drawn by.
    """
    kept: set[str] = set()
    for number, source in enumerate(sorted({item.source for item in pictures})):
        own = [item for item in pictures if item.source == source]
        order = _spread(own, np.random.default_rng((seed, CURVE_STREAM, number)))
        kept.update(order[: most_by_set.get(source, most)])
    return [item for item in pictures if item.group in kept]


def _spread(pictures: Sequence[Picture], rng: np.random.Generator) -> list[str]:
    """The groups of a set at random, so that the first of them, however many, hold each kind by its share."""
    kind_of = {item.group: (*_stratum(item), bool(item.axes)) for item in reversed(pictures)}
    placed: dict[str, float] = {}
    for kind in sorted(set(kind_of.values())):
        groups = sorted(group for group, own in kind_of.items() if own == kind)
        for rank, place in enumerate(rng.permutation(len(groups))):
            placed[groups[place]] = (rank + 0.5) / len(groups)
    return sorted(placed, key=lambda group: (placed[group], group))


def folds(pictures: Sequence[Picture], count: int, seed: int) -> list[set[str]]:
    """The groups of each of ``count`` parts, at random by the seed, each set spread evenly over the parts.

    Where sets state folds (`Picture.fold`) these are the parts. Other groups are placed, large ones first, each in the
    part that has the fewest pictures of the group's sets, then the fewest of its kinds, with a lesion and without, then
    the fewest pictures at all.

    Raises
    ------
    InputError
        There are fewer groups than parts, or a group is in two stated folds, or in one beyond ``count``.
    """
    sizes: dict[str, Counter[str]] = {}
    strata: dict[str, Counter[tuple[str, str, str, bool]]] = {}
    for item in pictures:
        sizes.setdefault(item.group, Counter())[item.source] += 1
        strata.setdefault(item.group, Counter())[(*_stratum(item), bool(item.axes))] += 1
    if count < 1 or len(sizes) < count:
        raise InputError(
            f"{len(sizes)} groups of pictures cannot be split into {count} parts.",
            remedy="Give more data, or ask for fewer folds.",
            code="dataset",
        )
    names = sorted(sizes)
    order = [names[i] for i in np.random.default_rng((seed, 29)).permutation(len(names))]
    parts: list[set[str]] = [set() for _ in range(count)]
    filled: list[Counter[str]] = [Counter() for _ in range(count)]
    kinds: list[Counter[tuple[str, str, str, bool]]] = [Counter() for _ in range(count)]
    stated = _stated_folds(pictures, count)
    for group in sorted(order, key=lambda name: (name not in stated, -sizes[name].total())):
        own, kind = sizes[group], strata[group]
        chosen = stated.get(group)
        if chosen is None:
            chosen = min(
                range(count),
                key=lambda p: (
                    sum(filled[p][each] for each in own), sum(kinds[p][each] for each in kind), filled[p].total(), p
                ),
            )  # fmt: skip
        parts[chosen].add(group)
        filled[chosen].update(own)
        kinds[chosen].update(kind)
    return parts


def _stated_folds(pictures: Sequence[Picture], count: int) -> dict[str, int]:
    """The fold of each group that a set states."""
    found: dict[str, int] = {}
    for item in pictures:
        if item.fold is not None and found.setdefault(item.group, item.fold) != item.fold:
            raise InputError(
                f"The group {item.group} stands in the folds {found[item.group]} and {item.fold}.",
                remedy="State one fold for all pictures of a patient and for near-duplicates.",
                code="leak",
            )
    if found and max(found.values()) >= count:
        raise InputError(
            f"The data state {max(found.values()) + 1} folds, {count} are asked for.",
            remedy=f"Set split.folds to {max(found.values()) + 1}.",
            code="dataset",
        )
    return found
