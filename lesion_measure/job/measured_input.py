"""The scans and settings of a finished run, for what is made of its results later."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesion_measure.config import Config
from lesion_measure.errors import InputError
from lesion_measure.files.reading import parse_json, read_regular
from lesion_measure.job.own_files import own_files
from lesion_measure.job.printed_scales import scaled_studies
from lesion_measure.records import StudyList
from lesion_measure.results import FINISHED, MAX_BYTES


@dataclass(frozen=True, slots=True)
class MeasuredInput:
    """The scans that a run measured, as they are now, and its settings.

    ``digests``: SHA-256 of each file by its path, as it was measured; none where no run was finished.
    """

    studies: StudyList
    config: Config
    digests: dict[str, str]


def measured_input(out: Path, given: Path | None) -> MeasuredInput:
    """The scans of a results folder; default settings where no run was finished there.

    ``given`` is where they lie; None looks for the name that the run's command states, here and beside ``out``.

    Raises
    ------
    InputError
        They are not found.
    """
    run: dict[str, Any] = {}
    if (out / FINISHED).is_file():
        run = parse_json(read_regular(out / FINISHED, MAX_BYTES))
    config = Config.model_validate(run.get("config", {}))
    source = given or _named(out, str(run.get("command", "")))
    studies = scaled_studies(source, config, [out, *own_files(source)])
    return MeasuredInput(studies, config, dict(run.get("inputs_sha256", {})))


def _named(out: Path, command: str) -> Path:
    words = shlex.split(command)
    name = words[2] if len(words) > 2 else ""
    for folder in (Path(), out.resolve().parent):
        if name and (folder / name).exists():
            return folder / name
    raise InputError(
        "The images that were measured are needed, too, and where they lie is not known.",
        remedy="Give --input with the folder, zip or file that was measured.",
        code="no_input",
        path=str(out),
    )
