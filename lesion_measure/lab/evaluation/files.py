"""The output folder: whose it is, ``evaluation.json`` and ``cases.csv``; ``docs/evaluation.md`` has each field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from lesion_measure import __version__
from lesion_measure.errors import OutputError
from lesion_measure.files.locks import LOCK, check_free
from lesion_measure.files.writing import failing, make_folder, write_text
from lesion_measure.lab.evaluation.cases import (
    CLEAR_CONTRAST,
    FOUND_DICE,
    LARGE_SHARE,
    RIGHT_DICE,
    SMALL_SHARE,
    Case,
    Drawn,
    LesionCase,
    Method,
)
from lesion_measure.lab.evaluation.record import Evaluated, Evaluation
from lesion_measure.lab.evaluation.summary import MEASURES
from lesion_measure.network.ellipse import ELLIPSE_RATIO
from lesion_measure.report.tables import Row, write_csv
from lesion_measure.stats.bootstrap import RESAMPLES

MARKER, FIGURES_MARKER = ".lesion_measure_evaluation", ".lesion_measure_figures"
"""What marks a folder of results, and one of figures: neither is taken for the other."""
RESULT_FILES = JSON, CSV, PAGE, NEXT = "evaluation.json", "cases.csv", "index.html", "next.csv"
_MARKER_LINES = {
    MARKER: "Evaluation by lesion_measure; without this file its results are not overwritten.\n",
    FIGURES_MARKER: "Figures by lesion_measure; without this file they are not overwritten.\n",
}

_NOT_WRITTEN = {"outline_px", "automatic_masks"}
# One lesion's share in a bias is its signed error; the absolute one says no more.
_PER_LESION = {
    measure.key.replace("bias", "signed_error"): measure for measure in MEASURES if "error" not in measure.key
}
COLUMNS: tuple[str, ...] = (
    "model", "weights", "set", "class", "group", "picture", "digest", "trained_on", "chosen_by", "undecided",
    "lesion", "size", "relative_size", "contrast", "true_long_axis_px", "true_short_axis_px", "true_area_px", "method",
    "placing", "drawn", "found", "confidence", "accepted", "used", "long_axis_px", "short_axis_px", "area_px",
    *_PER_LESION,
)  # fmt: skip


NEXT_COLUMNS: tuple[str, ...] = (
    "rank", "set", "picture", "group", "score", "disagreement", "undecided", "confidence", "drawn",
)  # fmt: skip


def check(out: Path, marker: str = MARKER) -> None:
    """Refuse a folder that is not empty and bears no such marker.

    Raises
    ------
    OutputError
        It does, or another process holds it, or it cannot be read.
    """
    with failing(out, "output folder"):
        check_free(out)
        if out.exists() and any(entry.name != LOCK for entry in out.iterdir()) and not (out / marker).is_file():
            kind = "evaluation" if marker == MARKER else "figures"
            raise OutputError(
                f"The output folder is not empty and holds no {kind} of this program.",
                remedy="Choose another folder.",
                code="foreign_folder",
                path=str(out),
            )


def prepare(out: Path, marker: str = MARKER) -> None:
    """Mark the folder; now, so that one that cannot be written to is noticed before the work.

    Raises
    ------
    OutputError
        It cannot be made or written to.
    """
    make_folder(out)
    write_text(out / marker, _MARKER_LINES[marker])


def as_json(evaluation: Evaluation, *, cases: bool) -> dict[str, Any]:
    """The evaluation as plain data, the single cases only where asked for."""
    return {
        "package_version": __version__,
        "created": evaluation.created,
        "settings": {
            "seed": evaluation.seed,
            "jitter": evaluation.spread,
            "other_jitters": list(evaluation.other_spreads),
            "placings": evaluation.placings,
            "calipers_placed_by": evaluation.placement.value,
            "unseen_only": evaluation.unseen_only,
            "found_dice": FOUND_DICE,
            "right_dice": RIGHT_DICE,
            "clear_contrast": CLEAR_CONTRAST,
            "small_below": SMALL_SHARE,
            "large_from": LARGE_SHARE,
            "ellipse_ratio": ELLIPSE_RATIO,
            "bootstrap_resamples": RESAMPLES,
        },
        "notes": list(evaluation.notes),
        "data": plain(evaluation.data),
        "command": evaluation.command,
        "environment": plain(evaluation.environment),
        "reference": evaluation.reference,
        "next": plain(evaluation.next),
        "models": [_evaluated(one, cases=cases) for one in evaluation.evaluated],
    }


def _evaluated(one: Evaluated, *, cases: bool) -> dict[str, Any]:
    told = {**plain(one.model), "sets": plain(one.summary), "comparison": plain(one.comparison)}
    return {**told, "cases": [_case(case) for case in one.cases]} if cases else told


def write_cases(evaluation: Evaluation, out: Path) -> None:
    """Write cases.csv into ``out``: a line for each lesion, placing and method, and each other automatic outline."""
    write_csv(out / CSV, COLUMNS, _rows(evaluation))


def write_next(evaluation: Evaluation, out: Path) -> None:
    """Write next.csv into ``out``: the pictures that are worth outlining, best first."""
    rows = ({"rank": rank, "set": one.source, **plain(one)} for rank, one in enumerate(evaluation.next, start=1))
    write_csv(out / NEXT, NEXT_COLUMNS, ({name: row[name] for name in NEXT_COLUMNS} for row in rows))


def plain(value: Any) -> Any:
    """Records, mappings and sequences as JSON has them; outlines are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in fields(value) if field.name not in _NOT_WRITTEN)
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key.value if isinstance(key, Enum) else key): plain(one) for key, one in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value


def _case(case: Case) -> dict[str, Any]:
    """A case, its lesions with their class of size."""
    data: dict[str, Any] = plain(case)
    for lesion, record in zip(case.lesions, data["lesions"], strict=True):
        record["size"] = lesion.size.value
    return data


def _rows(evaluation: Evaluation) -> Iterator[Row]:
    for one in evaluation.evaluated:
        for case in one.cases:
            told = {"model": one.model.name, "weights": one.model.weights, **_picture(case)}
            yield from ({**told, **row} for row in _case_rows(case))


def _case_rows(case: Case) -> Iterator[Row]:
    best = {lesion.label: case.best(lesion.label) for lesion in case.lesions}
    for lesion in case.lesions:
        yield {**_truth(lesion), "method": Method.AUTOMATIC.value, **_outline(lesion, best[lesion.label])}
        for number, placing in enumerate(lesion.placings):
            for method, drawn in placing.drawn.items():
                yield {**_truth(lesion), "method": method.value, "placing": number, **_outline(lesion, drawn)}
    kept = {id(drawn) for drawn in best.values()}
    others = [drawn for drawn in case.automatic if id(drawn) not in kept]
    for drawn in others:
        yield {"method": Method.AUTOMATIC.value, **_outline(None, drawn)}
    if not case.lesions and not others:
        yield {"method": Method.AUTOMATIC.value, "drawn": False}


def _picture(case: Case) -> Row:
    return {
        "set": case.source,
        "class": case.kind,
        "group": case.group,
        "picture": case.picture,
        "digest": case.digest,
        "trained_on": case.trained_on,
        "chosen_by": case.chosen_by,
        "undecided": case.undecided,
    }


def _truth(lesion: LesionCase) -> Row:
    sizes = lesion.sizes
    return {
        "lesion": lesion.label,
        "size": lesion.size.value,
        "relative_size": lesion.relative_size,
        "contrast": lesion.contrast,
        "true_long_axis_px": None if sizes is None else sizes.long_axis_px,
        "true_short_axis_px": None if sizes is None else sizes.short_axis_px,
        "true_area_px": None if sizes is None else sizes.area_px,
    }


def _outline(lesion: LesionCase | None, drawn: Drawn | None) -> Row:
    """What was drawn; without a ``lesion`` it is an automatic outline that is not the best one of any."""
    if drawn is None:
        return {"drawn": False, "found": False, "dice": 0.0}
    row: dict[str, str | int | float | bool | None] = {
        "drawn": drawn.outline_px is not None or drawn.confidence is not None,
        "found": lesion is not None and drawn.dice >= FOUND_DICE,
        "confidence": drawn.confidence,
        "accepted": drawn.accepted,
        "used": drawn.used,
        "dice": drawn.dice,
    }
    if drawn.sizes is not None:
        row |= {
            "long_axis_px": drawn.sizes.long_axis_px,
            "short_axis_px": drawn.sizes.short_axis_px,
            "area_px": drawn.sizes.area_px,
        }
    if lesion is not None:
        row |= {column: measure.value(lesion, drawn) for column, measure in _PER_LESION.items()}
    return row
