"""Exports without a server: from a results folder, its database and the scans."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.errors import InputError
from lesion_measure.job.measured_input import measured_input
from lesion_measure.job.readings import FOLDER
from lesion_measure.records import ImageLabel
from lesion_measure.review.corrections import LeftOut, write_corrections
from lesion_measure.review.exports import final_readings, write_exports
from lesion_measure.review.images import OpenImages
from lesion_measure.review.measuring import Measurer
from lesion_measure.review.messages import Measured
from lesion_measure.review.outlined import outlined_in
from lesion_measure.review.store import Kept, Store, beside
from lesion_measure.review.store.database import FILE


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and how the audit stands: its steps, its last chain, and the first step that does not hold."""

    files: tuple[Path, ...]
    steps: int
    chain: str
    broken: int | None


def export_readings(out: Path, scans: Path | None, database: str | None) -> Exported:
    """Write the tables of a results folder's readings into its folder ``review``.

    Parameters
    ----------
    out
        The results folder.
    scans
        Where the scans lie, which are measured for the agreement; None: as the run's command says.
    database
        URL of the readings; None: the file in ``out``.

    Raises
    ------
    InputError, ConfigError, WriteError
        There are no readings or scans, or a table cannot be written.
    """
    found = measured_input(out, scans)
    instances = {image.sop_instance_uid: image for image in found.studies.instances}
    with _store(out, database) as store, closing(OpenImages(found.config)) as images:
        measurer = Measurer(found.config, images)

        def measure(kept: Kept) -> Measured:
            image = instances.get(kept.image_uid)
            if image is None:
                return Measured(refusal="The image is not in the input.")
            return measurer.measure(image, ImageLabel(), kept.draft, kept.reader)

        files = write_exports(store, out, measure)
        last = store.last_step()
        return Exported(files, last.number if last else 0, last.chain if last else "", store.first_broken())


def export_training(out: Path, scans: Path | None, database: str | None) -> tuple[int, tuple[LeftOut, ...]]:
    """Write readers' outlines of a results folder as a training set; parameters and errors as `export_readings`.

    They are those that were signed in the reading room, and those of DICOM objects among the scans.

    Returns
    -------
    How many frames the set has, and those that were left out.
    """
    found = measured_input(out, scans)
    instances = {image.sop_instance_uid: image for image in found.studies.instances}
    drawn = outlined_in(found.studies, found.config)
    if drawn and database is None and not (out / FOLDER / FILE).is_file():
        return write_corrections((), instances, found.config, out, drawn)
    with _store(out, database) as store:
        return write_corrections(final_readings(store), instances, found.config, out, drawn)


@contextmanager
def _store(out: Path, database: str | None) -> Iterator[Store]:
    if database is None and not (out / FOLDER / FILE).is_file():
        raise InputError(
            "The folder holds no readings.",
            remedy="Give the results folder of 'lesion-measure review', or --database.",
            code="no_readings",
            path=str(out),
        )
    with Store(database or beside(out)) as store:
        yield store
