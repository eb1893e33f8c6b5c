"""What a run is about: that it can be done at all, and what is here, sorted into each child's visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesion_measure.burnt_in.ocr import check_reader
from lesion_measure.job import folder
from lesion_measure.job.calipers import with_objects
from lesion_measure.job.given import Given, Tables, sort_given
from lesion_measure.job.own_files import left_out
from lesion_measure.job.printed_scales import scaled_studies
from lesion_measure.job.request import RunRequest
from lesion_measure.records import StudyList

if TYPE_CHECKING:
    from lesion_measure.burnt_in.read import Seen


def check_possible(request: RunRequest) -> None:
    """Refuse what cannot be done before anything is: for the folder, or for what is not installed."""
    if request.config.calibration.depth_scale or request.config.calibration.burnt_in_scale:
        check_reader()
    folder.check(request.out, overwrite=request.overwrite)
    if request.dicom:
        folder.check_objects(request.out)


def ingested(request: RunRequest, tables: Tables) -> tuple[StudyList, Given]:
    """What is here, with what objects draw on it; and all that, sorted into each child's visits."""
    config = request.config
    seen: Seen = {}
    studies = scaled_studies(request.input, config, left_out(request, tables.calipers), seen)
    studies = with_objects(studies, request.calipers, request.input, tables.calipers, config)
    if config.calipers.burnt_in:
        from lesion_measure.job.burnt_in import with_burnt_in

        studies = with_burnt_in(studies, config, seen)
    return studies, sort_given(studies, tables, config)


def subjects_of(given: Given) -> set[str]:
    """Everybody of whom there are scans, refused ones among them."""
    return {child.subject for child in given.children} | {r.subject for r in given.refusals if r.subject}
