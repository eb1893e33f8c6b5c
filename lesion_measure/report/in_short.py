"""A child as the cohort's statistics take it: of 3,600 children all of it is more than memory holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lesion_measure.records import LesionMeasurement, PlaneMeasurement, SubjectResult

_NO_LINE = np.empty((0, 2))


def in_short(subject: SubjectResult) -> SubjectResult:
    """Visits, changes of the child as a whole, verdicts at each visit and form; of its lesions when they were there.

    Where two readers measured a lesion, the sizes that they are compared by stay as well.
    """
    disease = subject.disease
    return replace(
        subject,
        lesions=tuple(map(_lesion, subject.lesions)),
        changes=tuple(change for change in subject.changes if change.lesion is None),
        disease=disease and replace(disease, non_targets=(), burdens=(), liver=(), liver_changes=()),
        review=(),
        statuses=(),
        assessments=tuple(replace(assessment, why="") for assessment in subject.assessments),
        course=None,
        entry=(),
        calipers=(),
        not_compared=(),
    )


def _lesion(lesion: LesionMeasurement) -> LesionMeasurement:
    return replace(
        lesion,
        planes=tuple(map(_plane, lesion.planes)) if lesion.alternatives else (),
        short_axis_mm=None,
        third_diameter_mm=None,
        volume_ml=None,
        other_volumes=(),
        warnings=(),
    )


def _plane(plane: PlaneMeasurement) -> PlaneMeasurement:
    outline = None if plane.outline_px is None else _NO_LINE
    return replace(plane, outline_px=outline, body=None, appearance=None, warnings=())
