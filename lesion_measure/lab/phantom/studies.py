"""A simulated child on disk: DICOM files, and the rows of the tables that tell what is true of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lesion_measure.files.writing import replacing
from lesion_measure.lab.phantom.children import Child, Exposure, measured_frame
from lesion_measure.lab.phantom.files import COLOUR, Encoding, Label, PixelScale, write_image
from lesion_measure.lab.phantom.readers import Reader
from lesion_measure.lab.phantom.screen import ScreenPixels, screen_marks, tinted
from lesion_measure.lab.phantom.shapes import Vector
from lesion_measure.lab.phantom.visits import BASELINE
from lesion_measure.records import Axis, Plane

PERFECT = Reader()
"""A reader without error."""

FRAME_TIME_MS = 40.0
CALIPER_COLUMNS = (
    "image", "frame", "lesion", "plane", "axis", "start_col", "start_row", "end_col", "end_row", "reader",
)  # fmt: skip
VISIT_COLUMNS = ("path", "subject", "visit", "plane", "lesion")
TRUTH_COLUMNS = (
    "subject", "visit", "date", "lesion", "present", "echo", "transverse_long_mm", "transverse_short_mm",
    "sagittal_long_mm", "sagittal_short_mm", "volume_ml", "diameter_change_percent", "volume_change_percent",
    "transverse_image", "sagittal_image",
)  # fmt: skip
Cell = str | int | float | None
TableRow = Mapping[str, Cell]


@dataclass(frozen=True, slots=True, eq=False)
class StoredImage:
    """One file that was written. ``path`` is relative to the output folder, with forward slashes."""

    path: str
    child: Child
    exposure: Exposure
    encoding: Encoding
    calibrated: bool
    frames: int

    @property
    def frame(self) -> int:
        """The frame that the truth and the calipers belong to (1-based)."""
        return measured_frame(self.frames) if self.frames > 1 else 1


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[TableRow]) -> None:
    """Write a table whole or not at all; None is an empty cell.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with replacing(path, "table") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_child(out: Path, folder: str, child: Child) -> list[StoredImage]:
    """Write all pictures of a child below ``out / folder / subject / visit``.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    stored: list[StoredImage] = []
    numbers: dict[str, int] = {}
    for exposure in child.exposures:
        number = numbers[exposure.visit] = numbers.get(exposure.visit, 0) + 1
        path = f"{folder}/{child.plan.code}/{exposure.visit}/{exposure.lesion}_{exposure.plane}.dcm"
        stored.append(write_exposure(out, path.lstrip("/"), child, exposure, number))
    return stored


def write_exposure(
    out: Path, path: str, child: Child, exposure: Exposure, number: int, calibrated: bool = True
) -> StoredImage:
    """Render one picture and write it; without ``calibrated`` its header holds no scale.

    Parameters
    ----------
    out
        The folder of the trial.
    path
        The file, relative to ``out``.
    child
        Whose picture it is.
    exposure
        Lesion, plane and visit.
    number
        Number of the picture at its visit.
    calibrated
        Whether the header holds a scale.
    """
    plan, view = child.plan, child.view(exposure)
    cine = child.is_cine(exposure)
    encoding = Encoding.JPEG_RGB if cine else plan.encoding
    lines = [(ends, mm) for _, ends, mm in caliper_lines(child, exposure)] if plan.burnt_calipers else []
    marks = screen_marks(plan.layout, view, f"{plan.code} {exposure.plane}", lines)
    frames = [_compose(fan, marks, encoding) for fan in child.frames(exposure, number)]
    label = Label(
        origin=f"lesion_measure phantom {plan.seed}",
        subject=plan.code,
        visit=exposure.visit,
        name_visit=plan.name_visits,
        study_date=plan.dates[exposure.visit],
        age_months=plan.age_months,
        sex=plan.sex,
        number=number,
        plane=exposure.plane,
        description=f"Liver {exposure.plane} {exposure.lesion}",
    )
    time = FRAME_TIME_MS if cine else None
    write_image(out / path, frames, label, encoding, _scale(child, exposure) if calibrated else None, time)
    return StoredImage(path, child, exposure, encoding, calibrated, len(frames))


def _compose(fan: ScreenPixels, marks: ScreenPixels, encoding: Encoding) -> ScreenPixels:
    return tinted(fan, marks) if encoding in COLOUR else np.maximum(fan, marks)


def _scale(child: Child, exposure: Exposure) -> PixelScale:
    """The fan's box on the picture, in whole pixels."""
    view, layout = child.view(exposure), child.plan.layout
    seen = view.screen.fan(view.probe, view.machine.depth_mm)
    rows, cols = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return PixelScale(
        box=(int(rows[0]), int(cols[0]), int(rows[-1]), int(cols[-1])),
        spacing_mm=view.screen.spacing_mm,
        face=(round(view.screen.face_row), round(view.screen.face_col)),
        bar=layout.bar if child.plan.bar_region else None,
    )


def caliper_lines(child: Child, exposure: Exposure, reader: Reader = PERFECT) -> Iterator[tuple[Axis, Vector, float]]:
    """The calipers that a reader draws: axis, end points (2, 2) as (row, column), length in mm."""
    axes = reader.draws(child.plan.seed, exposure)
    if axes is not None:
        screen = child.view(exposure).screen
        yield Axis.LONG, screen.to_pixels(axes.long), axes.long_mm
        yield Axis.SHORT, screen.to_pixels(axes.short), axes.short_mm


def caliper_rows(images: Iterable[StoredImage], reader: Reader = PERFECT) -> Iterator[TableRow]:
    """Rows of ``calipers.csv`` for every calibrated image: two lines, or the statement that the lesion is absent."""
    for image in images:
        if not image.calibrated:
            continue
        exposure = image.exposure
        where: dict[str, Cell] = {
            "image": image.path,
            "frame": image.frame,
            "lesion": exposure.lesion,
            "plane": exposure.plane,
            "reader": reader.name,
        }
        for axis, ends, _ in caliper_lines(image.child, exposure, reader):
            (row0, col0), (row1, col1) = ends.tolist()
            places = {"start_col": col0, "start_row": row0, "end_col": col1, "end_row": row1}
            yield where | {"axis": axis} | {name: f"{value:.3f}" for name, value in places.items()}
        if exposure.axes is None:
            yield where | {"axis": Axis.ABSENT}


def visit_rows(images: Iterable[StoredImage]) -> Iterator[TableRow]:
    """Rows of ``visits.csv``, a line for each file."""
    for image in images:
        yield {
            "path": image.path,
            "subject": image.child.plan.code,
            "visit": image.exposure.visit,
            "plane": image.exposure.plane,
            "lesion": image.exposure.lesion,
        }


def truth_rows(child: Child, images: Sequence[StoredImage]) -> Iterator[TableRow]:
    """Rows of ``truth.csv``: what is true of each lesion at each visit; sizes are empty where it is not there.

    Changes from baseline stand at every later visit, and not for a lesion that is new.
    """
    for visit in child.plan.dates:
        for index, lesion in enumerate(child.lesions):
            shape = child.shape(index, visit)
            row: dict[str, Cell] = {
                "subject": child.plan.code,
                "visit": visit,
                "date": child.plan.dates[visit].isoformat(),
                "lesion": lesion.name,
                "present": "no" if shape is None else "yes",
                "echo": lesion.echo,
                "volume_ml": None if shape is None else f"{shape.volume_ml():.5f}",
            }
            for image in images:
                exposure = image.exposure
                if (exposure.visit, exposure.lesion) == (visit, lesion.name) and image.calibrated:
                    row |= _plane_cells(exposure.plane, image)
            factors = child.plan.lesions[index].factors
            if child.plan.dates[visit] > child.plan.dates[BASELINE] and factors[BASELINE]:
                factor = factors[visit] / factors[BASELINE]
                row["diameter_change_percent"] = f"{100 * (factor - 1):.4f}"
                row["volume_change_percent"] = f"{100 * (factor**3 - 1):.4f}"
            yield row


def _plane_cells(plane: Plane, image: StoredImage) -> dict[str, Cell]:
    axes = image.exposure.axes
    cells: dict[str, Cell] = {f"{plane}_image": image.path}
    if axes is not None:
        cells |= {f"{plane}_long_mm": f"{axes.long_mm:.4f}", f"{plane}_short_mm": f"{axes.short_mm:.4f}"}
    return cells
