"""How a run ended, and what of it somebody should look at."""

from __future__ import annotations

from typing import Literal

from lesion_measure.job.whole import FinishedRun
from lesion_measure.records import Refusal
from lesion_measure.report import FILES_LEFT_OUT

Outcome = Literal["MEASURED", "NOTHING_MEASURED", "NEEDS_REVIEW"]


def outcome(result: FinishedRun) -> Outcome:
    """How a run ended, in the words of the command line's exit codes.

    Files that are no ultrasound images are listed but do not count against a run.
    """
    if not any(row.lesions or row.liver for row in result.rows):
        return "NOTHING_MEASURED"
    return "NEEDS_REVIEW" if problems(result) else "MEASURED"


def problems(result: FinishedRun) -> list[Refusal]:
    """Everything that somebody should look at, without repeats: what was refused, and what needs review."""
    refused = (refusal for refusal in result.refusals if refusal.code not in FILES_LEFT_OUT)
    return list(dict.fromkeys([*refused, *(refusal for row in result.rows for refusal in row.review)]))
