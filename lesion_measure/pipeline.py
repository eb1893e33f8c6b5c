"""The whole way, and the only file that knows the order. Read this first, then any stage.

::

    studies      ingest      what is here
    given        given       the tables that people wrote: whose, when, which visit, what was drawn, what is unused
    planes       images      one image: calibrate, then the reader's calipers and the network's outlines, in mm
    lesions      lesions     the same lesion across the planes and visits of a child
    doubts       doubts, plausible   what was written and cannot be used or believed
    gone         disappearance   whether an empty result of the network says that a lesion is gone
    targets      targets     which of them the sums run over
    change       compare     baseline against one month
    disease      disease     form and burden, the liver itself; entry: the protocol's criteria
    response     verdicts, response    what the change is called, by the trial's rule and by others
    statuses     statuses    what became of each lesion, and what rests on an automatic pairing
    cohort       cohort/     the trial's answer, where more than one child has a change
    report       report/     people, tables

An expected error costs the one image it comes from (`images.read_image` catches it); the run goes on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from lesion_measure.cohort.analysis import analyse
from lesion_measure.cohort.command import check_lab_subjects, write_cohort
from lesion_measure.cohort.files import FOLDER, PAGE
from lesion_measure.cohort.words import answer
from lesion_measure.config import AppliedRule, Config
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.files.shipped import find_model
from lesion_measure.image.outlines import Outlines
from lesion_measure.image.read import Task, counting, read_image
from lesion_measure.job import folder, provenance
from lesion_measure.job.given import read_tables, sort_given
from lesion_measure.job.own_files import own_files
from lesion_measure.job.request import Request as Request
from lesion_measure.job.request import command, nameless
from lesion_measure.lesions.assembly import assemble
from lesion_measure.lesions.naming import VisitReadings, name_lesions, set_liver_apart
from lesion_measure.records import (
    Caliper,
    Criterion,
    Doubt,
    Enrolled,
    ImageLabel,
    Instance,
    LesionGroup,
    LesionMeasurement,
    Refusal,
    RunResult,
    Study,
    SubjectResult,
    SubjectVisits,
    Visit,
)
from lesion_measure.report import FILES_LEFT_OUT, TrialAnswer, write_report
from lesion_measure.report.overview import count
from lesion_measure.results import read_results
from lesion_measure.studies import load_studies
from lesion_measure.tables.labs import Labs, read_labs
from lesion_measure.verdict.change import compare_subject
from lesion_measure.verdict.disappearance import call_gone, check_evidence
from lesion_measure.verdict.disease import describe
from lesion_measure.verdict.doubts import lost_statements, of_lesions, unmeasured, why_not_certain
from lesion_measure.verdict.entry import entry_criteria, other_unit
from lesion_measure.verdict.fates import mark_pairings, statuses
from lesion_measure.verdict.judge import NO_PRODUCTS, Known, judge, lacks_products, secondary, set_aside
from lesion_measure.verdict.plausible import implausible
from lesion_measure.verdict.targets import choose_targets, contradictions, no_other_lesion, stated_new

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter

Track = Callable[[str, int, int], None]
"""``track(what, done, total)`` is told of progress."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every child of a run needs. ``doubts`` by subject: what a person wrote and no image of it answers to."""

    request: Request
    outlines: Outlines
    segmenter: Segmenter | None
    calipers: Mapping[str, tuple[Caliper, ...]]
    labels: Mapping[str, ImageLabel]
    enrolled: Mapping[str, Enrolled]
    doubts: Mapping[str, Sequence[Doubt]] = field(default_factory=dict)
    step: Callable[[], None] = lambda: None
    """Told of every image that is done."""
    hashes: dict[str, str] = field(default_factory=dict)


def run(request: Request, track: Track = lambda what, done, total: None) -> RunResult:
    """Measure everything in ``request.input`` and write the report to ``request.out``.

    Raises
    ------
    InputError, TableError, ModelError, OutputError
        The input, a table, the model or the output folder as a whole cannot be used.
    """
    clock = provenance.Clock()
    config = request.config
    tables = read_tables(request.manifest, request.calipers, request.subjects)
    labs = read_labs(request.labs) if request.labs else None
    bundle = _wanted_bundle(request)
    folder.check(request.out, overwrite=request.overwrite)
    with clock.time("ingest"):
        studies = load_studies(
            request.input, limits=config.limits, planes=config.planes, leave_out=_own_files(request, tables.calipers)
        )
        given = sort_given(studies, tables, config)
        instances = tuple(
            i for child in given.children for visit in child.visits.values() for s in visit for i in s.instances
        )
    if labs is not None:  # now, and not when everything is measured
        found = {c.subject for c in given.children} | {r.subject for r in given.refusals if r.subject}
        check_lab_subjects(labs, found, str(request.labs))
    with clock.time("load model"):
        segmenter = _load_model(bundle, request)
        if segmenter is not None:
            check_evidence(config.disappearance, segmenter.name, segmenter.sha256)
    # Once nothing that was given can be wrong any more.
    with folder.opened(request.out, overwrite=request.overwrite) as outlines:
        job = Job(
            request, outlines, segmenter, given.calipers, given.labels, tables.enrolled, given.doubts,
            step=_steps(track, len(instances)),
        )  # fmt: skip
        with clock.time("measure"):
            subjects = tuple(measure_child(child, job) for child in given.children)
        result = RunResult(
            subjects=subjects,
            refusals=(*studies.refusals, *given.refusals),
            instances=instances,
            provenance=provenance.collect(
                config,
                segmenter=segmenter,
                inputs=job.hashes,
                clock=clock,
                command=command(request),
                outlines={"made": outlines.made, "reused": outlines.reused},
            ),
            enrolled=tuple(tables.enrolled.values()) if request.subjects else None,
        )
        if request.no_paths:
            result = nameless(result, request, tables.calipers)
        write_report(
            result,
            request.out,
            config=config,
            pictures=_pictures(result, config),
            answer=lambda: _answer(result, request, labs),
        )
    return result


def _steps(track: Track, total: int) -> Callable[[], None]:
    """Something to call after each image; it tells how many are done."""
    numbers = itertools.count()

    def step() -> None:
        track("measuring", next(numbers), total)

    step()
    return step


def _answer(result: RunResult, request: Request, labs: Labs | None) -> TrialAnswer | None:
    """The statistics over the subjects, written beside the results; None where fewer than two count."""
    if count(result, request.config.comparison.primary_metric).measured < 2:
        return None
    cohort = analyse(read_results(request.out), labs=labs)
    write_cohort(cohort, request.out / FOLDER)
    return TrialAnswer(sentences=answer(cohort), page=f"{FOLDER}/{PAGE}")


def measure_child(child: SubjectVisits, job: Job) -> SubjectResult:
    """One child: every image of every visit, then its lesions, their change and the response."""
    config = job.request.config
    readings: dict[Visit, VisitReadings] = {}
    review: list[Refusal] = []
    doubts = list(job.doubts.get(child.subject, ()))
    for visit, studies in child.visits.items():
        readings[visit], refusals, lost = _read_visit(child.subject, visit, studies, job)
        review += refusals
        doubts += lost
    read = {doubt.refusal.visit for doubt in doubts}
    looked = {
        visit: tuple(r.looks) for visit, r in readings.items() if not (r.caliper or r.absent or read & {visit, None})
    }
    readings, organ = set_liver_apart(readings)
    named = name_lesions(child.subject, readings, job.labels, config.pairing)
    lesions, unclear = assemble(child.subject, named.visits, config)
    lesions, not_gone, asks = call_gone(child.subject, lesions, looked, _model_name(job), config.disappearance)
    liver, liver_unclear = assemble(child.subject, organ, config)
    if asks:  # which stand for the single images
        review = [r for r in review if r.code != "nothing_found" or r.visit != Visit.ONE_MONTH]
    review += [*named.refusals, *asks, *liver_unclear]
    doubts += [Doubt(refusal, seen=True) for refusal in unclear]
    return judge_child(child, lesions, named.groups, liver, review, job, not_gone, doubts)


def judge_child(
    child: SubjectVisits,
    lesions: tuple[LesionMeasurement, ...],
    groups: tuple[LesionGroup, ...],
    liver: tuple[LesionMeasurement, ...],
    review: list[Refusal],
    job: Job,
    not_gone: Mapping[str, str] = MappingProxyType({}),
    doubts: Sequence[Doubt] = (),
) -> SubjectResult:
    """The measured lesions of one child: targets, change, form and burden, entry criteria, response.

    ``not_gone``: why an empty result of the network does not say that a lesion is gone, by its name. ``doubts``: what a
    person wrote and could not be used.
    """
    subject, config = child.subject, job.request.config
    rule, name = config.comparison.applied_rule, config.comparison.rule
    enrolled = job.enrolled.get(subject)
    earlier = tuple(group for group in groups if group.visit is Visit.BASELINE)  # between screening and baseline
    groups = tuple(group for group in groups if group.visit is not Visit.BASELINE)
    dates = {v: min((s.study_date for s in t if s.study_date), default=None) for v, t in child.visits.items()}
    first, later = dates.get(Visit.BASELINE), dates.get(Visit.ONE_MONTH)
    doubts = [
        *doubts,
        *child.doubts,
        *implausible(lesions, liver),
        *contradictions(subject, lesions, enrolled),
        *_about_others(child, lesions, rule, job),
    ]
    review += [doubt.refusal for doubt in doubts]
    organ = unmeasured(doubts, liver)
    doubts = of_lesions(doubts)
    sizeless = unmeasured(doubts, lesions)
    not_gone = {**lost_statements(doubts, lesions), **not_gone}
    known = Known(
        subject=subject,
        lesions=lesions,
        groups=groups,
        enrolled=enrolled,
        manifest=_manifest_targets(child, job),
        new=stated_new(lesions, enrolled, sizeless[Visit.BASELINE]),
        not_gone=not_gone,
        days=(later - first).days if first and later else None,
        both=Visit.BASELINE in child.visits and Visit.ONE_MONTH in child.visits,
        doubts=doubts,
        unmeasured=sizeless,
    )
    judged = judge(known, name, rule, config.pairing)
    liver_changes, liver_missing = compare_subject(subject, liver, unmeasured=organ)
    disease, unmeasurable, unfit = describe(
        subject, lesions, judged.choice, enrolled, liver=liver,
        liver_changes=[c for c in liver_changes if c.lesion is not None],
        visits=[v for v in Visit if v in child.visits],
    )  # fmt: skip
    asked = config.comparison.asked
    needed, not_compared = set_aside((*judged.refusals, *liver_missing), asked)
    review += [*needed, *unmeasurable]
    review += other_unit(enrolled, config.protocol.entry.age_months)
    if known.both and not judged.changes and not review:
        review.append(_no_change(subject))
    if lacks_products(judged.changes, asked):
        review.append(_no_products(subject))
    return SubjectResult(
        subject=subject,
        visit_dates=dates,
        visit_sources=dict(child.sources),
        lesions=lesions,
        changes=judged.changes,
        response=judged.response,
        review=tuple(dict.fromkeys(review)),
        statuses=statuses(
            lesions, child.visits, groups, known.new, config.pairing, not_gone=not_gone, unmeasured=sizeless
        ),
        warnings=(*child.warnings, *unfit),
        assessments=judged.assessments,
        best_response=judged.best,
        disease=disease,
        entry=_entry(child, known, earlier, rule, job),
        secondary=secondary(known, config.comparison.other_rules, config.pairing) if known.both else (),
        excluded=enrolled.excluded if enrolled else (),
        not_compared=not_compared,
    )


def _about_others(
    child: SubjectVisits, lesions: tuple[LesionMeasurement, ...], rule: AppliedRule, job: Job
) -> tuple[Doubt, ...]:
    """A progression of other lesions that the subjects table states of a child that has none."""
    enrolled = job.enrolled.get(child.subject)
    if enrolled is None or not enrolled.non_target_progression:
        return ()
    choice, _ = choose_targets(
        child.subject, lesions, rule.targets, enrolled=enrolled, manifest=_manifest_targets(child, job)
    )
    return () if choice.non_targets else (no_other_lesion(child.subject),)


def _own_files(request: Request, drawn: Sequence[Caliper]) -> list[Path]:
    """The results, and all tables and masks of the program: where they lie among the images they are no images."""
    tables = (request.config_file, request.manifest, request.calipers, request.subjects, request.labs)
    return [
        request.out,
        *(path for path in tables if path),
        *(row.mask for row in drawn if row.mask),
        *own_files(request.input),
    ]


def _model_name(job: Job) -> str:
    return "" if job.segmenter is None else job.segmenter.name


def _manifest_targets(child: SubjectVisits, job: Job) -> tuple[str, ...]:
    """Names of the lesions that the manifest calls targets on any image of the child."""
    images = (i for studies in child.visits.values() for study in studies for i in study.instances)
    labels = (job.labels.get(i.sop_instance_uid, ImageLabel()) for i in images)
    return tuple(dict.fromkeys(label.lesion for label in labels if label.target))


def _entry(
    child: SubjectVisits, known: Known, groups: tuple[LesionGroup, ...], rule: AppliedRule, job: Job
) -> tuple[Criterion, ...]:
    """The entry criteria; the shrinkage before entry runs over the lesions that screening would have chosen."""
    visits = (Visit.SCREENING, Visit.BASELINE)
    config, lesions, enrolled = job.request.config, known.lesions, known.enrolled
    choice, _ = choose_targets(
        child.subject, lesions, rule.targets, enrolled=enrolled, manifest=known.manifest,
        visit=Visit.SCREENING, unmeasured=known.unmeasured.get(Visit.SCREENING, {}),
    )  # fmt: skip
    changes, reasons = compare_subject(
        child.subject, lesions, choice.targets, visits=visits, groups=groups, unmeasured=known.unmeasured
    )
    changes = mark_pairings(changes, lesions, choice.targets, visits)
    metric = config.comparison.primary_metric
    shrinkage = next((c for c in changes if c.lesion is None and c.metric is metric), None)
    why = next((r.reason for r in reasons if r.code != "not_found_at_baseline"), "no lesion was measured at both scans")
    if Visit.SCREENING not in child.visits:
        why = "there is no screening scan"
    held = why_not_certain(known.doubts, visits)
    return entry_criteria(config.protocol.entry, enrolled, shrinkage, why, config.pairing.min_confidence, held)


def _read_visit(
    subject: str, visit: Visit, studies: tuple[Study, ...], job: Job
) -> tuple[VisitReadings, list[Refusal], list[Doubt]]:
    """What was read at a visit; what asks for review; and the readers' rows that gave no number."""
    readings = VisitReadings()
    refusals: list[Refusal] = []
    doubts: list[Doubt] = []
    empty: list[Refusal] = []
    for instance in (i for study in studies for i in study.instances):
        uid = instance.sop_instance_uid
        task = Task(
            instance=instance,
            subject=subject,
            visit=visit,
            label=job.labels.get(uid, ImageLabel()),
            calipers=job.calipers.get(uid, ()),
        )
        reading = read_image(task, job.segmenter, job.request.config, job.outlines)
        job.step()
        job.hashes[instance.path] = reading.sha256
        readings.looks.append(reading.seen)
        readings.model += reading.model
        readings.caliper += reading.caliper
        readings.absent += reading.absent
        refusals += reading.refusals
        if counting(task.calipers, job.request.config):
            doubts += reading.doubts
        else:
            refusals += [doubt.refusal for doubt in reading.doubts]
        empty += [reading.empty] if reading.empty else []
    if readings.model or readings.caliper or readings.absent:
        return readings, refusals + [refusal for refusal in empty if refusal.lesion], doubts
    silent = not refusals and not doubts
    return readings, refusals + (empty or [_nothing_measured(subject, visit)] * silent), doubts


def _no_products(subject: str) -> Refusal:
    return Refusal(
        code="no_products",
        reason=f"The rule or the primary size is a product of two axes, and {NO_PRODUCTS}.",
        remedy="Draw the short axis at both visits, across the long one.",
        subject=subject,
        visit=Visit.ONE_MONTH,
    )


def _no_change(subject: str) -> Refusal:
    return Refusal(
        code="no_change",
        reason="Both visits are there, and no lesion was measured at both.",
        remedy="Look at what was measured at each visit; place calipers on the lesion that is missing.",
        subject=subject,
        visit=Visit.ONE_MONTH,
    )


def _nothing_measured(subject: str, visit: Visit) -> Refusal:
    return Refusal(
        code="nothing_measured",
        reason=f"No caliper and no network measured anything at {visit.replace('_', ' ')}.",
        remedy="Give --model, or calipers for this visit's images.",
        subject=subject,
        visit=visit,
    )


def _wanted_bundle(request: Request) -> Path | None:
    """The bundle of the network that was asked for; none where the run rests on calipers alone."""
    policy = request.config.segment.policy
    if policy == "calipers_only" or (policy != "model_only" and request.calipers and request.model is None):
        return None
    return find_model(request.model, instead="measure with --calipers")


def _load_model(bundle: Path | None, request: Request) -> Segmenter | None:
    if bundle is None:
        return None
    from lesion_measure.network import Segmenter  # a run by calipers alone imports no torch

    return Segmenter.from_bundle(bundle, device=request.device, threads=request.threads)


def _pictures(result: RunResult, config: Config) -> Callable[[str, int], NDArray[np.uint8]]:
    instances: dict[str, Instance] = {i.sop_instance_uid: i for i in result.instances}

    def picture(uid: str, frame: int) -> NDArray[np.uint8]:
        with FrameReader(instances[uid], config.limits) as reader:
            return reader.display(frame)

    return picture


Outcome = Literal["MEASURED", "NOTHING_MEASURED", "NEEDS_REVIEW"]


def outcome(result: RunResult) -> Outcome:
    """How a run ended, in the words of the command line's exit codes.

    Files that are no ultrasound images are listed but do not count against a run.
    """
    if not any(s.lesions or (s.disease and s.disease.liver) for s in result.subjects):
        return "NOTHING_MEASURED"
    return "NEEDS_REVIEW" if problems(result) else "MEASURED"


def problems(result: RunResult) -> list[Refusal]:
    """Everything that somebody should look at, without repeats: what was refused, and what needs review."""
    refused = (refusal for refusal in result.refusals if refusal.code not in FILES_LEFT_OUT)
    return list(dict.fromkeys([*refused, *(refusal for subject in result.subjects for refusal in subject.review)]))
