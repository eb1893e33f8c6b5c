"""Texts of the datasets: reasons in SDTM's way, and long texts in pieces."""

from __future__ import annotations

from collections.abc import Iterator

from lesion_measure.cdisc.dataset import Value
from lesion_measure.cdisc.supplemental import Extra
from lesion_measure.records import Refusal

MAX_TEXT = 200
"""Longest text of a variable, in bytes (SAS transport version 5); a letter beyond ASCII takes two or more."""


def reason_words(reason: Refusal | None) -> str:
    """A refusal as the reason for a test that was not done, e.g. 'NO CALIBRATION: There are no regions.'."""
    if reason is None:
        return ""
    return f"{reason.code.replace('_', ' ').upper()}: {reason.reason}"


def not_done(domain: str, words: str) -> tuple[dict[str, Value], list[Extra]]:
    """--STAT and --REASND of a test that was not done, and what of the reason goes to the supplemental qualifiers.

    A reason of more than 200 bytes is cut at a blank, and goes on there (SDTMIG 4.5.3.2).
    """
    first, *rest = [*pieces(words)] or [""]
    more = [Extra(f"{domain}REASN{number}", piece) for number, piece in enumerate(rest, 1)]
    return {f"{domain}STAT": "NOT DONE", f"{domain}REASND": first or None}, more


def pieces(words: str) -> Iterator[str]:
    """A text in parts of at most `MAX_TEXT` bytes, cut at blanks where there are any."""
    part = ""
    for word in words.split():
        longer = f"{part} {word}" if part else word
        if _fits(longer):
            part = longer
            continue
        if part:
            yield part
        part = word
        while not _fits(part):
            head = part.encode()[:MAX_TEXT].decode(errors="ignore")
            yield head
            part = part[len(head) :]
    if part:
        yield part


def _fits(words: str) -> bool:
    return len(words.encode()) <= MAX_TEXT
