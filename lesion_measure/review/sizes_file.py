"""Sizes that were measured before, in a file beside the readings: a new start of a large trial need not measure them.

What cannot be read there, or was measured on another header or with other settings, is measured anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lesion_measure import __version__
from lesion_measure.config import Config
from lesion_measure.errors import WriteError
from lesion_measure.files.reading import read_regular
from lesion_measure.files.writing import write_bytes
from lesion_measure.records import Instance
from lesion_measure.review.messages import Kind

FILE = "sizes.json"
_MOST_BYTES = 16 << 20
_Size = Annotated[float, Field(ge=0)]


class _Row(BaseModel):
    """One reading at one version and time: on what it was measured, what it says, and its longest diameter in mm."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    id: str
    version: int
    changed: datetime
    measured_on: str
    kind: Kind
    mm: _Size | None


class _Rows(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sizes: tuple[_Row, ...]


Key = tuple[str, int, datetime]
"""Id, version and time of change of a reading. A database that was restored gives a version's number once more."""
Said = tuple[Kind, float | None]
"""What a reading says, and its longest diameter in mm where it has one."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a reading says, and on what that was measured (`measured_on`)."""

    said: Said
    measured_on: str


def measured_on(instance: Instance, config: Config) -> str:
    """SHA-256 of what a size rests on beside its drawing: header, printed scale, settings and version.

    Empty without a known header.
    """
    if not instance.header_sha256:
        return ""
    scale = repr(instance.printed_scale)  # which stands in the pixels
    told = "\n".join((__version__, instance.header_sha256, scale, config.calibration.model_dump_json()))
    return hashlib.sha256(told.encode()).hexdigest()


def read_sizes(path: Path) -> dict[Key, Found]:
    """The sizes of a file, by their readings; none where there is no such file, or it is damaged."""
    try:
        rows = _Rows.model_validate_json(read_regular(path, _MOST_BYTES)).sizes
    except (OSError, ValidationError):
        return {}
    return {
        (row.id, row.version, row.changed): Found((row.kind, row.mm), row.measured_on)
        for row in rows
        if row.measured_on
    }


def write_sizes(path: Path, sizes: Mapping[Key, Found]) -> None:
    """Write a file that `read_sizes` reads. Where the disk refuses it, they are measured anew at the next start."""
    rows = tuple(
        _Row(
            id=id_,
            version=version,
            changed=changed,
            measured_on=found.measured_on,
            kind=found.said[0],
            mm=found.said[1],
        )
        for (id_, version, changed), found in sizes.items()
    )
    with suppress(WriteError):
        write_bytes(path, _Rows(sizes=rows).model_dump_json().encode(), "file of sizes", shared=True, private=True)
