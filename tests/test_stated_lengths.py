"""A length that a row of a caliper file states, held against ends that are 10 mm apart on pixels of 0.2 mm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lesion_measure.errors import TableError
from lesion_measure.image.stated import against_stated
from lesion_measure.records import ONE_MONTH
from lesion_measure.tables.calipers import read_calipers
from test_doubts import Rows, child, children, measured

__all__ = ["children"]

HEADER = "image,lesion,axis,start_col,start_row,end_col,end_row,reader,length_mm,source"
LINE = "a.dcm,L1,long,10,20,40,60,R1"


def _written(folder: Path, row: str) -> Path:
    path = folder / "calipers.csv"
    path.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    return path


def _warning(path: Path) -> str:
    (caliper,) = read_calipers(path)
    said = against_stated(caliper, 10.0, (0.2, 0.2))
    assert said.asks == bool(said.warning)
    return said.warning


@pytest.mark.parametrize("stated", ["10.00", "10.20", "9.80", "10.2", "9.8", "10", ""])
def test_a_length_within_its_rounding_and_a_pixel_says_nothing(tmp_path: Path, stated: str) -> None:
    assert not _warning(_written(tmp_path, f"{LINE},{stated},"))


@pytest.mark.parametrize("stated", ["10.21", "10.3", "9.7", "11", "9", "1.0", "100", "0", "-10"])
def test_a_length_that_is_further_off_is_told_with_both_numbers(tmp_path: Path, stated: str) -> None:
    """Half of the last digit and a pixel allow 0.205 mm of 10.21, 0.25 mm of 10.3 and 0.7 mm of 11."""
    warning = _warning(_written(tmp_path, f"{LINE},{stated},"))
    assert f"row 2 states a length of {stated} mm, and its ends are 10.00 mm apart" in warning


def test_a_length_that_a_run_wrote_is_that_of_ends_that_may_have_been_corrected(tmp_path: Path) -> None:
    assert not _warning(_written(tmp_path, f"{LINE},33.4,table"))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (f"{LINE},10 mm,", "Line 2: 'length_mm' is not a number"),
        (f'{LINE},"10,0",', "Line 2: 'length_mm' has a decimal comma"),
        ("a.dcm,L1,absent,,,,,R1,10,", "an 'absent' row has no length, and 'length_mm' is 10"),
    ],
)
def test_a_length_that_cannot_be_one_stops_the_run(tmp_path: Path, row: str, complaint: str) -> None:
    with pytest.raises(TableError, match=complaint):
        read_calipers(_written(tmp_path, row))


def test_a_lesion_that_is_gone_may_be_0_mm_long(tmp_path: Path) -> None:
    (caliper,) = read_calipers(_written(tmp_path, "a.dcm,L1,absent,,,,,R1,0,"))
    assert not caliper.stated_mm


def test_json_may_state_it_too(tmp_path: Path) -> None:
    path = tmp_path / "calipers.json"
    values = dict(zip(HEADER.split(",")[:-1], [*LINE.split(","), 12.5], strict=True))
    path.write_text(json.dumps({"calipers": [values]}), encoding="utf-8")
    assert "states a length of 12.5 mm" in _warning(path)


def test_the_child_waits_for_review_and_its_verdict_is_not_certain(children: Path) -> None:
    """A caliper of some 30 mm that the viewer called 99 mm; every other row states none."""

    def state(rows: Rows) -> None:
        for row in rows:
            row["length_mm"] = ""
        next(r for r in rows if r["image"].startswith("SIM-04/one_month") and r["axis"] == "long")["length_mm"] = "99"

    result = measured(children)
    right, other = child(result), child(result, "SIM-01").response
    wrong = measured(children, state)
    (asks,) = child(wrong).review
    assert (asks.code, asks.visit) == ("stated_length_differs", ONE_MONTH)
    assert "states a length of 99 mm" in asks.reason
    held = child(wrong).response
    assert right.response.certain
    assert not held.certain
    assert held.category == right.response.category
    assert child(wrong, "SIM-01").response == other
