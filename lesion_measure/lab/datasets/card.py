"""A data card: what a training is about to learn from and be measured on, or what an import understood."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesion_measure.lab.datasets.duplicates import DuplicateReport
from lesion_measure.lab.datasets.pictures import Picture
from lesion_measure.lab.datasets.spool import looked_at

_PAIRS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Least value, quartiles and largest value."""

    least: float
    lower: float
    median: float
    upper: float
    most: float


@dataclass(frozen=True, slots=True)
class SetFigures:
    """One set in numbers.

    ``lesion_free`` are pictures without a lesion. ``long_axis_px`` is that of lesions, in pixels of their picture;
    ``share_of_picture`` a lesion's area by that of its picture; both None where there is no lesion.
    """

    name: str
    pictures: int
    groups: int
    lesion_free: int
    lesions: int
    rows: Quartiles
    columns: Quartiles
    long_axis_px: Quartiles | None
    share_of_picture: Quartiles | None


def describe(pictures: Sequence[Picture]) -> list[SetFigures]:
    """The figures of every set, in the order of their names."""
    return [_figures(name, pictures) for name in sorted({item.source for item in pictures})]


def data_card(
    training: Sequence[Picture],
    validation: Sequence[Picture] = (),
    *,
    licences: Mapping[str, str] | None = None,
    duplicates: DuplicateReport | None = None,
) -> str:
    """The card as Markdown, which reads well as plain text too.

    Parameters
    ----------
    training, validation
        The pictures; without ``validation`` nothing is said of a split.
    licences
        Origin and licence of sets, by name.
    duplicates
        What `group_duplicates` reported.
    """
    lines = ["# Data", ""]
    parts = [("training", training), ("held back for validation", validation)] if validation else [("", training)]
    for title, pictures in parts:
        lines += [f"## {title.capitalize()}", ""] if title else []
        lines += [*_table(describe(pictures)), "", *_speck_lines(pictures)]
    lines += _duplicate_lines(duplicates) if duplicates is not None else []
    names = sorted({item.source for item in (*training, *validation)})
    if licences is not None:
        lines += ["## Origin and licence", ""]
        unknown = "not stated; find out before the model is passed on"
        lines += [*(f"- {name}: {licences.get(name) or unknown}" for name in names), ""]
    return "\n".join(lines)


def _figures(name: str, pictures: Sequence[Picture]) -> SetFigures:
    own = [item for item in pictures if item.source == name]
    areas = list(_shares(own))
    return SetFigures(
        name=name,
        pictures=len(own),
        groups=len({item.group for item in own}),
        lesion_free=sum(not item.axes for item in own),
        lesions=sum(len(item.axes) for item in own),
        rows=_quartiles([item.image.shape[0] for item in own]),
        columns=_quartiles([item.image.shape[1] for item in own]),
        long_axis_px=_quartiles_or_none([math.dist(*axes.long) for item in own for axes in item.axes]),
        share_of_picture=_quartiles_or_none(np.concatenate(areas).tolist() if areas else []),
    )


def _shares(pictures: Sequence[Picture]) -> Iterator[NDArray[np.float64]]:
    """The areas of each picture's lesions, as shares of the picture."""
    for labels in looked_at(item.labels for item in pictures if item.axes):
        yield np.bincount(labels[labels > 0])[1:] / labels.size


def _quartiles(values: Sequence[float]) -> Quartiles:
    return Quartiles(*(float(value) for value in np.quantile(values, (0, 0.25, 0.5, 0.75, 1))))


def _quartiles_or_none(values: Sequence[float]) -> Quartiles | None:
    return _quartiles(values) if values else None


def _table(sets: Sequence[SetFigures]) -> list[str]:
    """One row a set; sizes as median (lower to upper quartile)."""
    rows = [
        ("set", "pictures", "groups", "lesion-free", "lesions", "long axis, px", "share of picture", "rows x columns"),
        ("---",) * 8,
    ]
    for one in sets:
        axis, share = one.long_axis_px, one.share_of_picture
        rows.append(
            (
                one.name, str(one.pictures), str(one.groups), str(one.lesion_free), str(one.lesions),
                "-" if axis is None else f"{axis.median:.0f} ({axis.lower:.0f} to {axis.upper:.0f})",
                "-" if share is None else "{:.1f} % ({:.1f} % to {:.1f} %)".format(
                    *(100 * each for each in (share.median, share.lower, share.upper))
                ),
                f"{one.rows.median:.0f} x {one.columns.median:.0f} ({one.rows.least:.0f} x {one.columns.least:.0f} to "
                f"{one.rows.most:.0f} x {one.columns.most:.0f})",
            )
        )  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(8)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    return [f"| {' | '.join(row)} |" for row in padded]


def _speck_lines(pictures: Sequence[Picture]) -> list[str]:
    """What outlines hold beside lesions and is left out; nothing where there is none."""
    with_specks = [item for item in pictures if item.specks]
    if not with_specks:
        return []
    areas = [area for item in with_specks for area in item.specks]
    return [
        f"Specks left out as too small: {len(areas)}, in {len(with_specks)} of {len(pictures)} pictures, such as "
        f"{with_specks[0].source}/{with_specks[0].name}; the largest has {max(areas)} px. They count as background.",
        "",
    ]


def _duplicate_lines(report: DuplicateReport) -> list[str]:
    lines = ["## Near-duplicates", ""]
    if not report.pairs:
        return [*lines, "No near-duplicates stand in different groups.", ""]
    groups = sum(len(several) for several in report.merged)
    lines += [
        f"{len(report.pairs)} pairs of pictures in different groups show the same frame; "
        f"{groups} groups were joined to {len(report.merged)}.",
        "",
    ]
    shown = sorted(report.pairs, key=lambda pair: pair.similarity)[:_PAIRS_SHOWN]
    lines += [f"- {pair.first} and {pair.second} (similarity {pair.similarity:.2f})" for pair in shown]
    if len(report.pairs) > len(shown):
        lines.append(f"- and {len(report.pairs) - len(shown)} more that are more alike")
    return [*lines, ""]
