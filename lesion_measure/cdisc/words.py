"""Texts of the datasets: reasons in SDTM's way, and long texts in pieces."""

from __future__ import annotations

import textwrap

from lesion_measure.cdisc.dataset import Value
from lesion_measure.cdisc.supplemental import Extra
from lesion_measure.results import RefusalResult

MAX_TEXT = 200
"""Longest text of a variable, in characters (SAS transport version 5)."""


def reason_words(reason: RefusalResult | None) -> str:
    """A refusal as the reason for a test that was not done, e.g. 'NO CALIBRATION: There are no regions.'."""
    if reason is None:
        return ""
    return f"{reason.code.replace('_', ' ').upper()}: {reason.reason}"


def not_done(domain: str, words: str) -> tuple[dict[str, Value], list[Extra]]:
    """--STAT and --REASND of a test that was not done, and what of the reason goes to the supplemental qualifiers.

    A reason of more than 200 characters is cut at a blank, and goes on there (SDTMIG 4.5.3.2).
    """
    first, *rest = textwrap.wrap(words, MAX_TEXT) or [""]
    more = [Extra(f"{domain}REASN{number}", piece, "eDT") for number, piece in enumerate(rest, 1)]
    return {f"{domain}STAT": "NOT DONE", f"{domain}REASND": first or None}, more
