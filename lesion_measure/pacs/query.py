"""What is asked of a PACS: ``PatientID=SIM-01,StudyDate=20240101-20240201``.

Full values alone. A wildcard or an odd character that a DICOMweb client has to encode finds nothing at some servers,
which do not decode it: they answer with an empty list. Such a query goes by C-FIND, or is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from lesion_measure.errors import ConfigError
from lesion_measure.spelling import nearest

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_DATES = re.compile(r"[0-9]{8}|[0-9]{8}-[0-9]{8}|[0-9]{8}-|-[0-9]{8}")
_TEXT_BYTES = 64
_UIDS = ("StudyInstanceUID",)
KEYS = ("PatientID", "StudyDate", "StudyInstanceUID", "AccessionNumber", "StudyID", "ModalitiesInStudy")


@dataclass(frozen=True, slots=True)
class Query:
    """Attributes of a study and the values asked for, in the order given."""

    filters: tuple[tuple[str, str], ...]

    @property
    def encoded(self) -> tuple[str, ...]:
        """The attributes whose values DICOMweb would send encoded, which not every server decodes."""
        return tuple(key for key, value in self.filters if quote(value, safe="") != value)

    def text(self) -> str:
        """The query as it is written."""
        return ",".join(f"{key}={value}" for key, value in self.filters)


def is_uid(text: object) -> bool:
    """Whether a value is a UID (PS3.5 9.1): it may name a file, since it holds digits and single dots alone."""
    return isinstance(text, str) and len(text) <= 64 and _UID.fullmatch(text) is not None


def parse(text: str) -> Query:
    """A query as users write it.

    Raises
    ------
    ConfigError
        Code ``query``: an attribute that cannot be asked for, no value, or a value of the wrong kind.
    """
    filters: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not value:
            raise _wrong("Each part of a query is NAME=VALUE.")
        if key not in KEYS:
            near = nearest(key, list(KEYS))
            raise _wrong(f"'{key[:40]}' cannot be asked for." + (f" Did you mean '{near}'?" if near else ""))
        if key in filters:
            raise _wrong(f"{key} is there twice.")
        _check(key, value)
        filters[key] = value
    return Query(tuple(filters.items()))


def _check(key: str, value: str) -> None:
    if key in _UIDS and not is_uid(value):
        raise _wrong(f"The value of {key} is no UID.")
    if key == "StudyDate" and not _DATES.fullmatch(value):
        raise _wrong("StudyDate is YYYYMMDD, or a range such as 20240101-20240201.")
    if key == "ModalitiesInStudy" and not re.fullmatch(r"[A-Z]{2,16}", value):
        raise _wrong("ModalitiesInStudy is one modality, such as US.")
    if len(value.encode("utf-8", "replace")) > _TEXT_BYTES or not value.isprintable() or "\\" in value:
        raise _wrong(f"The value of {key} is longer than {_TEXT_BYTES} bytes, or holds a backslash.")
    if set(value) & set("*?"):
        raise _wrong(f"The value of {key} holds a wildcard; a query takes full values.")


def _wrong(reason: str) -> ConfigError:
    return ConfigError(
        f"The query cannot be used. {reason}",
        remedy=f"Write NAME=VALUE, with commas between them; NAME is {', '.join(KEYS)}.",
        code="query",
    )
