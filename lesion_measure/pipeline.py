"""The whole way, and the only file that knows the order. Read this first, then any stage.

::

    tables       job.given, tables     what people wrote: whose, when, which visit, what was drawn
    studies      studies               what is here, sorted into each child's visits
    one child    job.child             in this process or in several (job.places)
      images     image.read            one image: calibrate, then calipers and the network's outlines, in mm
      lesions    lesions               names over planes and visits, then sizes
      verdict    verdict.subject       targets, change, response, fates, disease, entry criteria
    report       report                people, tables
    cohort       cohort                the trial's answer, where more than one child has a change
    objects      job.objects           the results as DICOM segmentations and structured reports, on demand

An expected error costs the one image it comes from (`image.read` catches it); the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lesion_measure.batch import Measured, Tell
from lesion_measure.burnt_in.ocr import check_reader
from lesion_measure.cohort.analysis import analyse
from lesion_measure.cohort.command import check_lab_subjects, write_cohort
from lesion_measure.cohort.files import FOLDER, PAGE
from lesion_measure.cohort.words import answer
from lesion_measure.image.cover import Cover
from lesion_measure.image.shown import ShownFrames
from lesion_measure.job import folder, provenance
from lesion_measure.job.calipers import with_objects
from lesion_measure.job.given import Given, Tables, read_tables, sort_given
from lesion_measure.job.measuring import MeasuredChild, measure, tasks_of
from lesion_measure.job.model import load_model, wanted_bundle
from lesion_measure.job.own_files import left_out
from lesion_measure.job.places import measured
from lesion_measure.job.readings import sha256_of
from lesion_measure.job.request import RunRequest, command, nameless
from lesion_measure.records import Instance, RunResult, StudyList
from lesion_measure.report import TrialAnswer, write_report
from lesion_measure.report.overview import count, overview_of
from lesion_measure.results import read_results
from lesion_measure.studies import load_studies
from lesion_measure.tables.labs import Labs, read_labs
from lesion_measure.verdict.disappearance import check_evidence

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter

Track = Callable[[str, int, int], None]
"""``track(what, done, total)`` is told of progress."""


def run(request: RunRequest, track: Track = lambda what, done, total: None) -> RunResult:
    """Measure everything in ``request.input`` and write the report to ``request.out``.

    Raises
    ------
    InputError, TableError, ModelError, OutputError
        The input, a table, the model or the output folder as a whole cannot be used.
    """
    clock = provenance.Clock()
    config = request.config
    tables = read_tables(request.manifest, request.drawn, request.subjects, config.protocol.visit_names)
    readings_sha256 = sha256_of(request.readings)
    labs = read_labs(request.labs, config.protocol.visit_names) if request.labs else None
    bundle = wanted_bundle(request)
    _check(request)
    with clock.time("ingest"):
        studies, given = _ingested(request, tables)
        instances = _instances(given)
    if labs is not None:  # now, and not when everything is measured
        check_lab_subjects(labs, _subjects(given), str(request.labs))
    with clock.time("load model"):
        segmenter = _segmenter(bundle, request)
    # Once nothing that was given can be wrong any more.
    with (
        folder.opened(request.out, overwrite=request.overwrite, objects=request.dicom) as outlines,
        ShownFrames(config.limits, cover=Cover(config.report.blank)) as shown,
    ):
        here = partial(measure, request=request, segmenter=segmenter, shown=shown)
        with clock.time("measure"):
            tasks = tasks_of(given, tables.enrolled)
            children = _in_order(measured(tasks, request, bundle, here, _steps(track, len(instances))), len(tasks))
        for child in children:
            outlines.use.add(child.outlines)
        run = RunResult(
            subjects=tuple(child.result for child in children if child.result is not None),
            refusals=(*studies.refusals, *given.refusals, *(child.refusal for child in children if child.refusal)),
            instances=instances,
            provenance=provenance.collect(
                config,
                segmenter=segmenter,
                inputs=_inputs(children) | {each.path: each.sha256 for each in studies.objects},
                clock=clock,
                command=command(request),
                outlines={"made": outlines.use.made, "reused": outlines.use.reused},
                readings_sha256=readings_sha256,
            ),
            enrolled=tuple(tables.enrolled.values()) if request.subjects else None,
        )
        result = nameless(run, request, given.words) if request.no_paths else run
        write_report(
            result,
            request.out,
            config=config,
            pictures=_pictures(result, shown),
            answer=lambda: _answer(result, request, labs),
            more=lambda: _write_objects(result, request),
            single_file=request.single_file,
        )
    return result


def _check(request: RunRequest) -> None:
    """Refuse what cannot be done before anything is: for the folder, or for what is not installed."""
    if request.config.calibration.depth_scale:
        check_reader()
    folder.check(request.out, overwrite=request.overwrite)
    if request.dicom:
        folder.check_objects(request.out)


def _segmenter(bundle: Path | None, request: RunRequest) -> Segmenter | None:
    """The network, where one is asked for. What the settings know of its empty results must be of this very one."""
    segmenter = load_model(bundle, request)
    if segmenter is not None:
        check_evidence(request.config.disappearance, segmenter.name, segmenter.sha256)
    return segmenter


def _ingested(request: RunRequest, tables: Tables) -> tuple[StudyList, Given]:
    """What is here, with what objects draw on it; and all that, sorted into each child's visits."""
    config = request.config
    studies = load_studies(
        request.input, limits=config.limits, planes=config.planes, leave_out=left_out(request, tables.calipers),
        calipers=config.calipers,
    )  # fmt: skip
    studies = with_objects(studies, request.calipers, request.input, tables.calipers, config)
    return studies, sort_given(studies, tables, config)


def _instances(given: Given) -> tuple[Instance, ...]:
    return tuple(
        image for child in given.children for visit in child.visits.values() for s in visit for image in s.instances
    )


def _subjects(given: Given) -> set[str]:
    """Everybody of whom there are scans, refused ones among them."""
    return {child.subject for child in given.children} | {r.subject for r in given.refusals if r.subject}


def _in_order(found: Iterable[Measured[MeasuredChild]], number: int) -> list[MeasuredChild]:
    """The results in the order of the children, whoever was done first."""
    by_number = dict(found)
    return [by_number[place] for place in range(number)]


def _inputs(children: Iterable[MeasuredChild]) -> dict[str, str]:
    return {path: digest for child in children for path, digest in child.inputs.items()}


def _steps(track: Track, total: int) -> Tell:
    """Something to tell of images, which counts those that are done."""
    done = 0
    track("measuring", done, total)

    def tell(part: str) -> None:
        nonlocal done
        if not part:
            done += 1
            track("measuring", done, total)

    return tell


def _answer(result: RunResult, request: RunRequest, labs: Labs | None) -> TrialAnswer | None:
    """The statistics over the subjects, written beside the results; None where fewer than two count."""
    config = request.config
    if count(overview_of(result, config), config.comparison.primary_metric).measured < 2:
        return None
    cohort = analyse(read_results(request.out), labs=labs)
    write_cohort(cohort, request.out / FOLDER)
    return TrialAnswer(sentences=answer(cohort), page=f"{FOLDER}/{PAGE}")


def _write_objects(result: RunResult, request: RunRequest) -> None:
    """The results as DICOM objects, where they are asked for."""
    if request.dicom:
        from lesion_measure.job.objects import Images, write_objects  # which loads highdicom

        write_objects(read_results(request.out), Images.of(result.instances, request.config.limits), request.out)


def _pictures(result: RunResult, shown: ShownFrames) -> Callable[[str, int], NDArray[np.uint8]]:
    instances: dict[str, Instance] = {i.sop_instance_uid: i for i in result.instances}
    return lambda uid, frame: shown.display(instances[uid], frame)
