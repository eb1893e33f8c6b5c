"""Structured reports that are damaged, endless or hostile: drawings or refusals, in bounded time, and never a crash."""

from __future__ import annotations

import math
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO

import pydicom
import pytest
from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from lesion_measure.dicom.objects.reports import read_sr
from report_writing import (
    AREA,
    FINDING,
    LENGTH,
    LESION,
    LIVER,
    LONG,
    MEASUREMENTS,
    MM,
    REGION,
    SHORT,
    SITE,
    by_reference,
    coded,
    container,
    group,
    image,
    item,
    line,
    measurements,
    num,
    person,
    report,
    scoord,
    tracked,
)

DATA = [10.5, 20.5, 40.5, 60.5]
MUTATIONS = 500


def _valid() -> list[Dataset]:
    """One report of each kind that is read."""
    axes = group(
        *tracked("L1"),
        coded(FINDING, LESION),
        coded(SITE, LIVER),
        line(LONG, "12.5", DATA, image(frames=3)),
        line(SHORT, "7.5", [1.5, 2.5, 3.5, 4.5], image(frames=[3])),
    )
    ellipse = group(num(AREA, "628", MM, scoord("ELLIPSE", [10.5, 30.5, 50.5, 30.5, 30.5, 20.5, 30.5, 40.5])))
    beside = group(scoord("POLYLINE", DATA, concept=REGION), num(LENGTH, "12.5", MM, by_reference(1, 1, 1, 1)))
    mass = container(("99-7", "99VENDOR", "Liver Mass 1"), line(LENGTH, "12.5", DATA), num(LENGTH, "2"))
    return [
        report(person("Doe^Jane"), container(MEASUREMENTS, axes, ellipse)),
        measurements(beside, group(scoord("CIRCLE", DATA), num(LONG, "20"))),
        report(mass, line(LENGTH, "5", DATA), title=("99-0", "99VENDOR", "Abdomen report")),
    ]


@cache
def _stored() -> list[bytes]:
    """The valid reports as files."""
    stored = []
    for each in _valid():
        stream = BytesIO()
        each.save_as(stream)
        stored.append(stream.getvalue())
    return stored


def _all(dataset: Dataset) -> Iterator[tuple[Dataset, Tag]]:
    """Every element of a data set and of the items below it."""
    waiting = [dataset]
    while waiting:
        each = waiting.pop()
        for element in list(each):
            yield each, element.tag
            if element.VR == "SQ":
                waiting.extend(element.value)


def _noise(chance: random.Random) -> bytes:
    return chance.choice([b"", b"\0", b"1\\2\\3", b"\xff" * 7, b"1.2.3", b"SCOORD", b"9" * 300, chance.randbytes(33)])


def _remove(holder: Dataset, tag: Tag, chance: random.Random) -> None:
    del holder[tag]


def _overwrite(holder: Dataset, tag: Tag, chance: random.Random) -> None:
    vr, value = chance.choice(["DS", "FL", "UI", "CS", "LO", "SQ", "UL", "IS", "UN", "PN", "XX"]), _noise(chance)
    holder[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)


def _spoil(holder: Dataset, tag: Tag, chance: random.Random) -> None:
    vr, value = holder[tag].VR, _noise(chance)
    holder[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)


def _repeat(holder: Dataset, tag: Tag, chance: random.Random) -> None:
    if holder[tag].VR == "SQ":
        holder[tag] = DataElement(tag, "SQ", Sequence(list(holder[tag].value) * chance.choice([0, 2, 40])))


def _refer(holder: Dataset, tag: Tag, chance: random.Random) -> None:
    place = [1] * chance.randint(1, 6) if chance.random() < 0.5 else [chance.randint(0, 4) for _ in range(4)]
    held = list(holder.get("ContentSequence") or [])
    holder.ContentSequence = Sequence([*held, by_reference(*place)])


@pytest.mark.parametrize("first", range(0, MUTATIONS, 100))
def test_mutations_give_drawings_or_refusals(first: int) -> None:
    how: list[Callable[[Dataset, Tag, random.Random], None]] = [_remove, _overwrite, _spoil, _repeat, _refer]
    used = 0
    for seed in range(first, first + 100):
        chance = random.Random(seed)
        dataset = pydicom.dcmread(BytesIO(chance.choice(_stored())))
        for _ in range(chance.randint(1, 4)):
            for holder, tag in chance.sample(found := list(_elements(dataset)), min(len(found), 1)):
                chance.choice(how)(holder, tag, chance)
        drawings = read_sr(dataset, "sr.dcm")
        assert all(math.isfinite(value) for each in drawings.drawn for point in each.points for value in point)
        assert all(len(each.points) >= 2 and each.image_uid for each in drawings.drawn)
        assert all(each.code and each.reason and each.path == "sr.dcm" for each in drawings.refusals)
        assert drawings.drawn or drawings.refusals or drawings.listed
        used += bool(drawings.drawn)
    assert used > 20  # most reports keep some of their drawings, so the mutations reach all of the reading


def _elements(dataset: Dataset) -> Iterator[tuple[Dataset, Tag]]:
    """The elements that can still be walked, once some are spoilt."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield from _all(dataset)
        except Exception:  # noqa: BLE001 - pydicom raises whatever it meets
            return


def test_bytes_that_pydicom_still_reads() -> None:
    whole, read = _stored()[0], 0
    for seed in range(300):
        chance = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(400, len(whole))] = chance.randrange(256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                dataset = pydicom.dcmread(BytesIO(bytes(damaged[: chance.choice([None, len(whole) // 2])])))
            except Exception:  # noqa: BLE001 - whatever pydicom's parser meets is `read_header`'s to turn into an error
                continue
        read += 1
        assert read_sr(dataset, "sr.dcm") is not None
    assert read > 100


def test_a_report_that_refers_to_itself() -> None:
    graphic = scoord("POLYLINE", DATA, image(), by_reference(1, 1, 1, 1), by_reference(1), concept=REGION)
    loop = group(graphic, num(LENGTH, "12.5", MM, by_reference(1, 1, 1, 1), by_reference(1, 1, 1, 2)), by_reference(1))
    (drawing,) = read_sr(measurements(loop), "sr.dcm").drawn
    assert drawing.origin.stated_mm == 12.5


def test_references_that_refer_to_each_other_mean_nothing() -> None:
    loop = group(by_reference(1, 1, 1, 2), by_reference(1, 1, 1, 1), num(LENGTH, "12.5"))
    assert [each.code for each in read_sr(measurements(loop), "sr.dcm").refusals] == ["sr_no_points"]


def test_a_report_that_is_too_deep() -> None:
    inner = line(LENGTH, "12.5", DATA)
    for _ in range(40):
        inner = container(("121070", "DCM", "Findings"), inner)
    assert [each.code for each in read_sr(report(inner), "sr.dcm").refusals] == ["sr_too_large"]


def test_a_report_that_is_too_large() -> None:
    part = item("TEXT")
    dataset = Dataset()
    dataset.ContentSequence = Sequence(
        [container(MEASUREMENTS, *[part] * 30_000), container(MEASUREMENTS, *[part] * 30_000)]
    )
    assert [each.code for each in read_sr(dataset, "sr.dcm").refusals] == ["sr_too_large"]


def test_twice_the_report_takes_twice_the_work() -> None:
    assert _calls(80) < 2.5 * _calls(40)


def _calls(groups: int) -> int:
    """Calls of functions while a report of so many groups and observers is read."""
    made = report(
        *(person(f"R{at}") for at in range(groups)),
        container(MEASUREMENTS, *(group(*tracked(f"L{at}"), line(LENGTH, "1", DATA)) for at in range(groups))),
    )
    count = 0

    def seen(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(seen)
    try:
        drawn = read_sr(made, "sr.dcm").drawn
    finally:
        sys.setprofile(None)
    assert len(drawn) == groups
    return count


def test_outlines_are_bounded() -> None:
    points = [float(number) for number in range(60_000)]
    drawings = read_sr(measurements(group(num(AREA, "1", MM, scoord("POLYLINE", points)))), "sr.dcm")
    assert [each.code for each in drawings.refusals] == ["sr_points"]


def test_refusals_are_bounded_and_told() -> None:
    bad = [group(*tracked(f"L{at}"), line(LENGTH, "1", DATA, image(frames=0))) for at in range(130)]
    drawings = read_sr(measurements(*bad), "sr.dcm")
    assert len(drawings.refusals) == 101
    assert "30 more" in drawings.refusals[-1].reason


def test_nothing_of_a_report_is_written_to_the_log(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    made = _valid()[0]
    made[Tag("PatientName")] = RawDataElement(Tag("PatientName"), "PN", 8, b"Sm\xffth^A ", 0, False, True)
    for holder, tag in list(_all(made)):
        if tag == Tag("NumericValue"):
            holder[tag] = RawDataElement(tag, "DS", 6, b"Smith ", 0, False, True)
    assert read_sr(made, "sr.dcm").drawn
    assert not caplog.records
    assert not [each for each in recwarn if "Smith" in str(each.message)]
