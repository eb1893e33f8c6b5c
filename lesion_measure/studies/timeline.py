"""How one subject's studies fall into visits by their time points and dates; the rules behind `visits`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from lesion_measure.config import Visits
from lesion_measure.records import Doubt, Refusal, Study, Visit

BY_MANIFEST, BY_TIME_POINT, BY_DATE = "manifest", "ClinicalTrialTimePointID", "StudyDate"
_SAY_IT = "Name the visits in a manifest (--manifest)."


@dataclass(frozen=True, slots=True)
class Part:
    """A study, or those of its images that a manifest puts into one visit."""

    study: Study
    visit: Visit | None

    @property
    def date(self) -> date | None:
        return self.study.study_date


@dataclass(slots=True)
class Case:
    """One subject while its visits are being settled."""

    subject: str
    settings: Visits
    placed: dict[Visit, list[Part]] = field(default_factory=lambda: defaultdict(list))
    sources: dict[Visit, list[str]] = field(default_factory=lambda: defaultdict(list))
    refusals: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unclear: set[Visit] = field(default_factory=set)
    doubts: list[Doubt] = field(default_factory=list)

    def place(self, visit: Visit, parts: Iterable[Part], source: str) -> None:
        """Add studies to a visit, with what says that they belong there."""
        self.placed[visit].extend(parts)
        if source not in self.sources[visit]:
            self.sources[visit].append(source)

    def remove(self, visit: Visit) -> None:
        """Take a visit back as unclear."""
        self.sources.pop(visit, None)
        self.placed.pop(visit, None)
        self.unclear.add(visit)

    def refuse(self, code: str, reason: str, *, remedy: str = _SAY_IT, part: Part | None = None) -> None:
        """List what could not be settled."""
        path = part.study.instances[0].path if part else None
        self.refusals.append(Refusal(code=code, reason=reason, remedy=remedy, path=path, subject=self.subject))

    def doubt(self, code: str, reason: str, path: str | None = None) -> None:
        """Mark what a manifest says and the files contradict: it counts, and no verdict that rests on it is certain."""
        remedy = "Correct the manifest; where it is right, the files' own dates or subjects are wrong."
        self.doubts.append(Doubt(Refusal(code=code, reason=reason, remedy=remedy, path=path, subject=self.subject)))

    def date_of(self, visit: Visit) -> date | None:
        """First date of a visit; None where it is not there or undated."""
        return min((part.date for part in self.placed.get(visit, ()) if part.date), default=None)


def join_same_date(case: Case, parts: list[Part]) -> list[Part]:
    """Put studies into the visit that already holds one of their date; returns the others."""
    rest = []
    for part in parts:
        visits = [visit for visit, held in case.placed.items() if part.date and part.date in dates_of(held)]
        stated = time_point_visit(part, case.settings)
        if len(visits) == 1 and stated in (None, visits[0]):
            case.place(visits[0], [part], BY_DATE)
        else:
            rest.append(part)
    return rest


def time_point_visit(part: Part, settings: Visits) -> Visit | None:
    """The visit that the study's ClinicalTrialTimePointID means by the settings, or None."""
    known = {
        Visit.SCREENING: settings.screening_time_points,
        Visit.BASELINE: settings.baseline_time_points,
        Visit.ONE_MONTH: settings.one_month_time_points,
    }
    word = _plain(part.study.time_point or "")
    visits = [visit for visit, words in known.items() if word and word in {_plain(known) for known in words}]
    return visits[0] if len(visits) == 1 else None


def _plain(word: str) -> str:
    """A time point without case, blanks and joining hyphens; the hyphen of a number (``month -3``) is a minus."""
    return re.sub(r"[\s_]|(?<=\w)-(?=[^\W\d])", "", word.casefold())


def place_by_time_point(case: Case, labelled: list[tuple[Part, Visit | None]]) -> None:
    """Place studies by their time points; one visit on two dates is refused, and so is a study without a known one."""
    by_visit: dict[Visit, list[Part]] = defaultdict(list)
    for part, visit in labelled:
        if visit is not None:
            by_visit[visit].append(part)
    for visit, parts in by_visit.items():
        dates = sorted({*dates_of(parts), *dates_of(case.placed.get(visit, ()))})
        if len(dates) <= 1:
            case.place(visit, parts, BY_TIME_POINT)
            continue
        held = bool(case.placed.get(visit))  # by the manifest, which wins
        where = "labelled or listed as" if held else "labelled"
        case.refuse(
            "ambiguous_visit",
            f"Studies of different dates are {where} {visit_name(visit)}: {listed(dates)}.",
            part=parts[0],
        )
        if not held:
            case.unclear.add(visit)
    known = (
        *case.settings.screening_time_points,
        *case.settings.baseline_time_points,
        *case.settings.one_month_time_points,
    )
    for part in join_same_date(case, [part for part, visit in labelled if visit is None]):
        stated = part.study.time_point
        reason = (
            f"Time point '{stated}' is not known" if stated else f"The study of {_day(part.date)} has no time point"
        )
        case.refuse(
            "unknown_time_point",
            f"{reason}, while other studies of the subject have one.",
            remedy=f"Known are: {', '.join(known)}. Add it to the settings under visits, or use a manifest.",
            part=part,
        )


def place_by_date(case: Case, parts: list[Part], *, by_manifest: bool) -> None:
    """Place studies by their dates: from the manifest's baseline, or from the one that the dates themselves tell."""
    for part in parts:
        if part.date is None:
            case.refuse("no_date", "The study has no usable date and no known time point.", part=part)
    by_date: dict[date, list[Part]] = defaultdict(list)
    for part in parts:
        if part.date is not None:
            by_date[part.date].append(part)
    if not by_date:
        return
    baseline = case.date_of(Visit.BASELINE)
    if not by_manifest:
        baseline, screening = _baseline_by_date(case, sorted(by_date))
        if baseline is None:
            return
        case.place(Visit.BASELINE, by_date.pop(baseline), BY_DATE)
        if screening is not None:
            case.place(Visit.SCREENING, by_date.pop(screening), BY_DATE)
    if baseline is None:
        for day, some in sorted(by_date.items()):
            reason = f"The study of {_day(day)} is not in the manifest, which names no dated baseline to count from."
            case.refuse("ambiguous_visit", reason, part=some[0])
        return
    _place_nearest(
        case, Visit.ONE_MONTH, _in_window(baseline, by_date, case.settings.one_month_window_days), by_date, baseline
    )
    if by_manifest:
        days = _in_window(baseline, by_date, case.settings.screening_window_days, before=True)
        _place_nearest(case, Visit.SCREENING, days, by_date, baseline)
    first, last = case.settings.one_month_window_days
    window = f"1 month: {first} to {last} days after, nearest day {case.settings.one_month_days:g}"
    for day, some in sorted(by_date.items()):
        reason = (
            f"The study of {_day(day)} is {_apart(day, baseline)} the baseline of {_day(baseline)} "
            f"and falls in no visit ({window})."
        )
        case.refuse(
            "no_visit", reason, remedy="None needed, or name its visit in a manifest (--manifest).", part=some[0]
        )


def _baseline_by_date(case: Case, days: list[date]) -> tuple[date | None, date | None]:
    """(baseline, screening) of a subject whose studies have dates only; (None, None) and a refusal where unclear."""
    settings = case.settings
    earliest = days[0]
    later = [day for day in days[1:] if _within(earliest, day, settings.screening_window_days)]
    with_month = [day for day in later if _in_window(day, days, settings.one_month_window_days)]
    has_month = bool(_in_window(earliest, days, settings.one_month_window_days))
    if not later or (has_month and not with_month):
        return earliest, None
    if not has_month and len(with_month) == 1 and days[1] == with_month[0]:
        return with_month[0], earliest
    others = " or ".join(map(_day, with_month or later))
    case.unclear.update(Visit)
    case.refuse(
        "ambiguous_visit",
        f"Baseline could be {_day(earliest)}, or {others} with a screening scan on {_day(earliest)}.",
    )
    return None, None


def _place_nearest(case: Case, visit: Visit, days: list[date], by_date: dict[date, list[Part]], baseline: date) -> None:
    """Place the one day nearest the due day (for screening: the only day) and take it out of ``by_date``."""
    if case.placed.get(visit) or not days:
        return
    due = case.settings.one_month_days
    off = {day: abs((day - baseline).days - due) if visit is Visit.ONE_MONTH else 0 for day in days}
    nearest = [day for day in days if off[day] == min(off.values())]
    if len(nearest) == 1:
        case.place(visit, by_date.pop(nearest[0]), BY_DATE)
        return
    case.unclear.add(visit)
    case.refuse(
        "ambiguous_visit", f"{visit_name(visit).capitalize()} could be {' or '.join(map(_day, nearest))}, equally near."
    )
    for day in nearest:
        del by_date[day]


def check_order(case: Case) -> None:
    """Refuse visits whose dates contradict their names, unless the manifest says so; note equal dates, and a 1-month
    scan off its window."""
    order = [(Visit.SCREENING, Visit.BASELINE), (Visit.BASELINE, Visit.ONE_MONTH), (Visit.SCREENING, Visit.ONE_MONTH)]
    wrong: dict[Visit, None] = {}
    for first, second in order:
        before, after = case.date_of(first), case.date_of(second)
        if before is None or after is None or before < after:
            continue
        if before == after:  # de-identification puts one day in place of all; the names still tell the visits apart
            case.warnings.append(f"{visit_name(first)} and {visit_name(second)} are both dated {_day(before)}")
            continue
        stated = f"{visit_name(first)} is dated {_day(before)} and {visit_name(second)} {_day(after)}"
        if BY_MANIFEST in case.sources[first] and BY_MANIFEST in case.sources[second]:
            case.doubt("manifest_against_dates", f"By the manifest, {stated}.")
        else:
            case.refuse("ambiguous_visit", f"Time points and dates contradict each other: {stated}.")
            wrong |= {visit: None for visit in (first, second) if BY_MANIFEST not in case.sources[visit]}
    for visit in wrong:
        case.remove(visit)
    baseline, month = case.date_of(Visit.BASELINE), case.date_of(Visit.ONE_MONTH)
    if baseline and month and baseline != month and not _within(baseline, month, case.settings.one_month_window_days):
        first_day, last_day = case.settings.one_month_window_days
        case.warnings.append(
            f"the 1-month scan is {_apart(month, baseline)} baseline, outside {first_day} to {last_day} days"
        )


def note_missing(case: Case) -> None:
    """List a baseline or 1-month visit that is not there, unless it was refused as unclear."""
    for visit in (Visit.BASELINE, Visit.ONE_MONTH):
        if case.placed.get(visit) or visit in case.unclear or not case.placed:
            continue
        reason = f"There is no {visit_name(visit)} study."
        baseline = case.date_of(Visit.BASELINE)
        if visit is Visit.ONE_MONTH and baseline:
            first, last = case.settings.one_month_window_days
            reason = f"There is no study {first} to {last} days after the baseline of {_day(baseline)}."
        case.refusals.append(
            Refusal(
                code="missing_visit", reason=reason, remedy="Add the study, or name its visit in a manifest.",
                subject=case.subject, visit=visit,
            )
        )  # fmt: skip


def _within(day: date, later: date, window: tuple[int, int]) -> bool:
    return window[0] <= (later - day).days <= window[1]


def _in_window(day: date, days: Iterable[date], window: tuple[int, int], *, before: bool = False) -> list[date]:
    return [other for other in sorted(days) if (_within(other, day, window) if before else _within(day, other, window))]


def dates_of(parts: Iterable[Part]) -> list[date]:
    """The dates that are known, in order."""
    return sorted({part.date for part in parts if part.date})


def _apart(day: date, baseline: date) -> str:
    days = (day - baseline).days
    return f"{abs(days)} days {'after' if days >= 0 else 'before'}"


def visit_name(visit: Visit) -> str:
    """The visit in words."""
    return visit.replace("_", " ")


def _day(day: date | None) -> str:
    return day.isoformat() if day else "no date"


def listed(days: Iterable[date]) -> str:
    """Dates in words."""
    return ", ".join(map(_day, days))
