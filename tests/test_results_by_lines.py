"""results.json is read child by child where its layout is a run's, and gives what the whole file gives."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cohort_results import subject, write
from lesion_measure.cohort.analysis import analyse
from lesion_measure.cohort.files import cohort_document, statistic_rows
from lesion_measure.errors import InputError
from lesion_measure.files.listed import Item, read_listed
from lesion_measure.records import BASELINE, Refusal, SubjectResult
from lesion_measure.report import children
from lesion_measure.report.in_short import in_short
from lesion_measure.results import FILE, read_results
from test_cohort_agreement import with_alternatives

REFUSED = Refusal(code="no_scale", reason="No scale.", subject="S2", visit=BASELINE, lesion=None)
TEXT = b'{\n "a": 1,\n "list": [\n  {"x": ","},\n  {"x": 2}\n ],\n "none": [],\n "b": [1, 2]\n}\n'


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Five children of two readers, and one whose lesion is gone."""
    children = [with_alternatives(f"S{n}", 20.0 + n, 0.9 + n / 50) for n in range(5)]
    return write(tmp_path / "out", [*children, subject("S9", [(30, 0), (12, 11)])], refusals=[REFUSED])


def read(text: bytes, most: int = 1000) -> tuple[list[Item], bytes] | None:
    items: list[Item] = []
    listed = read_listed(io.BytesIO(text), {"list": items.append, "none": items.append}, most)
    return None if listed is None else (items, listed.rest)


def test_items_come_with_their_places() -> None:
    found = read(TEXT)
    assert found is not None
    items, rest = found
    assert [json.loads(item.text) for item in items] == [{"x": ","}, {"x": 2}]
    assert all(TEXT[item.place :].startswith(item.text) for item in items)
    assert json.loads(rest) == {**json.loads(TEXT), "list": []}


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        (b'","},\n', b'","}\n'),  # no comma between items
        (b"2}\n", b"2},\n"),  # one after the last
        (b' "a": 1,\n', b' "list": [],\n'),  # a name twice
        (b' "a": 1,\n', b' "a": {\n "none": [\n  3\n ]\n},\n'),  # a list within another value
        (b' "b": [1, 2]', b' "b": [\n  1\n ]'),  # a list of no such name
        (b' "a": 1,\n', b' "a": 1, "c": 2,\n'),
        (b' "none": [],\n', b' "none": [1],\n'),  # items on the line of their list
        (b' "b": [1, 2]', b' "b": ' + b"[" * 500),
    ],
)
def test_another_layout_is_told(what: bytes, instead: bytes) -> None:
    changed = TEXT.replace(what, instead)
    assert changed != TEXT
    assert read(changed) is None


def test_a_large_file_is_told() -> None:
    assert read(TEXT, len(TEXT)) is not None
    assert read(TEXT, len(TEXT) - 1) is None
    assert read(b"{" * 2000) is None


def test_by_lines_and_at_once_give_the_same(results: Path) -> None:
    by_lines = read_results(results)
    assert len(by_lines.subjects) == 6
    assert by_lines.refusals
    document = json.loads((results / FILE).read_text())
    (results / FILE).write_text(json.dumps(document, indent=2))
    at_once = read_results(results)
    assert repr(replace(at_once, sha256=by_lines.sha256)) == repr(by_lines)


def test_the_first_fault_is_named_with_its_place(results: Path) -> None:
    text = (results / FILE).read_text()
    (results / FILE).write_text(text.replace('"present": true', '"present": 1', 1))
    with pytest.raises(InputError, match=r"'subjects\.0\.lesions\.0\.present'"):
        read_results(results)


def test_one_child_at_a_time_is_whole(results: Path) -> None:
    whole: list[SubjectResult] = []

    def keep(child: SubjectResult) -> SubjectResult:
        whole.append(child)
        return in_short(child)

    kept = read_results(results, keep).subjects
    assert repr(tuple(whole)) == repr(read_results(results).subjects)
    assert not any(child.calipers or child.review for child in kept)


def test_statistics_need_no_more_than_a_child_in_short(results: Path) -> None:
    whole, short = (analyse(read_results(results, *some), labs=None) for some in ((), (in_short,)))
    assert whole.readers
    assert cohort_document(short) == cohort_document(whole)
    assert list(statistic_rows(short)) == list(statistic_rows(whole))


def test_a_child_is_read_whole_from_its_place(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, short = read_results(results), read_results(results, in_short)
    monkeypatch.setattr(children, "read_results", None)  # which reads them all
    with children.whole_children(results, short) as child:
        assert [repr(child(one.subject)) for one in reversed(whole.subjects)] == [*map(repr, reversed(whole.subjects))]
        assert child("S8") is None


def a_line_each(document: dict[str, Any]) -> str:
    """Each value on the line of its name, lists as well."""
    return "{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in document.items()) + "\n}\n"


def torn(document: dict[str, Any]) -> str:
    """As `a_line_each`, of subjects a line each, the first of which is torn behind a comma."""
    first, *more = (json.dumps(child) for child in document.pop("subjects"))
    rows = ",\n  ".join([first.replace(", ", ",\n", 1), *more])
    return a_line_each(document).replace("{\n", f'{{\n "subjects": [\n  {rows}\n ],\n', 1)


def test_a_subject_twice_is_told_in_any_layout(results: Path) -> None:
    document = json.loads((results / FILE).read_text())
    document["subjects"].append(document["subjects"][0])
    (results / FILE).write_text(a_line_each(document))
    with pytest.raises(InputError, match="a subject twice"):
        read_results(results)


@pytest.mark.parametrize("layout", [json.dumps, a_line_each, torn])
def test_a_child_is_read_whole_from_any_layout(results: Path, layout: Callable[[dict[str, Any]], str]) -> None:
    (results / FILE).write_text(layout(json.loads((results / FILE).read_text())))
    with children.whole_children(results, read_results(results, in_short)) as child:
        assert [repr(child(one.subject)) for one in read_results(results).subjects] == [
            *map(repr, read_results(results).subjects)
        ]


def test_results_that_change_meanwhile_are_refused(results: Path) -> None:
    short = read_results(results, in_short)
    (results / FILE).write_text((results / FILE).read_text().replace("No scale.", "No image."))
    with pytest.raises(InputError, match="changed while they were read"), children.whole_children(results, short):
        pass
