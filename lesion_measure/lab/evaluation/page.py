"""index.html: one file that needs nothing else, in the house style of the report, for the screen and for paper."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from lesion_measure import __version__
from lesion_measure.config import Segment
from lesion_measure.files.writing import replacing
from lesion_measure.lab.datasets import Picture
from lesion_measure.lab.evaluation import words
from lesion_measure.lab.evaluation.cases import (
    CLEAR_CONTRAST,
    ELLIPSE_OF,
    FOUND_DICE,
    NETWORK_PROMPTED,
    RIGHT_DICE,
    Method,
)
from lesion_measure.lab.evaluation.figures import confidence_curves, overview
from lesion_measure.lab.evaluation.files import CSV, JSON, PAGE
from lesion_measure.lab.evaluation.gallery import Strip, galleries
from lesion_measure.lab.evaluation.moves import rms_distance
from lesion_measure.lab.evaluation.record import Evaluation
from lesion_measure.lab.evaluation.summary import MEASURES
from lesion_measure.report.words import fixed, p_value, plural
from lesion_measure.stats.bootstrap import RESAMPLES

SIZE_COLUMNS = (
    (Method.LONG_AXIS, "dice", "Dice"),
    (Method.LONG_AXIS_ELLIPSE, "dice", "Ellipse, Dice"),
    (Method.LONG_AXIS, "short_axis_error_percent", "Short axis, median error (%)"),
    (Method.LONG_AXIS, "area_error_percent", "Area, median error (%)"),
    (Method.BOTH_AXES, "dice", "Dice"),
    (Method.BOTH_AXES_ELLIPSE, "dice", "Ellipse, Dice"),
)
"""What the table of sizes shows: the first four from the long axis, the others from both."""


def write_page(evaluation: Evaluation, pictures: Sequence[Picture], out: Path) -> None:
    """Write index.html into ``out``; ``pictures`` are those of the evaluation's cases, in their order.

    Raises
    ------
    OutputError
        The file cannot be written.
    """

    def gallery(source: str) -> list[tuple[str, list[Strip]]]:
        own = [pair for pair in zip(evaluation.first.cases, pictures, strict=True) if pair[0].source == source]
        return list(galleries([case for case, _ in own], [item for _, item in own]))

    template = _environment().get_template("index.html.j2")
    with replacing(out / PAGE) as stream:
        for piece in template.generate(
            evaluation=evaluation,
            model=evaluation.first.model,
            summary=evaluation.first.summary,
            names=words.model_names(evaluation.models),
            spreads=sorted({evaluation.spread, *evaluation.other_spreads}),
            overview=overview({evaluation.first.model.name: evaluation.first.summary}).inline(),
            curves=lambda own: (found := confidence_curves(own)) and found.inline(),
            gallery=gallery,
        ):
            stream.write(piece)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lesion_measure.lab.evaluation", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    styles = [
        files(package).joinpath("templates", name).read_text(encoding="utf-8")
        for package, name in (
            ("lesion_measure.report", "style.css"),
            ("lesion_measure.lab.evaluation", "evaluation.css"),
        )
    ]
    environment.globals |= {
        "styles": Markup("\n".join(styles)),  # noqa: S704  shipped with the package
        "version": __version__,
        "JSON": JSON,
        "CSV": CSV,
        "METHODS": words.METHODS,
        "SIZES": words.SIZES,
        "PLACEMENTS": words.PLACEMENTS,
        "DETECTION": words.DETECTION,
        "ACCEPTANCE": words.ACCEPTANCE,
        "MEASURES": MEASURES,
        "SIZE_COLUMNS": SIZE_COLUMNS,
        "ELLIPSE_OF": ELLIPSE_OF,
        "NETWORK_PROMPTED": NETWORK_PROMPTED,
        "FROM_CALIPERS": [method for method in Method if method is not Method.AUTOMATIC],
        "FOUND_DICE": FOUND_DICE,
        "RIGHT_DICE": RIGHT_DICE,
        "CLEAR_CONTRAST": CLEAR_CONTRAST,
        "RESAMPLES": RESAMPLES,
        "TOLERANCE": Segment().caliper_tolerance,
        "SIDE_BY_SIDE": words.SIDE_BY_SIDE,
        "side_by_side": words.side_by_side,
        "unit_of": words.unit_of,
        "moved": words.moved,
        "rms_distance": rms_distance,
        "placings_told": words.placings_told,
        "is_signed": words.is_signed,
        "plural": plural,
    }
    environment.filters |= {"shown": words.shown, "interval": words.interval, "fixed": fixed, "p": p_value}
    return environment
