"""ADaM ADTR: sizes, sums and their change from baseline, for analysis. One record a parameter, lesion and visit.

Sums, changes and verdicts are those of results.json; nothing is computed anew. Where a change compares only the planes
that both visits have, AVAL is the size in those planes and may differ from TRSTRESN; then no SRCSEQ is given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from lesion_measure.cdisc import terms
from lesion_measure.cdisc.adtr_layout import AT_BASELINE, BEST, KEYS, LESION, LIVER_SIZE, RESPONSE, SUBJECT, UNITS
from lesion_measure.cdisc.course import Course
from lesion_measure.cdisc.dataset import Row, Value, numbered, study_day
from lesion_measure.cdisc.rs import standard_response
from lesion_measure.cdisc.tu import LIVER_LINK
from lesion_measure.config import AppliedRule, limit_text
from lesion_measure.errors import InputError
from lesion_measure.records import (
    BASELINE,
    EXCLUSIONS,
    Assessment,
    Change,
    LesionMeasurement,
    Metric,
    Quantity,
    Status,
    VolumeMethod,
    is_liver,
)
from lesion_measure.report.words import finite
from lesion_measure.results import Results

Names = Mapping[Metric, tuple[str, str]]
"""PARAMCD and PARAM by size."""

TESTS = {"LIVLDIAM": "LDIAM", "LIVVOL": "VOLUME"}
"""TRTESTCD of the parameters that have another code than their test."""

Sources = Mapping[tuple[Value, ...], tuple[Value, Value]]
"""Sequence number and value of the records of TR by subject, lesion, test and visit, of those of RS by subject and
visit."""


def sequence_of(sizes: Iterable[Row], verdicts: Iterable[Row]) -> Sources:
    """Where each number of TR and each verdict of RS stands."""
    keys = ("USUBJID", "TRLNKID", "TRTESTCD", "VISITNUM")
    found = {tuple(row.get(key) for key in keys): (row["TRSEQ"], row.get("TRSTRESN")) for row in sizes}
    overall = (row for row in verdicts if row["RSTESTCD"] == RESPONSE[0])
    return found | {(row["USUBJID"], row["VISITNUM"]): (row["RSSEQ"], row.get("RSSTRESC")) for row in overall}


def analysis_records(
    course: Course, results: Results, *, study: str, sizes: Iterable[Row], verdicts: Iterable[Row]
) -> list[dict[str, Value]]:
    """The records of ADTR of one subject, in order and numbered.

    Parameters
    ----------
    course
        The subject with its visits.
    results
        The run that it is from.
    study
        Identifier of the study, for every record.
    sizes, verdicts
        The subject's rows of TR and RS, to which the records point.
    """
    records = _Records(course, results, sequence_of(sizes, verdicts))
    own = [
        *records.changes(), *records.unchanged(), *records.liver(), *records.response(), *records.best(),
    ]  # fmt: skip
    whole = {"STUDYID": study, "USUBJID": course.usubjid, **_exclusion(course)}
    rows = [whole | row for row in own]
    numbered(rows, KEYS, "ASEQ")
    return rows


def _exclusion(course: Course) -> dict[str, Value]:
    """Whether the subject is excluded, and why: ADaM's scheme Y/N/null, since a missing table says neither."""
    row = course.enrolled
    criteria = [words for column, words in EXCLUSIONS.items() if row and row.flags.get(column)]
    others = [reason for reason in course.excluded if reason not in criteria]
    return {
        "EXCLFL": ("Y" if course.excluded else "N") if course.has_table else None,
        "EXCLCRIT": "; ".join(criteria) or None,
        "EXCLREAS": "; ".join(others) or None,
    }


class _Records:
    """The records of one subject."""

    def __init__(self, course: Course, results: Results, sequence: Sources) -> None:
        self.course, self.results, self.sequence = course, results, sequence

    def changes(self) -> Iterator[dict[str, Value]]:
        """Baseline and later record of everything that was compared."""
        for metric, lesion in {(change.metric, change.lesion): None for change in self.course.record.changes}:
            own = [c for c in self.course.record.changes if (c.metric, c.lesion) == (metric, lesion)]
            yield from self._compared(own, LESION if lesion else SUBJECT, "LESION" if lesion else "SUBJECT")

    def liver(self) -> Iterator[dict[str, Value]]:
        """Sizes of the liver itself, and their changes, where it was measured."""
        disease = self.course.record.disease
        changes = disease.liver_changes if disease else ()
        for metric in {change.metric: None for change in changes}:
            yield from self._compared([c for c in changes if c.metric is metric], LIVER_SIZE, "LIVER")
        yield from self._uncompared(self.course.liver, changes, LIVER_SIZE, "LIVER")

    def unchanged(self) -> Iterator[dict[str, Value]]:
        """What was measured of a lesion and not compared."""
        yield from self._uncompared(self.course.record.lesions, self.course.record.changes, LESION, "LESION")

    def _compared(self, changes: list[Change], names: Names, category: str) -> Iterator[dict[str, Value]]:
        """The records of one parameter: each baseline, and the later visits that are compared with it."""
        alike = _by_baseline(changes)
        for own in alike:
            analysed = any(change.visit == self.course.primary for change in own)
            for place, change in enumerate(own):
                if change.unit != UNITS[change.metric]:
                    raise InputError(f"A change of {change.metric} is in {change.unit}.", code="results")
                whose, metric, method = change.lesion, change.metric, change.volume_method
                parameter = _parameter(names[metric], category, metric, method)
                base: dict[str, Value] = {
                    "BASE": finite(change.baseline.value), "BASETYPE": self._base_type(own, alone=len(alike) == 1)
                }  # fmt: skip
                if place == 0:
                    first = self._value(parameter, whose, BASELINE, change.baseline, method)
                    yield first | base | ({} if analysed else {"ANL01FL": None})
                later = self._value(parameter, whose, change.visit, change.followup, method)
                yield later | base | self._change(change)

    def _base_type(self, own: Sequence[Change], *, alone: bool) -> str:
        """What a baseline is for: by other planes or another method it is another number."""
        more = f" AND {len(own) - 1} MORE" if len(own) > 1 else ""  # not all: a text has 200 bytes at most
        first = self.course.times[own[0].visit].name or own[0].visit
        return AT_BASELINE if alone else f"SIZE AT BASELINE AS COMPARED AT {first}{more}"

    def _uncompared(
        self, sizes: Sequence[LesionMeasurement], changes: Sequence[Change], names: Names, category: str
    ) -> Iterator[dict[str, Value]]:
        compared = {(c.lesion, c.metric, v) for c in changes for v in (BASELINE, c.visit)}
        first = {m.lesion: m for m in sizes if m.visit == BASELINE}
        bases: dict[tuple[str | None, Metric], tuple[float, str]] = {}
        for key in dict.fromkeys((c.lesion, c.metric) for c in changes):
            alike = _by_baseline([c for c in changes if (c.lesion, c.metric) == key])
            bases[key] = alike[0][0].baseline.value, self._base_type(alike[0], alone=len(alike) == 1)
        for measured in sizes:
            for metric, quantity in _sizes(measured):
                if (
                    (measured.lesion, metric, measured.visit) in compared
                    or quantity is None
                    or finite(quantity.value) is None
                ):
                    continue
                method = measured.volume_method if metric is Metric.VOLUME else None
                parameter = _parameter(names[metric], category, metric, method)
                row = self._value(parameter, measured.lesion, measured.visit, quantity, method)
                before = dict(_sizes(first[measured.lesion])).get(metric) if measured.lesion in first else None
                own = (before.value, AT_BASELINE) if before else (None, None)
                row["BASE"], row["BASETYPE"] = bases.get((measured.lesion, metric), own)
                if self.course.order(BASELINE) < self.course.order(measured.visit) < math.inf:
                    why = self.course.why(measured.visit, measured.lesion)
                    row["CHGREASN"] = why.code.replace("_", " ").upper()
                yield row

    def response(self) -> Iterator[dict[str, Value]]:
        """The overall response of each visit that has one; that of the primary visit is the verdict."""
        verdict = [self.course.primary] if self.course.record.response is not None else []
        others = [one.visit for one in self.course.record.assessments if one.visit != self.course.primary]
        for visit in (*others, *verdict):
            code, name = RESPONSE
            timing = self._timing(visit or BASELINE)
            number, word = self.sequence[self.course.usubjid, timing["AVISITN"]]
            counts = visit == self.course.primary and not self.course.excluded
            yield {
                "PARAMCD": code,
                "PARAM": name,
                "PARCAT1": "SUBJECT",
                "PARAMTYP": "DERIVED",
                "AVALC": word,
                "ANL02FL": "Y" if counts else None,
                "SRCDOM": "RS",
                "SRCVAR": "RSSTRESC",
                "SRCSEQ": number,
                **timing,
            }

    def best(self) -> Iterator[dict[str, Value]]:
        """The best overall response of all visits, where there is one."""
        best = self.course.record.best_response
        if best is not None:
            code, name = BEST
            yield {
                "PARAMCD": code,
                "PARAM": name,
                "PARCAT1": "SUBJECT",
                "PARAMTYP": "DERIVED",
                "AVALC": standard_response(best),
            }

    def _value(
        self, parameter: dict[str, Value], lesion: str | None, visit: str, quantity: Quantity,
        method: VolumeMethod | None,
    ) -> dict[str, Value]:  # fmt: skip
        """One value of a parameter of the subject (``lesion`` None), of a lesion, or of the liver."""
        link = None if lesion is None else LIVER_LINK if is_liver(lesion) else self.course.link(lesion)
        return {
            **parameter,
            "TRLNKID": link,
            "AVAL": finite(quantity.value),
            "AVALSD": quantity.sd if quantity.has_interval else None,
            "ABLFL": "Y" if visit == BASELINE else None,
            "ANL01FL": "Y" if lesion is None and self._is_analysed(parameter, visit) else None,
            **self._timing(visit),
            **self._source(link, str(parameter["PARAMCD"]), visit, quantity.value, method),
        }

    def _is_analysed(self, parameter: dict[str, Value], visit: str) -> bool:
        """Whether the answer uses a value: the primary size, where it has a change and nobody is excluded."""
        primary = self.results.primary_metric
        known = self.course.record.change(primary) is not None and visit in (BASELINE, self.course.primary)
        return known and not self.course.excluded and parameter["PARAMCD"] == SUBJECT[primary][0]

    def _change(self, change: Change) -> dict[str, Value]:
        low, high = change.percent_ci95 or (None, None)
        row: dict[str, Value] = {
            "CHG": finite(change.absolute),
            "PCHG": finite(change.percent),
            "PCHGLO": finite(low),
            "PCHGHI": finite(high),
            "CHGERRFL": "Y" if change.exceeds_error else "N",
        }
        rule = self.results.rule
        if change.lesion is None and change.metric is rule.metric:
            now = next((a for a in self.course.record.assessments if a.visit == change.visit), None)
            row |= {"NADIR": now.nadir, "PCHGNAD": now.percent_from_nadir} if now else {}
            row |= self._criterion(change, now)
        return row

    def _criterion(self, change: Change, now: Assessment | None) -> dict[str, Value]:
        """Whether the disease responded at a visit; at the primary one, whether the verdict is a response."""
        rule, response = self.results.rule, self.course.record.response
        if change.visit == self.course.primary:
            responds = response is not None and rule.is_response(response.category)
            certain = None if response is None else response.certain
        else:
            responds = now is not None and now.overall in (Status.CR, Status.PR)
            certain = None if now is None else now.certain
        if certain is None:
            return {}
        return {
            "CRIT1": criterion_words(rule),
            "CRIT1FL": "Y" if responds else "N",
            "CRIT1CFL": "Y" if certain else "N",
        }

    def _timing(self, visit: str) -> dict[str, Value]:
        day: date | None = self.course.date(visit)
        return {
            "AVISIT": self.course.times[visit].words,
            "AVISITN": self.course.times[visit].number,
            "ADT": day,
            "ADY": study_day(day, self.course.reference),
        }

    def _source(
        self, link: str | None, code: str, visit: str, value: float | None, method: VolumeMethod | None
    ) -> dict[str, Value]:
        """The record of TR that holds the value: a volume's stands under its method's own code, or under VOLUME."""
        own = [terms.VOLUME_METHODS[method][0]] if method else []
        for test in (*own, TESTS.get(code, code)):
            key = (self.course.usubjid, link, test, self.course.times[visit].number)
            number, there = self.sequence.get(key, (None, None))
            if link is not None and number is not None and there == value:
                return {"SRCDOM": "TR", "SRCVAR": "TRSTRESN", "SRCSEQ": number}
        return {}


def _by_baseline(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes of one size that start from the same number, in the order of their first visits."""
    found: dict[float, list[Change]] = {}
    for change in changes:
        found.setdefault(change.baseline.value, []).append(change)
    return list(found.values())


def criterion_words(rule: AppliedRule) -> str:
    """What CRIT1FL says. A change beyond the limit alone is no response: a new lesion makes it a progression."""
    return f"Response by the rule (PCHG {'<=' if rule.response_at_limit else '<'} {limit_text(rule.response_percent)})"


def _parameter(names: tuple[str, str], category: str, metric: Metric, method: VolumeMethod | None) -> dict[str, Value]:
    """What tells a parameter from the others."""
    code, name = names
    return {
        "PARAMCD": code,
        "PARAM": name,
        "PARCAT1": category,
        "PARAMTYP": "DERIVED" if category == "SUBJECT" or metric is Metric.SUM_OF_PRODUCTS else None,
        "VOLMETH": terms.VOLUME_METHODS[method][0] if method else None,
    }


def _sizes(measured: LesionMeasurement) -> tuple[tuple[Metric, Quantity | None], ...]:
    return (Metric.LONGEST_DIAMETER, measured.longest_diameter_mm), (Metric.VOLUME, measured.volume_ml)
