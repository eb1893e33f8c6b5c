"""Figures for a paper: each as PDF and PNG, with a CSV of the numbers behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lesion_measure.files.writing import together, write_bytes
from lesion_measure.lab.evaluation.drawn import printed
from lesion_measure.lab.evaluation.figures import Drawing, by_class, confidence_curves, overview, sizes
from lesion_measure.lab.evaluation.record import Evaluation
from lesion_measure.lab.evaluation.words import model_names
from lesion_measure.report.tables import write_csv

_OWN = re.compile(r"(dice|(confidence|classes|sizes)-[0-9]+-[A-Za-z0-9_-]*)\.(pdf|png|csv)")
"""The names of what is written here; nothing else is removed."""
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def write_figures(evaluation: Evaluation, out: Path) -> list[str]:
    """Write the figures into a folder, in the place of earlier ones; gives their names without suffix.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    earlier = [path.name for path in out.iterdir() if _OWN.fullmatch(path.name)]
    names = []
    with together(out, earlier) as stage:
        for name, drawing in _drawings(evaluation):
            pdf, png = printed(drawing.draw, drawing.size)
            write_bytes(stage / f"{name}.pdf", pdf, "figure")
            write_bytes(stage / f"{name}.png", png, "figure")
            write_csv(stage / f"{name}.csv", drawing.columns, drawing.rows)
            names.append(name)
    return names


def _drawings(evaluation: Evaluation) -> Iterator[tuple[str, Drawing]]:
    """Every figure with its name; sets and networks are numbered, since names may say the same in a file's name."""
    named = dict(zip(model_names(evaluation.models), evaluation.evaluated, strict=True))
    yield "dice", overview({name: one.summary for name, one in named.items()})
    several = sum(not one.model.masks for one in evaluation.evaluated) > 1
    for number, one in enumerate(evaluation.evaluated, start=1):
        for place, (source, own) in enumerate(one.summary.items(), start=1):
            end = f"{place}-{_plain(source)}" + (f"-{number}-{_plain(one.model.name)}" if several else "")
            cases = [case for case in one.cases if case.source == source]
            made = {"confidence": confidence_curves(own), "classes": by_class(own), "sizes": sizes(cases)}
            for name, drawing in made.items():
                if drawing is not None and not one.model.masks:
                    yield f"{name}-{end}", drawing


def _plain(name: str) -> str:
    return _NO_NAME.sub("_", name)[:60]
