"""Which pictures a bundle was trained on: its ``docs/training_pictures.txt``, one digest a line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from lesion_measure.datasets import Picture, picture_digest
from lesion_measure.errors import ModelError
from lesion_measure.reading import read_regular

TRAINING_PICTURES = "docs/training_pictures.txt"
MAX_BYTES = 50_000_000
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HEADER = "# SHA-256 of 'rows columns ' and the grey pixels of every picture this bundle was trained or chosen on.\n"


def training_pictures_text(pictures: Iterable[Picture], known: Iterable[str] = ()) -> str:
    """The file's content for the pictures that a bundle was trained on, or was chosen or calibrated by."""
    return _HEADER + "".join(f"{digest}\n" for digest in sorted({*known, *(picture_digest(item) for item in pictures)}))


def read_training_pictures(bundle: Path) -> frozenset[str] | None:
    """The digests that a bundle lists; None where it has no list.

    Raises
    ------
    ModelError
        The list cannot be read or is none.
    """
    path = bundle / TRAINING_PICTURES
    if not path.exists():
        return None
    try:
        lines = read_regular(path, MAX_BYTES).decode("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError("The list of training pictures cannot be read.", path=str(path)) from error
    digests = frozenset(line for line in lines if line and not line.startswith("#"))
    if not all(_DIGEST.fullmatch(digest) for digest in digests):
        raise ModelError(
            "A line of the list of training pictures is no SHA-256.",
            remedy="Restore the bundle, or take the file away: then it is not known what was trained on.",
            path=str(path),
        )
    return digests
