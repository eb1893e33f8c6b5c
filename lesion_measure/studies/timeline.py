"""How one subject's studies fall into visits by their time points and dates; the rules behind `assign`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations

from lesion_measure.records import (
    BASELINE,
    UNDATED,
    Doubt,
    Instance,
    Refusal,
    Schedule,
    Study,
    TimePoint,
    in_words,
    is_undated,
    unscheduled_name,
)
from lesion_measure.spelling import plain_word

BY_MANIFEST, BY_TIME_POINT, BY_DATE, NOTHING = "manifest", "ClinicalTrialTimePointID", "StudyDate", "nothing"
_CORRECT = "Correct the manifest; where it is right, the files' own dates or subjects are wrong."
SAY_IT = "Name the visits in a manifest (--manifest)."


@dataclass(frozen=True, slots=True)
class PlacedStudy:
    """A study, or those of its images that a manifest puts into one visit."""

    study: Study
    visit: str | None

    @property
    def date(self) -> date | None:
        return self.study.study_date


@dataclass(slots=True)
class SubjectCase:
    """One subject while its visits are being settled."""

    subject: str
    schedule: Schedule
    placed: dict[str, list[PlacedStudy]] = field(default_factory=lambda: defaultdict(list))
    sources: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    refusals: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unclear: set[str] = field(default_factory=set)
    doubts: list[Doubt] = field(default_factory=list)
    every_day: bool = False
    """No schedule: each study day is a visit."""

    def place(self, visit: str, parts: Iterable[PlacedStudy], source: str) -> None:
        """Add studies to a visit, with what says that they belong there."""
        self.placed[visit].extend(parts)
        if source not in self.sources[visit]:
            self.sources[visit].append(source)

    def remove(self, visit: str) -> None:
        """Take a visit back as unclear."""
        self.sources.pop(visit, None)
        self.placed.pop(visit, None)
        self.unclear.add(visit)

    def images(self, visits: Iterable[str]) -> Iterator[Instance]:
        """The images of all studies at these visits."""
        for visit in visits:
            for part in self.placed.get(visit, ()):
                yield from part.study.instances

    def refuse(self, code: str, reason: str, *, remedy: str = SAY_IT, part: PlacedStudy | None = None) -> None:
        """List what could not be settled."""
        path = part.study.instances[0].path if part else None
        self.refusals.append(Refusal(code=code, reason=reason, remedy=remedy, path=path, subject=self.subject))

    def doubt(
        self, code: str, reason: str, path: str | None = None, *, remedy: str = _CORRECT, visit: str | None = None
    ) -> None:
        """Mark what a manifest says and the files contradict: it counts, and no verdict that rests on it is certain.

        Parameters
        ----------
        code, reason, remedy
            As a refusal has them.
        path
            A file that shows it.
        visit
            The one that it is about; None where it may be any.
        """
        refusal = Refusal(code=code, reason=reason, remedy=remedy, path=path, subject=self.subject, visit=visit)
        self.doubts.append(Doubt(refusal))

    def place_beside(self, by_date: dict[date, list[PlacedStudy]], baseline: date, *, by_words: bool = False) -> None:
        """Make visits of their own of studies that fit no visit of the schedule: measured, and never the answer.

        ``by_words``: other studies of the subject have known time points, so that no date decides (whatever it fits).
        """
        for day, some in sorted(by_date.items()):
            self.place(unscheduled_name((day - baseline).days), some, BY_DATE)
            if not self.every_day:
                why = "its time point names no visit" if by_words else self._why_beside(day, baseline)
                self.warnings.append(
                    f"the study of {_day(day)} is {_apart(day, baseline)} the baseline of {_day(baseline)} and {why}: "
                    "it is measured as an unscheduled visit"
                )

    def _why_beside(self, day: date, baseline: date) -> str:
        taken = next((p for p in self.schedule.points if p.name != BASELINE and fits(p, day, baseline)), None)
        if taken is None:
            windows = (_window_words(self.schedule.point(name)) for name in self.schedule.later)
            return f"falls in no visit ({'; '.join(windows)})"
        if BY_MANIFEST in self.sources.get(taken.name, ()):
            return f"is not the one that the manifest calls {taken.label}"
        return f"is not the nearest to {taken.label}"

    def place_undated(self, part: PlacedStudy) -> None:
        """Make a visit of its own of a study of which nothing says when it was: measured, and compared with nothing."""
        number = 1 + sum(is_undated(visit) for visit in self.placed)
        self.place(UNDATED if number == 1 else f"{UNDATED}_{number}", [part], NOTHING)

    def date_of(self, visit: str) -> date | None:
        """First date of a visit; None where it is not there or undated."""
        return min((part.date for part in self.placed.get(visit, ()) if part.date), default=None)


def join_same_date(case: SubjectCase, parts: list[PlacedStudy]) -> list[PlacedStudy]:
    """Put studies into the visit that already holds one of their date; returns the others."""
    rest = []
    for part in parts:
        visits = [visit for visit, held in case.placed.items() if part.date and part.date in dates_of(held)]
        stated = time_point_visit(part, case.schedule)
        if len(visits) == 1 and stated in (None, visits[0]):
            case.place(visits[0], [part], BY_DATE)
        else:
            rest.append(part)
    return rest


def time_point_visit(part: PlacedStudy, schedule: Schedule) -> str | None:
    """The visit that the study's ClinicalTrialTimePointID means by the schedule, or None."""
    word = plain_word(part.study.time_point or "")
    visits = [point.name for point in schedule.points if word and word in map(plain_word, point.words)]
    return visits[0] if len(visits) == 1 else None


def place_by_time_point(case: SubjectCase, labelled: list[tuple[PlacedStudy, str | None]]) -> None:
    """Place studies by their time points; one visit on two dates is refused, and so is a study without a known one."""
    by_visit: dict[str, list[PlacedStudy]] = defaultdict(list)
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
            f"Studies of different dates are {where} {in_words(visit)}: {listed(dates)}.",
            part=parts[0],
        )
        if not held:
            case.unclear.add(visit)
    known = [word for point in case.schedule.points for word in point.words]
    beside: dict[date, list[PlacedStudy]] = defaultdict(list)
    baseline = case.date_of(BASELINE)
    taken = {day for held in case.placed.values() for day in dates_of(held)}
    for part in join_same_date(case, [part for part, visit in labelled if visit is None]):
        stated = part.study.time_point
        reason = (
            f"Time point '{stated}' is not known" if stated else f"The study of {_day(part.date)} has no time point"
        )
        case.refuse(
            "unknown_time_point",
            f"{reason}, while other studies of the subject have one.",
            remedy=f"Known are: {', '.join(known)}. Add it to the settings under protocol.schedule, or use a manifest.",
            part=part,
        )
        if part.date is None:
            case.place_undated(part)
        elif baseline is not None and part.date not in taken:
            beside[part.date].append(part)
    if baseline is not None:
        case.place_beside(beside, baseline, by_words=True)


def place_by_date(case: SubjectCase, parts: list[PlacedStudy], *, by_manifest: bool) -> None:
    """Place studies by their dates: from the manifest's baseline, or from the one that the dates themselves tell."""
    for part in parts:
        if part.date is None:
            reason = "The study has no usable date and no known time point: measured, and compared with nothing."
            case.refuse("no_date", reason, part=part)
            case.place_undated(part)
    by_date: dict[date, list[PlacedStudy]] = defaultdict(list)
    for part in parts:
        if part.date is not None:
            by_date[part.date].append(part)
    if not by_date:
        return
    baseline = case.date_of(BASELINE)
    if not by_manifest:
        baseline, before = _baseline_by_date(case, sorted(by_date))
        if baseline is None:
            return
        case.place(BASELINE, by_date.pop(baseline), BY_DATE)
        if before is not None:
            case.place(before[0], by_date.pop(before[1]), BY_DATE)
    if baseline is None:
        for day, some in sorted(by_date.items()):
            reason = f"The study of {_day(day)} is not in the manifest, which names no dated baseline to count from."
            case.refuse("ambiguous_visit", reason, part=some[0])
        return
    for name in (*case.schedule.later, *(case.schedule.earlier if by_manifest else ())):
        _place_nearest(case, case.schedule.point(name), by_date, baseline)
    case.place_beside(by_date, baseline)


def _baseline_by_date(case: SubjectCase, days: list[date]) -> tuple[date | None, tuple[str, date] | None]:
    """Baseline, and an earlier visit with its name, of a subject whose studies have dates only.

    (None, None) and a refusal where more than one reading is possible. That the earliest study is an earlier visit of
    the schedule is one, where a later study fits as baseline and has a first follow-up of its own.
    """
    earliest = days[0]
    earlier = [case.schedule.point(name) for name in case.schedule.earlier]
    could_be = {day: [p for p in earlier if fits(p, earliest, day)] for day in days[1:]}
    later = [day for day in days[1:] if could_be[day]]
    followed = [day for day in later if _has_followup(case, day, days)]
    if not later or (_has_followup(case, earliest, days) and not followed):
        return earliest, None
    if not _has_followup(case, earliest, days) and len(followed) == 1 and days[1] == followed[0]:
        return followed[0], (could_be[followed[0]][0].name, earliest)
    earlier_names = " or ".join(in_words(point.name) for point in earlier)
    others = " or ".join(map(_day, followed or later))
    case.unclear.update(case.schedule.names)
    case.refuse(
        "ambiguous_visit",
        f"Baseline could be {_day(earliest)}, or {others} with a {earlier_names} scan on {_day(earliest)}.",
    )
    return None, None


def _has_followup(case: SubjectCase, day: date, days: Iterable[date]) -> bool:
    """Whether a baseline on ``day`` would have the primary follow-up, or any where none is primary."""
    names = (case.schedule.primary,) if case.schedule.primary else case.schedule.later
    return any(fits(case.schedule.point(name), other, day) for name in names for other in days)


def fits(point: TimePoint, day: date, baseline: date) -> bool:
    """Whether a study of ``day`` lies in the window of a visit."""
    return fits_day(point, (day - baseline).days)


def fits_day(point: TimePoint, days: int) -> bool:
    """Whether a day counted from baseline lies in the window of a visit."""
    return point.window is not None and point.window[0] <= days <= point.window[1]


def _window_words(point: TimePoint) -> str:
    first, last = point.window or (0, 0)
    return f"{point.label}: {first} to {last} days after, nearest day {point.day}"


def _place_nearest(case: SubjectCase, point: TimePoint, by_date: dict[date, list[PlacedStudy]], baseline: date) -> None:
    """Place the one day nearest the due day (before baseline: the only day) and take it out of ``by_date``."""
    days = [day for day in sorted(by_date) if fits(point, day, baseline)]
    if case.placed.get(point.name) or not days:
        return
    due = point.day or 0
    off = {day: abs((day - baseline).days - due) if due > 0 else 0 for day in days}
    nearest = [day for day in days if off[day] == min(off.values())]
    visit = point.name
    if len(nearest) == 1:
        case.place(visit, by_date.pop(nearest[0]), BY_DATE)
        return
    case.unclear.add(visit)
    case.refuse(
        "ambiguous_visit",
        f"{in_words(visit).capitalize()} could be {' or '.join(map(_day, nearest))}, equally near.",
    )
    for day in nearest:
        del by_date[day]


def check_order(case: SubjectCase) -> None:
    """Refuse visits whose dates contradict their names, unless the manifest says so; note equal dates, and a 1-month
    scan off its window."""
    order = _pairs(case.schedule.names)
    wrong: dict[str, None] = {}
    for first, second in order:
        before, after = case.date_of(first), case.date_of(second)
        if before is None or after is None or before < after:
            continue
        if before == after:  # de-identification puts one day in place of all; the names still tell the visits apart
            case.warnings.append(f"{in_words(first)} and {in_words(second)} are both dated {_day(before)}")
            continue
        stated = f"{in_words(first)} is dated {_day(before)} and {in_words(second)} {_day(after)}"
        if BY_MANIFEST in case.sources[first] and BY_MANIFEST in case.sources[second]:
            case.doubt("manifest_against_dates", f"By the manifest, {stated}.")
        else:
            case.refuse("ambiguous_visit", f"Time points and dates contradict each other: {stated}.")
            wrong |= {visit: None for visit in (first, second) if BY_MANIFEST not in case.sources[visit]}
    for visit in wrong:
        case.remove(visit)
    _check_windows(case)


def _check_windows(case: SubjectCase) -> None:
    """Note visits off their windows. Where no person named them, their names may be of another scheme of visits.

    A site may call its screening V1 where the schedule means baseline by it: its baseline is V2 then, on day 90. So
    the first visit after baseline leaves all of them in doubt, and a later one itself alone.
    """
    baseline = case.date_of(BASELINE)
    first = next((name for name in case.schedule.later if case.date_of(name)), None)
    for name in case.schedule.later:
        point, day = case.schedule.point(name), case.date_of(name)
        if baseline and day and day != baseline and point.window and not fits(point, day, baseline):
            off = f"{_apart(day, baseline)} baseline, outside {point.window[0]} to {point.window[1]} days"
            case.warnings.append(f"the {point.label} scan is {off}")
            if BY_MANIFEST not in case.sources[name]:
                case.doubt(
                    "time_point_against_dates",
                    f"By its time point it is the {point.label} scan, and {off}.",
                    remedy=SAY_IT,
                    visit=None if name == first else name,
                )


def _pairs(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every two visits, the earlier first: neighbours before those further apart."""
    return sorted(combinations(names, 2), key=lambda pair: names.index(pair[1]) - names.index(pair[0]))


def note_missing(case: SubjectCase) -> None:
    """List a baseline or primary visit that is not there, unless it was refused as unclear."""
    if all(is_undated(visit) for visit in case.placed):
        return
    for visit in (BASELINE, case.schedule.primary):
        if visit is None or case.placed.get(visit) or visit in case.unclear or not case.placed:
            continue
        reason = f"There is no {in_words(visit)} study."
        baseline, window = case.date_of(BASELINE), case.schedule.point(visit).window
        if visit != BASELINE and baseline and window:
            reason = f"There is no study {window[0]} to {window[1]} days after the baseline of {_day(baseline)}."
        case.refusals.append(
            Refusal(
                code="missing_visit", reason=reason, remedy="Add the study, or name its visit in a manifest.",
                subject=case.subject, visit=visit,
            )
        )  # fmt: skip


def dates_of(parts: Iterable[PlacedStudy]) -> list[date]:
    """The dates that are known, in order."""
    return sorted({part.date for part in parts if part.date})


def _apart(day: date, baseline: date) -> str:
    days = (day - baseline).days
    return f"{abs(days)} days {'after' if days >= 0 else 'before'}"


def _day(day: date | None) -> str:
    return day.isoformat() if day else "no date"


def listed(days: Iterable[date]) -> str:
    """Dates in words."""
    return ", ".join(map(_day, days))
