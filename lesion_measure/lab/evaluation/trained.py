"""Which pictures a bundle has seen: ``docs/training_pictures.txt`` and ``docs/held_back_pictures.txt``, one a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lesion_measure.errors import ModelError
from lesion_measure.files.reading import read_regular
from lesion_measure.lab.datasets import Picture, picture_digest

TRAINING_PICTURES = "docs/training_pictures.txt"
HELD_BACK_PICTURES = "docs/held_back_pictures.txt"
MAX_BYTES = 50_000_000
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HELD_BACK = re.compile(r"([0-9a-f]{64}) (?:(test)|validation (?:([0-9]{1,2})|-))")
_HEADER = "# SHA-256 of 'rows columns ' and the grey pixels of every picture this bundle was trained on.\n"
_HELD_BACK_HEADER = """\
# SHA-256, as in training_pictures.txt, of every picture that was held back, and what for: 'test', or 'validation' and
# the part of the confidence's cross-fitting whose model never saw it ('-': there is none).
"""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Digests of the pictures that were kept from training.

    ``validation``: those that the weights, the confidence, its thresholds or the recipe were chosen on, with the part
    of the cross-fitting whose model never saw them (None where there is none). ``test``: those put aside until
    everything was chosen.
    """

    validation: Mapping[str, int | None] = field(default_factory=dict)
    test: frozenset[str] = frozenset()


def training_pictures_text(pictures: Iterable[Picture], known: Iterable[str] = ()) -> str:
    """The file's content for the pictures that a bundle, or the one that it started from, was trained on."""
    return _HEADER + "".join(f"{digest}\n" for digest in sorted({*known, *(picture_digest(item) for item in pictures)}))


def held_back_text(held: HeldBack) -> str:
    """The file's content for the pictures that were held back."""
    lines = [f"{digest} validation {'-' if part is None else part}" for digest, part in sorted(held.validation.items())]
    return _HELD_BACK_HEADER + "".join(f"{line}\n" for line in [*lines, *(f"{one} test" for one in sorted(held.test))])


def read_training_pictures(bundle: Path) -> frozenset[str] | None:
    """The digests that a bundle lists as trained on; None where it has no list.

    Raises
    ------
    ModelError
        The list cannot be read or is none.
    """
    lines = _lines(bundle / TRAINING_PICTURES, "training")
    if lines is None:
        return None
    if not all(_DIGEST.fullmatch(line) for line in lines):
        raise ModelError(
            "A line of the list of training pictures is no SHA-256.",
            remedy="Restore the bundle, or take the file away: then it is not known what was trained on.",
            path=str(bundle / TRAINING_PICTURES),
        )
    return frozenset(lines)


def read_held_back(bundle: Path) -> HeldBack | None:
    """The pictures that a bundle lists as held back; None where it has no list, as bundles before 0.4.0.

    Raises
    ------
    ModelError
        The list cannot be read or is none.
    """
    lines = _lines(bundle / HELD_BACK_PICTURES, "held-back")
    if lines is None:
        return None
    found = [_HELD_BACK.fullmatch(line) for line in lines]
    read = [one for one in found if one is not None]
    if len(read) < len(found):
        raise ModelError(
            "A line of the list of held-back pictures is no SHA-256 with 'test', or 'validation' and a part.",
            remedy="Restore the bundle, or take the file away: then it is not known what was chosen on.",
            path=str(bundle / HELD_BACK_PICTURES),
        )
    parts = {one[1]: None if one[3] is None else int(one[3]) for one in read if not one[2]}
    return HeldBack(parts, frozenset(one[1] for one in read if one[2]))


def _lines(path: Path, kind: str) -> list[str] | None:
    """The lines that are no comments; None where there is no such file."""
    if not path.exists():
        return None
    try:
        lines = read_regular(path, MAX_BYTES).decode("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"The list of {kind} pictures cannot be read.", path=str(path)) from error
    return [line for line in lines if line and not line.startswith("#")]
