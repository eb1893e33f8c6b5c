"""A run as a whole: what is known of all children before one is measured, and what they come to together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lesion_measure.image.outlines import Use
from lesion_measure.job.given import Given, Tables
from lesion_measure.job.kept import KeptSubjects
from lesion_measure.job.measuring import MeasuredChild
from lesion_measure.job.nameless import Names
from lesion_measure.job.provenance import Clock
from lesion_measure.job.request import RunRequest, command, nameless, names_of
from lesion_measure.records import Enrolled, Instance, Provenance, Refusal, RunResult, StudyList
from lesion_measure.report import ChildRow, Overview


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun(RunResult):
    """A whole run whose ``subjects`` lie in its folder. ``rows`` are these in short."""

    subjects: KeptSubjects
    rows: tuple[ChildRow, ...]

    def read(self) -> RunResult:
        """The same with all of its subjects in memory."""
        return RunResult(
            subjects=tuple(self.subjects), refusals=self.refusals, instances=self.instances,
            provenance=self.provenance, enrolled=self.enrolled,
        )  # fmt: skip

    @property
    def overview(self) -> Overview:
        """The run in small."""
        return Overview(rows=self.rows, refusals=self.refusals, enrolled=self.enrolled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What is known of a run before a child is measured; ``names`` are left out of its results, None: none are.

    ``objects`` is the SHA-256 of each DICOM object by its path.
    """

    request: RunRequest
    refusals: tuple[Refusal, ...]
    instances: tuple[Instance, ...]
    objects: dict[str, str]
    enrolled: tuple[Enrolled, ...] | None
    made: Provenance
    names: Names | None

    @classmethod
    def of(cls, request: RunRequest, studies: StudyList, given: Given, tables: Tables, made: Provenance) -> Whole:
        """The run of what was found and given.

        Parameters
        ----------
        request
            What the user asked for.
        studies, given, tables
            The files that were found, the children that they and the tables come to, and the tables.
        made
            Versions, settings and network.
        """
        instances = tuple(
            i for child in given.children for visit in child.visits.values() for study in visit for i in study.instances
        )
        refusals = (*studies.refusals, *given.refusals)
        names = None
        if request.no_paths:
            content = (
                given,
                refusals,
                instances,
                tuple(tables.enrolled.values()),
                [each.path for each in studies.objects],
            )
            schedule = request.config.protocol.timetable()
            names = Names(content, [*names_of(request), *given.words], schedule)
        return cls(
            request=request,
            refusals=refusals,
            instances=instances,
            objects={each.path: each.sha256 for each in studies.objects if each.sha256},
            enrolled=tuple(tables.enrolled.values()) if request.subjects else None,
            made=made,
            names=names,
        )

    def result(self, children: Sequence[MeasuredChild], outlines: Use, clock: Clock) -> FinishedRun:
        """The run with its children measured."""
        names = self.names
        rows = tuple(child.row for child in children if child.row is not None)
        reused = sum(child.reused for child in children)
        made = replace(
            self.made,
            inputs={path: digest for child in children for path, digest in child.inputs.items()}
            | {path if names is None else names.path(path): digest for path, digest in self.objects.items()},
            started=clock.started,
            seconds={part: round(seconds, 3) for part, seconds in clock.seconds.items()},
            command=command(self.request),
            outlines={"made": outlines.made, "reused": outlines.reused},
            children={"measured": len(rows) - reused, "reused": reused},
        )
        refusals = (*self.refusals, *(child.refusal for child in children if child.refusal))
        return FinishedRun(
            subjects=KeptSubjects(self.request.out, [row.page for row in rows]),
            rows=rows,
            refusals=refusals if names is None else names.within(refusals),
            instances=self.instances if names is None else names.within(self.instances),
            provenance=made if names is None else nameless(made, self.request, names),
            enrolled=self.enrolled if names is None else names.within(self.enrolled),
        )
