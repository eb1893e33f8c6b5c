"""The rows of all children as data for the index's script, as short as they are exact: about 100 bytes a child.

Numbers are the very text that other tables of the report show, so that nothing is rounded twice. Words that come again
(verdicts, reasons, ways of measuring) are numbers of lists that are given once.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from typing import Any

from markupsafe import Markup

from lesion_measure.config import Config
from lesion_measure.records import Change, Met, Quantity
from lesion_measure.report import words
from lesion_measure.report.environment import limits_of
from lesion_measure.report.overview import Overview, unscanned
from lesion_measure.report.rows import ChildRow
from lesion_measure.report.strips import STRIP_LIMIT
from lesion_measure.report.verdicts import MARKS, tone

_MET = {Met.MET: "m", Met.NOT_MET: "n", Met.NOT_KNOWN: "?"}


class _List:
    """Values that come again, by number."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, value: Hashable) -> int:
        return self._numbers.setdefault(value, len(self._numbers))

    @property
    def values(self) -> list[Any]:
        return list(self._numbers)


def row_data(run: Overview, config: Config) -> Markup:
    """The data as JSON that may stand in a script element: no ``<`` is in it."""
    document = json.dumps(index_document(run, config), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    safe = document.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Markup(safe)  # noqa: S704  no element or comment can begin or end in it


def index_document(run: Overview, config: Config) -> dict[str, Any]:
    """The lists, and the rows that refer to them.

    A row is: code, name of its page (0: as the code; null: none), lesions, days, measured by, status, size at baseline,
    size later, change in percent, its interval, whether it exceeds error (1, 0, 2: a statement), verdict, whether that
    is certain, reasons for review, reasons of exclusion, form, entry criteria, verdicts by other rules.
    """
    lists = {name: _List() for name in ("by", "status", "verdicts", "review", "excluded", "forms")}
    rule = config.comparison.applied_rule
    rows = [_row(row, config, lists) for row in run.rows]
    rows += [
        [one.subject, None, 0, None, 0, lists["status"].number(f"not measured: {one.why}"), *[""] * 4, 0, -1, 0, [],
         [lists["excluded"].number(why) for why in one.excluded], -1, "", []]
        for one in unscanned(run)
    ]  # fmt: skip
    limits = rule.limits_percent if rule.metric is config.comparison.primary_metric else ()
    return {name: found.values for name, found in lists.items()} | {
        "verdicts": [[v, tone(v, rule), MARKS[tone(v, rule)]] for v in lists["verdicts"].values],
        "limits": [limit for limit in limits if limit is not None and abs(limit) <= STRIP_LIMIT],
        "rows": rows,
    }


def _row(row: ChildRow, config: Config, lists: dict[str, _List]) -> list[Any]:
    change = row.change(config.comparison.primary_metric)
    verdict = row.response
    return [
        row.subject,
        0 if row.page == row.subject else row.page,
        row.lesions,
        row.days,
        lists["by"].number(row.measured_by),
        -1 if change else lists["status"].number(row.status),
        *(_sizes(change, config) if change else ["", "", "", "", 0]),
        _verdict(lists, None if verdict is None else verdict.category),
        int(verdict is not None and verdict.certain),
        _numbers(lists["review"], (refusal.code for refusal in row.review)),
        _numbers(lists["excluded"], row.excluded),
        -1 if row.form is None else lists["forms"].number(row.form.value),
        "".join(_MET[c.met] + ("~" if c.certain is False else "") for c in row.entry),
        [
            [-1 if s.category is None else lists["verdicts"].number(s.category), int(bool(s.certain))]
            for s in row.secondary
        ],
    ]


def _verdict(lists: dict[str, _List], category: str | None) -> int:
    return -1 if category is None else lists["verdicts"].number(category)


def _numbers(listed: _List, values: Iterable[str]) -> list[int]:
    return [listed.number(value) for value in dict.fromkeys(values)]


def _sizes(change: Change, config: Config) -> list[Any]:
    """Size at baseline and later, the change and its interval as texts, and whether it exceeds error."""
    limits = limits_of(config, change.metric)
    interval = change.percent_ci95
    return [
        _size(change.baseline, change.unit),
        _size(change.followup, change.unit),
        words.change_percent(change.percent, limits),
        "" if interval is None else words.percent_interval(interval, limits).removesuffix(" %"),
        2 if interval is None else int(change.exceeds_error),
    ]


def _size(quantity: Quantity, unit: str) -> str:
    return words.amount(quantity, unit).removesuffix(f" {words.UNITS[unit]}")
