"""What a draft must be to be kept: whole, and such that the caliper table which it becomes can be read again."""

from __future__ import annotations

import math

from lesion_measure.errors import ReviewError, TableError
from lesion_measure.review.messages import Draft, Kind, Line
from lesion_measure.spelling import nfc, unprintable
from lesion_measure.tables.cells import why_not_typed
from lesion_measure.tables.contours import FARTHEST_PX, contour_points, contour_text

SHORTEST_PX = 0.01
"""A shorter line has no length in a table, whose numbers are rounded."""
_LONGEST_NAME = 64


def checked(draft: Draft) -> Draft:
    """The draft with its lesion's name as tables spell it.

    Raises
    ------
    ReviewError
        Code ``draft``: what it draws does not fit its kind, or a text is none that a table can hold.
    """
    _check_drawn(draft)
    if draft.kind in (Kind.NOT_FOUND, Kind.NOT_ASSESSABLE) and not draft.reason.strip():
        raise _refusal("A lesion that was not found or cannot be assessed needs a reason.")
    for what, text in (("reason", draft.reason), ("comment", draft.comment)):
        written(text, what)
    return draft.model_copy(update={"lesion": name(draft.lesion, "lesion")})


def name(text: str, what: str) -> str:
    """A name of a lesion or reader, composed and without spaces around it. Raises as `checked`."""
    found = nfc(text.strip())
    if not found or len(found) > _LONGEST_NAME or not found.isprintable():
        raise _refusal(
            f"The name of the {what} is not printable text of 1 to {_LONGEST_NAME} characters{unprintable(found)}."
        )
    if why_not_typed(found) is not None:
        raise _refusal(
            f"The name of the {what}, '{found}', is one that spreadsheets make of another text. Choose another name."
        )
    return found


def written(text: str, what: str) -> str:
    """A text of several lines, as it is. Raises as `checked`."""
    if any(not (letter.isprintable() or letter in "\n\t") for letter in text):
        raise _refusal(f"The {what} holds a character that cannot be printed.")
    return text


def _check_drawn(draft: Draft) -> None:
    drawn = {
        Kind.CALIPER: draft.long is not None and draft.contour is None,
        Kind.OUTLINE: draft.contour is not None and draft.long is None and draft.short is None,
    }
    nothing = draft.long is None and draft.short is None and draft.contour is None
    if not drawn.get(draft.kind, nothing):
        raise _refusal(f"What is drawn is none that '{draft.kind}' has.")
    for line in (draft.long, draft.short):
        if line is not None:
            _check_line(line)
    if draft.contour is not None:
        try:
            contour_points(contour_text(draft.contour))
        except TableError as error:
            raise _refusal(f"The contour {error.reason}.") from error


def _check_line(line: Line) -> None:
    if max(abs(number) for end in line for number in end) > FARTHEST_PX:
        raise _refusal("A caliper ends in no image.")
    if math.dist(*line) < SHORTEST_PX:
        raise _refusal("A caliper has no length: both ends are the same point.")


def _refusal(reason: str) -> ReviewError:
    return ReviewError(reason, code="draft")
