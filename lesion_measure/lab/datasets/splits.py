"""Training and validation pictures: no group stands on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence

import numpy as np

from lesion_measure.errors import InputError
from lesion_measure.lab.datasets.pictures import Picture, picture_digest

VALIDATION_STREAM, TEST_STREAM = 7, 41


def split_pictures(
    pictures: Sequence[Picture],
    share: float,
    share_by_set: Mapping[str, float],
    seed: int,
    seen: Container[str] = (),
    stream: int = VALIDATION_STREAM,
) -> tuple[list[Picture], list[Picture]]:
    """Training and validation pictures: within each set, and each kind of its pictures, whole groups are held back.

    They are chosen at random by ``seed`` and ``stream``, which tells one holding back from another.

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
    """
    held: set[str] = set()
    decided = {item.group for item in pictures if picture_digest(item) in seen}
    for number, (source, kind) in enumerate(sorted({(item.source, item.kind) for item in pictures})):
        groups = sorted({item.group for item in pictures if (item.source, item.kind) == (source, kind)})
        own_share = share_by_set.get(source, share)
        order = np.random.default_rng((seed, stream, number)).permutation(len(groups))
        open_groups = [groups[i] for i in order if groups[i] not in decided]
        wanted = round(own_share * len(groups)) - len(held.intersection(groups))
        held.update(open_groups[: max(wanted, 0)])
        decided.update(groups)
    ordered = sorted(pictures, key=lambda item: item.source)
    return [p for p in ordered if p.group not in held], [p for p in ordered if p.group in held]


def folds(pictures: Sequence[Picture], count: int, seed: int) -> list[set[str]]:
    """The groups of each of ``count`` parts, at random by the seed, each set spread evenly over the parts.

    Large groups are placed first, each in the part that has the fewest pictures of the group's sets, then the fewest
    pictures at all.

    Raises
    ------
    InputError
        There are fewer groups than parts.
    """
    sizes: dict[str, Counter[str]] = {}
    for item in pictures:
        sizes.setdefault(item.group, Counter())[item.source] += 1
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
    for group in sorted(order, key=lambda name: -sizes[name].total()):
        own = sizes[group]
        chosen = min(range(count), key=lambda p: (sum(filled[p][each] for each in own), filled[p].total(), p))
        parts[chosen].add(group)
        filled[chosen].update(own)
    return parts
