"""How well readers agree who read the same children: lesion by lesion at each visit, and over all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import combinations

from lesion_measure.cohort.analysis import SEED
from lesion_measure.cohort.readers import LONGEST, UNITS, agreements
from lesion_measure.cohort.readers import Reading as Rated
from lesion_measure.report.tables import Row, Table
from lesion_measure.review.messages import Kind, Measured
from lesion_measure.review.store import Kept
from lesion_measure.stats.agreement import Agreement
from lesion_measure.stats.estimates import Estimate

COLUMNS: tuple[str, ...] = (
    "level", "measure", "unit", "subject", "visit", "lesion", "first_reader", "second_reader", "first_says",
    "second_says", "first", "second", "difference", "difference_percent", "pairs", "bias", "bias_ci95_low",
    "bias_ci95_high", "sd", "lower_limit", "upper_limit", "icc", "icc_ci95_low", "icc_ci95_high", "repeatability",
    "coefficient_of_variation",
)  # fmt: skip
NOTHING, NO_LESION = "nothing", "no_lesion"
"""What a reader says of a lesion that only the other one read; and who signed that the child has none."""

Key = tuple[str, str, str]
"""Subject, visit and lesion."""


def agreement_table(
    signed: Sequence[Kept], measure: Callable[[Kept], Measured], none_seen: Collection[tuple[str, str]] = ()
) -> Table:
    """A row for each lesion at each visit and two readers, then one over all lesions of each two readers.

    Parameters
    ----------
    signed
        Signed readings of readers who read for themselves.
    measure
        What a reading measures.
    none_seen
        Child and reader where somebody says that there is no lesion.
    """
    said = _said(signed, measure)
    return Table(COLUMNS, [*_by_lesion(said, none_seen), *map(_overall, agreements(_rated(said), SEED))])


def _said(signed: Sequence[Kept], measure: Callable[[Kept], Measured]) -> dict[Key, dict[str, tuple[str, float]]]:
    """What each reader says of each lesion at each visit: in a word, and the longest diameter in mm (0: none).

    A size from any image goes before statements that it has none.
    """
    found: dict[Key, dict[str, tuple[str, float]]] = {}
    for kept in signed:
        key = (kept.subject, kept.visit, kept.draft.lesion)
        by_reader = found.setdefault(key, {})
        word, size = _word(kept, measure)
        known = by_reader.get(kept.reader)
        if known is None or size > known[1]:
            by_reader[kept.reader] = (word, size)
    return dict(sorted(found.items()))


def _word(kept: Kept, measure: Callable[[Kept], Measured]) -> tuple[str, float]:
    if kept.draft.kind not in (Kind.CALIPER, Kind.OUTLINE):
        return kept.draft.kind.value, 0.0
    size = measure(kept).long_axis_mm
    return ("refused", 0.0) if size is None or size.value is None else ("measured", size.value)


def _by_lesion(said: dict[Key, dict[str, tuple[str, float]]], none_seen: Collection[tuple[str, str]]) -> Iterator[Row]:
    readers = {name: {reader for child, reader in none_seen if child == name} for name, _, _ in said}
    for (subject, _, _), by_reader in said.items():
        readers[subject] |= by_reader.keys()
    for (subject, visit, lesion), by_reader in said.items():
        for first, second in combinations(sorted(readers[subject]), 2):
            unread = {each: NO_LESION if (subject, each) in none_seen else NOTHING for each in (first, second)}
            words, sizes = zip(*(by_reader.get(each, (word, 0.0)) for each, word in unread.items()), strict=True)
            both = all(sizes)
            yield {
                "level": "lesion",
                "measure": LONGEST,
                "unit": UNITS[LONGEST],
                "subject": subject,
                "visit": visit,
                "lesion": lesion,
                "first_reader": first,
                "second_reader": second,
                "first_says": words[0],
                "second_says": words[1],
                "first": sizes[0] or None,
                "second": sizes[1] or None,
                "difference": sizes[1] - sizes[0] if both else None,
                "difference_percent": 200 * (sizes[1] - sizes[0]) / sum(sizes) if both else None,
            }


def _rated(said: dict[Key, dict[str, tuple[str, float]]]) -> Iterator[Rated]:
    for key, by_reader in said.items():
        for reader, (_, size) in sorted(by_reader.items()):
            if size:
                yield Rated(measure=LONGEST, subject=key[0], key=key, rater=reader, value=size)


def _overall(found: Agreement) -> Row:
    scale = found.absolute
    return {
        "level": "all",
        "measure": found.pairs.measure,
        "unit": found.pairs.unit,
        "first_reader": found.pairs.first_rater,
        "second_reader": found.pairs.second_rater,
        "pairs": len(found.pairs.first),
        **_estimate("bias", scale.bias),
        "sd": scale.sd,
        "lower_limit": scale.lower.value,
        "upper_limit": scale.upper.value,
        **_estimate("icc", scale.icc),
        "repeatability": scale.repeatability.value,
        "coefficient_of_variation": found.coefficient_of_variation,
    }


def _estimate(name: str, estimate: Estimate) -> Row:
    return {name: estimate.value, f"{name}_ci95_low": estimate.low, f"{name}_ci95_high": estimate.high}
