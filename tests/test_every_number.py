"""Every number with a unit on a child's page is one of that child's in results.json, rounded, and so is every date."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sample_runs import sample_run

NUMBER = re.compile(r"[+\-\u2212]?\d+(?:\.\d+)?")
WITH_UNIT = re.compile(rf"({NUMBER.pattern})\s*(?:mm\u00b2|mm|mL|%)")
AXIS_END = 100.0
"""Where the axis of the small plots of changes ends, in percent."""
DATE = re.compile(r"\d{4}-\d\d-\d\d")


class _Text(HTMLParser):
    """The words of a page without drawings, and the numbers of each row of its tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.rows: list[list[str]] = [[]]
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "svg")
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "svg")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)
            self.rows[-1] += [number.replace("\u2212", "-") for number in NUMBER.findall(data)]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_run(tmp_path_factory.mktemp("numbers") / "out", "--pages")


def _values(part: Any) -> Iterator[float]:
    """Every number of a part of a document, also of its texts."""
    if isinstance(part, dict):
        for value in part.values():
            yield from _values(value)
    elif isinstance(part, list):
        for value in part:
            yield from _values(value)
    elif isinstance(part, str):
        yield from map(float, NUMBER.findall(part.replace("\u2212", "-")))
    elif isinstance(part, int | float):
        yield float(part)


def _says(printed: str, value: float) -> bool:
    """Whether a value, rounded to the decimals that are printed, is what is printed; never a 0 with a sign."""
    digits = len(printed.partition(".")[2])
    return float(f"{value:.{digits}f}") == float(printed) and (float(printed) != 0 or printed[0] not in "+-")


@pytest.mark.parametrize(
    ("printed", "value", "right"),
    [("-30.0", -29.97, True), ("-29.97", -29.97, True), ("-30.0", -29.949, False), ("0.1", 0.15, True),
     ("-0.0", -0.04, False), ("-0.04", -0.04, True), ("+22.0", 22.0001, True), ("2.7", 2.65, False)],
)  # fmt: skip
def test_how_a_number_is_held_against_its_value(printed: str, value: float, *, right: bool) -> None:
    """Half a digit as the binary number lies: 0.15 is 0.1499999999999999944, 2.65 is 2.649999999999999911."""
    assert _says(printed, value) is right


def test_every_number_of_a_childs_page(out: Path) -> None:
    document = json.loads((out / "results.json").read_text(encoding="utf-8"))
    rules = [*_values(document["rule"]), *_values(document["secondary_rules"]), *_values(document["protocol"])]
    for child in document["subjects"]:
        page = _Text((out / "children" / f"{child['subject']}.html").read_text(encoding="utf-8"))
        known = [*_values(child), *rules, AXIS_END]
        known += [abs(value) for value in known]
        text = " ".join(page.words)
        printed = [number.replace("\u2212", "-") for number in WITH_UNIT.findall(text)]
        assert len(printed) > 20
        assert not [number for number in printed if not any(_says(number, value) for value in known)]
        dates = {scan["date"] for scan in child["visits"].values()}
        assert set(DATE.findall(text)) == dates
        whole = [change for change in child["changes"] if change["lesion"] is None]
        assert whole
        for change in whole:
            wanted = _row(change)
            assert any(len(row) >= len(wanted) and all(map(_says, row[-len(wanted) :], wanted)) for row in page.rows)


def _row(change: dict[str, Any]) -> list[float]:
    """What a row says of a change: sizes with SD and interval, the change, in percent, and its interval."""
    sizes = (change["baseline"], change["followup"])
    told = [value for size in sizes for value in (size["value"], size["sd"], *size["ci95"])]
    return [*told, change["absolute"], change["percent"], *change["percent_ci95"]]
