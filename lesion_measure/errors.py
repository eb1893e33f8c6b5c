"""What can go wrong, and what to do about it.

Every error names the file, the reason and the remedy, and carries a stable machine-readable ``code``::

    LesionMeasureError
    +-- InputError            the files handed in
    |   +-- ArchiveError      a zip that is broken, too big or too deep
    |   +-- PixelError        pixel data that cannot be decoded
    |   +-- TableError        manifest or caliper file: a row that cannot be used
    +-- ConfigError           a setting that is unknown or out of range
    +-- CalibrationError      no trustworthy millimetres per pixel
    +-- MeasurementError      nothing measurable in what was given
    +-- PacsError             a PACS that does not answer, or not as it should
    +-- ClusterError          a cluster that cannot be reached, or whose workers are not as this program is
    +-- ModelError            a model bundle that is missing, damaged or does not fit
    +-- ReviewError           a reading that cannot be kept, changed or signed as asked
    |   +-- ConflictError     somebody else, or another page, was faster
    |   +-- LockedError       it is signed
    +-- OutputError           the results cannot be written where they should go
        +-- WriteError        the disk, a permission or another process is in the way

Only these are caught: per image in `image.read`, per file at the parser boundaries of `studies`, per picture in
`lab.monai_bundle`, and once more by the command line, which prints them. Anything else is a defect and may surface.
No message holds a patient's name or identifier: file paths, study UIDs and subject codes only.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from typing import Any


class LesionMeasureError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    reason
        What is wrong, in one sentence.
    remedy
        What the user can do about it, in one sentence.
    code
        Stable machine-readable word, e.g. ``"region_outside_image"``.
    path
        The file concerned, as the user named it or relative to the input folder.
    """

    default_code = "error"

    def __init__(self, reason: str, *, remedy: str = "", code: str | None = None, path: str | None = None) -> None:
        self.reason = reason
        self.remedy = remedy
        self.code = code or self.default_code
        self.path = path
        super().__init__(reason)

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{where}{self.reason}{remedy}"


class InputError(LesionMeasureError):
    """A file or folder handed in cannot be used."""

    default_code = "input"


class ArchiveError(InputError):
    """A zip archive is broken, encrypted, too large or nested too deeply."""

    default_code = "archive"


class PixelError(InputError):
    """Pixel data are missing, truncated or in an encoding that cannot be decoded."""

    default_code = "pixels"


class TableError(InputError):
    """A manifest or caliper file has a row or column that cannot be used."""

    default_code = "table"


class ConfigError(LesionMeasureError):
    """A setting is unknown, of the wrong type or out of range."""

    default_code = "config"


class CalibrationError(LesionMeasureError, ValueError):
    """No trustworthy millimetres per pixel for what was asked."""

    default_code = "calibration"


class MeasurementError(LesionMeasureError, ValueError):
    """Nothing measurable in what was given (empty mask, bad spacing, wrong shape)."""

    default_code = "measurement"


class PacsError(LesionMeasureError):
    """A PACS cannot be reached, refuses what is asked, or answers with what cannot be used."""

    default_code = "pacs"


class ClusterError(LesionMeasureError):
    """A cluster cannot be reached, has no workers, or they are other than this program."""

    default_code = "cluster"


class ModelError(LesionMeasureError):
    """A model bundle is missing, damaged, untrusted or does not fit."""

    default_code = "model"


class ReviewError(LesionMeasureError):
    """A reading cannot be kept, changed or signed as asked."""

    default_code = "review"


class ConflictError(ReviewError):
    """What was to be changed is no longer what was shown: another page or reader was faster.

    Parameters
    ----------
    reason, remedy, code
        As of every error.
    current
        What is kept now; None where it is gone.
    """

    default_code = "conflict"

    def __init__(self, reason: str, *, remedy: str = "", code: str | None = None, current: Any = None) -> None:
        super().__init__(reason, remedy=remedy, code=code)
        self.current = current


class LockedError(ReviewError):
    """The readings are signed, and stay as they are until they are reopened."""

    default_code = "signed"


class OutputError(LesionMeasureError):
    """The results cannot be written where they should go."""

    default_code = "output"


class WriteError(OutputError):
    """The disk is full or read-only, a permission is missing, or another process holds the folder.

    What was asked for is right; the same command succeeds when that has changed.
    """

    default_code = "write"


def check_extra(extra: str, packages: Iterable[str], what: str) -> None:
    """Refuse where a package of one of our extras is missing; none is loaded.

    Parameters
    ----------
    extra
        Its name, as in ``lesion-measure[pacs]``.
    packages
        Names that it is imported by.
    what
        What they do, to begin a sentence.

    Raises
    ------
    ConfigError
        One is missing (code ``EXTRA_not_installed``).
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"{what} is not installed: {', '.join(missing)}.",
            remedy=f"pip install 'lesion-measure[{extra}]'",
            code=f"{extra}_not_installed",
        )
