"""The same caliper given twice is one: in a table and an object, in two objects, in an earlier and a later version.

A row of a table counts before an object, and a later object before an earlier one. What does not count is listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lesion_measure.drawings.figures import Figure
from lesion_measure.drawings.placing import Placed, same_line
from lesion_measure.records import Axis, Caliper, ObjectKind, Refusal, is_unnamed

TWICE = "drawn_twice"
Rows = Mapping[str, Sequence[Caliper]]
"""The rows of caliper tables by the SOP Instance UID of their image."""


def lines_once(figures: Sequence[Figure], rows: Rows) -> tuple[list[Figure], list[Refusal]]:
    """Each line once. Of a figure of which a row, or a better told object, has a line already, only the rest is left.

    What is left takes name, reader and plane of the other: who wrote one caliper down twice drew both its axes.
    """
    kept: list[Figure] = []
    listed: list[Refusal] = []
    seen: dict[tuple[str, int], list[Placed | Caliper]] = defaultdict(list)
    for uid, calipers in rows.items():
        for row in calipers:
            seen[uid, row.frame].append(row)
    for figure in sorted(figures, key=_rank):
        there = seen[figure.image.sop_instance_uid, figure.frame]
        twins = [next((known for known in there if _same(line, known)), None) for line in figure.lines]
        twin = next((each for each in twins if each is not None), None)
        rest = [line for line, known in zip(figure.lines, twins, strict=True) if known is None]
        if twin is not None and any(_has_axis(there, twin, line.axis) for line in rest):
            rest = list(figure.lines)  # one axis is the same and the other is not: drawn anew, or by another reader
        elif twin is not None:
            listed.append(figure.listed(TWICE, f"is the caliper of {_words(twin)} as well, and counts once"))
            rest = [_beside(line, twin) for line in rest]
        if rest:
            there += rest
            kept.append(Figure(tuple(rest)))
    return kept, listed


def _rank(figure: Figure) -> tuple[object, ...]:
    """Named before unnamed, people before programs, both axes before one; then by what the objects are."""
    whole = figure.held_in
    return (
        not figure.lesion,
        figure.reader in set(ObjectKind),
        -len(figure.lines),
        list(ObjectKind).index(whole.kind),
        whole.sop_instance_uid,
        [line.drawing.origin.item for line in figure.lines],
    )


def _same(line: Placed, known: Placed | Caliper) -> bool:
    if line.axis is Axis.ABSENT:
        return False  # two readers may state it
    if line.is_outline:
        other = None if isinstance(known, Caliper) else known.drawing
        return other is not None and other.mask == line.drawing.mask and other.points == line.drawing.points
    ends = (known.start, known.end) if isinstance(known, Caliper) else known.drawing.points
    return len(ends) == 2 and same_line(line.drawing.points, ends)


def _has_axis(there: Sequence[Placed | Caliper], twin: Placed | Caliper, axis: Axis | None) -> bool:
    return any(each.axis is axis and (each.lesion, each.reader) == (twin.lesion, twin.reader) for each in there)


def _beside(line: Placed, twin: Placed | Caliper) -> Placed:
    """A line as one of the lesion, reader and plane of a line that is known already."""
    return replace(line, lesion=twin.lesion, reader=twin.reader, plane=twin.plane, completes=True)


def _words(known: Placed | Caliper) -> str:
    if isinstance(known, Caliper):
        return f"caliper row {known.row_number}"
    return known.held_in.path


def rows_first(figures: Sequence[Figure], rows: Rows) -> tuple[list[Figure], list[Refusal]]:
    """Without the figures of which the same reader has rows, on the same image and of the same lesion."""
    kept, listed = [], []
    for figure in figures:
        own = [
            row
            for row in rows.get(figure.image.sop_instance_uid, ())
            if (row.lesion, row.reader) == (figure.lesion, figure.reader)
        ]
        if own and not figure.lines[0].completes:
            numbers = ", ".join(str(row.row_number) for row in own)
            listed.append(
                figure.listed(
                    TWICE,
                    f"is {figure.lesion} by {figure.reader} on {figure.image.path}, which the caliper table has too "
                    f"(row {numbers}): the table counts",
                )
            )
        else:
            kept.append(figure)
    return kept, listed


def lines_first(figures: Sequence[Figure]) -> tuple[list[Figure], list[Refusal]]:
    """Without the outlines of lesions whose axes the same reader draws on the same frame: two measurements of one."""
    drawn = {_lesion_of(figure) for figure in figures if not figure.is_outline}
    kept, listed = [], []
    for figure in figures:
        if figure.is_outline and _lesion_of(figure) in drawn:
            listed.append(
                figure.listed(TWICE, "is an outline of a lesion whose axes the same reader drew: these count")
            )
        else:
            kept.append(figure)
    return kept, listed


def _lesion_of(figure: Figure) -> tuple[str, str, str, int]:
    return figure.lesion, figure.reader, figure.image.sop_instance_uid, figure.frame


def last_versions(figures: Sequence[Figure], *, repeats: bool) -> tuple[list[Figure], list[Refusal]]:
    """Of what one reader draws of one lesion on one image in several objects, the last.

    ``repeats``: the trial measures each lesion several times; then only drawings of one tracking UID are versions.
    """
    kept, listed = _last_of(figures, lambda f: (f.tracking_uid,) if f.tracking_uid else None)
    if repeats:
        return kept, listed
    kept, more = _last_of(kept, lambda f: None if is_unnamed(f.lesion) else (f.frame, f.lesion))
    return kept, listed + more


def _last_of(
    figures: Sequence[Figure], lesion: Callable[[Figure], tuple[object, ...] | None]
) -> tuple[list[Figure], list[Refusal]]:
    """The last versions of what ``lesion`` calls one lesion; None: what it says nothing about is its own."""
    kept, listed = [], []
    versions: dict[tuple[object, ...], list[Figure]] = defaultdict(list)
    for figure in figures:
        called = lesion(figure) or (id(figure),)
        versions[figure.reader, figure.image.sop_instance_uid, *called].append(figure)
    for same in versions.values():
        last = _last({figure.held_in.sop_instance_uid: figure for figure in same})
        for figure in same:
            if last is None or figure.held_in is last.held_in:
                kept.append(figure)
            else:
                listed.append(figure.listed("superseded", f"was drawn anew in {last.held_in.path}, which is later"))
    return kept, listed


def _last(objects: Mapping[str, Figure]) -> Figure | None:
    """A figure of the object that was written last; None where there is one object alone, or times do not tell."""
    times = [figure.held_in.written for figure in objects.values()]
    if len(objects) < 2 or not all(times) or times.count(max(times)) > 1:
        return None
    return max(objects.values(), key=lambda figure: figure.held_in.written)
