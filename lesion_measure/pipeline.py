"""The order of a run; that of one child is `job.child`. Read these two first, then any stage.

::

    tables       job.given, tables     what people wrote: whose, when, which visit, what was drawn
    studies      job.ingest, studies   what is here and drawn on it, sorted into each child's visits
    one child    job.child             in this process or in several (job.places)
      images     image.read            one image: calibrate, then calipers and the network's outlines, in mm
      lesions    lesions               names over planes and visits, then sizes
      verdict    verdict.subject       targets, change, response, fates, disease, entry criteria
    tables       report.results        results.json and tables, child by child
    cohort       cohort                the trial's answer, where more than one child has a change
    report       report                the index for people; a child's page is written with the child
    objects      job.objects           the results as DICOM segmentations and structured reports, on demand

An expected error costs the one image or drawing it comes from (`image.read` catches it); the run goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lesion_measure.batch import Track, counted
from lesion_measure.cohort.analysis import analyse
from lesion_measure.cohort.command import check_lab_subjects, write_cohort
from lesion_measure.cohort.files import FOLDER, PAGE
from lesion_measure.cohort.words import answer
from lesion_measure.job import folder, provenance
from lesion_measure.job.given import read_tables
from lesion_measure.job.ingest import check_possible, ingested, subjects_of
from lesion_measure.job.measuring import MeasuredChild, Measurer, Setting, tasks_of
from lesion_measure.job.model import load_model, wanted_bundle
from lesion_measure.job.places import in_order, measured
from lesion_measure.job.readings import sha256_of
from lesion_measure.job.request import RunRequest, absolute
from lesion_measure.job.server import begin_processes
from lesion_measure.job.whole import FinishedRun, Whole
from lesion_measure.report import TrialAnswer, write_index
from lesion_measure.report.overview import count
from lesion_measure.report.results import as_results, write_data, write_run
from lesion_measure.tables.labs import Labs, read_labs


def run(request: RunRequest, track: Track = lambda what, done, total: None) -> FinishedRun:
    """Measure everything in ``request.input`` and write the report to ``request.out``.

    Raises
    ------
    InputError, TableError, ModelError, ClusterError, OutputError
        The input, a table, the model, the cluster or the output folder as a whole cannot be used.
    """
    clock = provenance.Clock()
    request = request if request.scheduler is None else absolute(request)
    config = request.config
    tables = read_tables(
        request.manifest, request.drawn, request.subjects, config.protocol.visit_names, scans=request.input
    )
    readings_sha256 = sha256_of(request.readings)
    labs = read_labs(request.labs, config.protocol.visit_names) if request.labs else None
    bundle = wanted_bundle(request)
    check_possible(request)
    begin_processes(request.jobs, request.scheduler)
    with clock.time("ingest"):
        studies, given = ingested(request, tables)
    if labs is not None:  # now, and not when everything is measured
        check_lab_subjects(labs, subjects_of(given), str(request.labs))
    with clock.time("load model"):
        segmenter = load_model(bundle, request)
    made = provenance.collect(config, segmenter=segmenter, readings_sha256=readings_sha256)
    whole = Whole.of(request, studies, given, tables, made)
    # The folder is opened once nothing that was given can be wrong any more: an earlier result stays till then.
    with folder.opened(
        request.out, overwrite=request.overwrite, objects=request.dicom, fresh=request.fresh
    ) as outlines:
        with clock.time("measure"):
            setting = Setting.of(request, bundle, made, whole.names)
            tasks = tasks_of(given, tables.enrolled, whole.refusals)
            tell = counted(track, sum(len(task.images) for task in tasks))
            children = in_order(measured(tasks, setting, Measurer(setting, lambda: segmenter), tell), len(tasks))
        for child in children:
            outlines.use.add(child.outlines)
        result = whole.result(children, outlines.use, clock)
        _write(result, children, request, labs)
    return result


def _write(result: FinishedRun, children: Sequence[MeasuredChild], request: RunRequest, labs: Labs | None) -> None:
    """Everything that tells of all children; run.json, which says that all is there, comes last."""
    out, config = request.out, request.config
    digest = write_data(as_results(result, config, (), result.rows), result.subjects.lines(), out)
    trial = _answer(result, children, request, labs, digest)
    write_index(result.overview, out, config, result.provenance, trial, single_file=request.single_file)
    _write_objects(result, request)
    folder.keep_only(out, [row.page for row in result.rows], [file for child in children for file in child.files])
    write_run(result, result.overview, out, config)


def _answer(
    result: FinishedRun, children: Iterable[MeasuredChild], request: RunRequest, labs: Labs | None, sha256: str
) -> TrialAnswer | None:
    """The statistics over the subjects, written beside the results; None where fewer than two count.

    Parameters
    ----------
    result, children
        The run, and its children in short.
    request, labs
        What the user asked for, and the laboratory values.
    sha256
        That of results.json.
    """
    if count(result.overview, request.config.comparison.primary_metric).measured < 2:
        return None
    short = as_results(result, request.config, (child.short for child in children if child.short), result.rows)
    cohort = analyse(replace(short, sha256=sha256), labs=labs)
    write_cohort(cohort, request.out / FOLDER)
    return TrialAnswer(sentences=answer(cohort), page=f"{FOLDER}/{PAGE}")


def _write_objects(result: FinishedRun, request: RunRequest) -> None:
    """The results as DICOM objects, where they are asked for."""
    if request.dicom:
        from lesion_measure.job.objects import Images, write_objects  # which loads highdicom

        head = as_results(result, request.config, (), result.rows)
        images = Images.of(result.instances, request.config.limits)
        write_objects(head, result.subjects.rounded(), images, request.out)
