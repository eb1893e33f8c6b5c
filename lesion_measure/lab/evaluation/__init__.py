"""How well a model does on pictures with known lesions, with intervals, pictures and a paired comparison.

``run`` draws, from calipers that are moved as ``moves`` says (`cases` is what it finds out, `overlap` how outlines are
compared), ``summary`` sums up with ``bootstrap`` intervals, ``reliability`` asks whether the confidence can be
believed, ``comparison`` sets two networks side by side, ``page`` (`figures`, `gallery`) and ``files`` write;
``command`` is the whole of it, in order.
"""

from lesion_measure.lab.evaluation.cases import (
    Candidate,
    Case,
    Drawn,
    LesionCase,
    Method,
    Placing,
    Size,
    automatic_candidates,
    prompted_candidates,
    rescored,
)
from lesion_measure.lab.evaluation.command import EvaluationRequest, evaluate
from lesion_measure.lab.evaluation.comparison import SetComparison, compare
from lesion_measure.lab.evaluation.files import as_json, plain
from lesion_measure.lab.evaluation.moves import other_spreads, placings_by_set
from lesion_measure.lab.evaluation.record import Evaluation
from lesion_measure.lab.evaluation.run import Placement, run_cases
from lesion_measure.lab.evaluation.summary import SetSummary, Summary, summarise
from lesion_measure.lab.evaluation.trained import (
    HELD_BACK_PICTURES,
    TRAINING_PICTURES,
    HeldBack,
    held_back_text,
    read_held_back,
    read_training_pictures,
    training_pictures_text,
)
from lesion_measure.lab.evaluation.words import card_rows, report_lines
from lesion_measure.stats.estimates import Estimate

__all__ = [
    "HELD_BACK_PICTURES",
    "TRAINING_PICTURES",
    "Candidate",
    "Case",
    "Drawn",
    "Estimate",
    "Evaluation",
    "EvaluationRequest",
    "HeldBack",
    "LesionCase",
    "Method",
    "Placement",
    "Placing",
    "SetComparison",
    "SetSummary",
    "Size",
    "Summary",
    "as_json",
    "automatic_candidates",
    "card_rows",
    "compare",
    "evaluate",
    "held_back_text",
    "other_spreads",
    "placings_by_set",
    "plain",
    "prompted_candidates",
    "read_held_back",
    "read_training_pictures",
    "report_lines",
    "rescored",
    "run_cases",
    "summarise",
    "training_pictures_text",
]
