"""What needs review, and what was refused or skipped, as the report lists it: those with the same reason together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from lesion_measure.records import Refusal
from lesion_measure.report.overview import Overview, list_refusals
from lesion_measure.report.rows import ChildRow
from lesion_measure.results import RefusalKind

MOST_LISTED, MOST_GROUPS = 20, 60
"""Items of a reason, and reasons, where a list is shortened; the tables hold all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonGroup:
    """Refusals that share their reason, and what each concerns; ``left_out`` counts those that are not listed."""

    kind: RefusalKind
    refusal: Refusal
    items: tuple[Refusal, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewGroup:
    """What needs review for one reason: how many items, of how many children, and one of them as an example."""

    code: str
    items: int
    example: Refusal
    children: int
    listed: tuple[ChildRow, ...]

    @property
    def left_out(self) -> int:
        """Children that are not listed."""
        return self.children - len(self.listed)


def reason_groups(run: Overview, *, shortened: bool = False) -> list[ReasonGroup]:
    """Refused and skipped items, those with the same reason together (what waits for review stands with each child).

    ``shortened``: the largest groups alone, and of each the first items.
    """

    def key(pair: tuple[RefusalKind, Refusal]) -> tuple[str, str, str, str]:
        kind, refusal = pair
        return kind.value, refusal.code, refusal.reason, refusal.remedy

    listed = list_refusals(run.rows, run.refusals)
    pairs = sorted(((i.kind, i) for i in listed if i.kind is not RefusalKind.REVIEW), key=key)
    every = [list(members) for _, members in groupby(pairs, key)]
    if shortened and len(every) > MOST_GROUPS:
        largest = sorted(range(len(every)), key=lambda number: (-len(every[number]), number))[:MOST_GROUPS]
        every = [every[number] for number in sorted(largest)]
    most = MOST_LISTED if shortened else len(pairs)
    return [
        ReasonGroup(
            kind=group[0][0],
            refusal=group[0][1],
            items=tuple(refusal for _, refusal in group[:most]),
            left_out=max(0, len(group) - most),
        )
        for group in every
    ]


def review_groups(run: Overview, *, shortened: bool = False) -> list[ReviewGroup]:
    """What needs review by reason, the most frequent first. ``shortened``: with the first children of each alone."""
    found: dict[str, list[tuple[ChildRow, Refusal]]] = {}
    for row in run.rows:
        for refusal in row.review:
            found.setdefault(refusal.code, []).append((row, refusal))
    groups = []
    for code, items in sorted(found.items(), key=lambda item: (-len(item[1]), item[0])):
        children = list({row.page: row for row, _ in items}.values())
        listed = children[:MOST_LISTED] if shortened else children
        groups.append(
            ReviewGroup(code=code, items=len(items), example=items[0][1], children=len(children), listed=tuple(listed))
        )
    return groups
