"""One value at a time, in the form that its VR asks for (PS3.5 6.2); what has another form does not stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from pydicom.uid import UID

_DATE = re.compile(r"(\d{4})([.\-/]?)(\d{2})\2(\d{2})")
_DATE_TIME = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?")
_TIME = re.compile(r"\d{2}(:?\d{2}(:?\d{2}(\.\d{1,6})?)?)?")
_AGE = re.compile(r"(\d{3})([DWMY])")
_OLDEST_YEARS = 89
_DECIMAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_INTEGER = re.compile(r"\s*[+-]?\d{1,12}\s*")
_CODE_STRING = re.compile(r"[A-Z0-9 _]{0,16}")
_NUMBERS = frozenset(("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"))
_WORDS_OF_NUMBERS = frozenset(("OW", "OB"))
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_STANDARD_CLASSES = "1.2.840.10008."

FORMS: dict[str, Callable[[str], bool]] = {
    "DS": lambda text: bool(_DECIMAL.fullmatch(text)) or not text.strip(),
    "IS": lambda text: bool(_INTEGER.fullmatch(text)) or not text.strip(),
    "CS": lambda text: bool(_CODE_STRING.fullmatch(text)),
}
"""Whether a text has the form of its VR."""


def is_numbers(vr: str) -> bool:
    """Whether values of a VR are binary numbers, or bytes that hold such (palettes)."""
    return vr in _NUMBERS or vr in _WORDS_OF_NUMBERS


def moved_date(stated: str, days: int) -> str:
    """A date (DA, also as ACR-NEMA writes it) moved by some days; empty where it is none."""
    found = _DATE.fullmatch(stated.strip())
    try:
        return "" if found is None else _moved(found[1] + found[3] + found[4], days)
    except (ValueError, OverflowError):
        return ""


def moved_date_time(stated: str, days: int) -> str:
    """A date with its time (DT) moved by whole days; empty where it has no day."""
    found = _DATE_TIME.fullmatch(stated.strip())
    try:
        return "" if found is None else _moved(found[1], days) + (found[2] or "") + (found[3] or "")
    except (ValueError, OverflowError):
        return ""


def _moved(digits: str, days: int) -> str:
    day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) + timedelta(days=days)
    return f"{day:%Y%m%d}".rjust(8, "0")


def time(stated: str) -> str:
    """A time of day (TM); empty where it is none."""
    return stated.strip() if _TIME.fullmatch(stated.strip()) else ""


def age(stated: str) -> str:
    """An age (AS), of 90 years where it is more than 89 (PS3.15 E.3.7 leaves it to us); empty where it is none."""
    found = _AGE.fullmatch(stated.strip())
    if found is None:
        return ""
    return "090Y" if found[2] == "Y" and int(found[1]) > _OLDEST_YEARS else stated.strip()


def age_between(born: str, seen: str) -> str:
    """The age (AS) at a day of someone born at another, in the finest unit that is usual; empty where not known."""
    first, last = _DATE.fullmatch(born.strip()), _DATE.fullmatch(seen.strip())
    if first is None or last is None:
        return ""
    try:
        birth, day = (date(int(each[1]), int(each[3]), int(each[4])) for each in (first, last))
    except ValueError:
        return ""
    if day < birth:
        return ""
    months = (day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day)
    if months < 3:
        return f"{(day - birth).days:03d}D"
    return f"{months:03d}M" if months < 72 else age(f"{min(months // 12, 999):03d}Y")


def is_of_the_standard(stated: str) -> bool:
    """Whether a UID is one that the standard registers: it stands for no instance."""
    uid = UID(stated)
    return uid.name != uid and stated.startswith(_STANDARD_CLASSES)


def is_class(stated: str) -> bool:
    """Whether a UID lies where the standard has its storage classes, known to us or newer."""
    return bool(_UID.fullmatch(stated)) and stated.startswith("1.2.840.10008.5.1.4.") and len(stated) <= 40
