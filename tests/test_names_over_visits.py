"""Names of the network's lesions over four visits: outlines of one picture a visit, moved and smaller each time."""

from __future__ import annotations

import pytest

import make
from lesion_measure.config import Config
from lesion_measure.lesions.naming import Named, VisitReadings, name_lesions
from lesion_measure.records import BASELINE, Fate, PlaneMeasurement, Source

ORDER = (BASELINE, "week_4", "week_8", "week_12")
SPOTS = {"L3": (12.0, 150.0, 200.0), "L1": (25.0, 300.0, 500.0), "L2": (16.0, 420.0, 300.0)}
"""Long axis in mm, row and column at baseline, by the name that comes of the order of size."""


def outlines(time: int, *lesions: str) -> VisitReadings:
    """What the network outlines at a visit: the probe moves a little each time, and the lesions shrink by 10 %."""
    spots = (SPOTS[lesion] for lesion in lesions)
    return VisitReadings(
        model=[
            make.plane(
                0.9**time * mm, 0.9**time * 0.8 * mm, source=Source.MODEL, lesion="", sop=f"v{time}",
                at=(row + 8 * time, column - 20 * time),
            )
            for mm, row, column in spots
        ]
    )  # fmt: skip


def draw(readings: VisitReadings, time: int, lesion: str, name: str) -> None:
    """A reader's caliper across a lesion of that visit, with a name."""
    mm, row, column = SPOTS[lesion]
    at = (row + 8 * time, column - 20 * time)
    readings.caliper.append(make.plane(0.9**time * mm, 0.7 * mm, sop=f"v{time}", at=at, lesion=name))


def named(*visits: VisitReadings) -> Named:
    return name_lesions("S1", dict(zip(ORDER, visits, strict=True)), {}, Config().pairing, ORDER)


def names(found: Named) -> list[dict[str, str]]:
    """The name of each lesion at each visit, by its name in `SPOTS`, told by its place."""
    return [{spot(plane, time): plane.lesion for plane in found.visits[v].model} for time, v in enumerate(ORDER)]


def spot(plane: PlaneMeasurement, time: int) -> str:
    assert plane.outline_px is not None
    column = plane.outline_px[:, 1].mean() + 20 * time
    return min(SPOTS, key=lambda lesion: abs(SPOTS[lesion][2] - column))


def test_a_lesion_has_one_name_at_every_visit() -> None:
    orders = (("L3", "L1", "L2"), ("L1", "L2", "L3"), ("L2", "L3", "L1"), ("L3", "L2", "L1"))
    found = named(*(outlines(time, *order) for time, order in enumerate(orders)))
    assert names(found) == [{lesion: lesion for lesion in SPOTS}] * 4
    assert not found.refusals


def test_a_lesion_that_one_visit_misses_keeps_its_name() -> None:
    seen = (("L3", "L1", "L2"), ("L1", "L3"), ("L3", "L1"), ("L1", "L2", "L3"))
    found = named(*(outlines(time, *lesions) for time, lesions in enumerate(seen)))
    assert names(found) == [{lesion: lesion for lesion in lesions} for lesions in seen]


@pytest.mark.parametrize("late", [1, 2, 3])
def test_a_name_that_a_reader_gives_late_is_the_lesions_name_at_every_visit_before(late: int) -> None:
    visits = [outlines(time, *SPOTS) for time in range(4)]
    draw(visits[late], late, "L2", "target")
    found = named(*visits)
    assert [each["L2"] for each in names(found)] == ["target"] * 4
    assert names(found) == [names(found)[0]] * 4
    assert len(names(found)[0].values()) == 3
    assert not found.refusals


def test_a_late_name_is_no_surer_before_than_the_pairing_that_lends_it() -> None:
    """The reader's lesion of 18 mm lies 19 mm deeper than one of 12 mm would: it may be that one or another."""
    visits = [outlines(time, "L1", "L2") for time in range(4)]
    visits[3] = outlines(3, "L1")
    visits[3].caliper.append(make.plane(18.0, 13.5, sop="v3", at=(540.0, 300.0), lesion="target"))
    found = named(*visits)
    assert [each["L2"] for each in names(found)[:3]] == ["target"] * 3
    sure = [p.naming.confidence for v in ORDER[:3] for p in found.visits[v].model if p.lesion == "target"]
    assert max(c for c in sure if c is not None) < Config().pairing.min_confidence
    assert {(r.visit, r.code) for r in found.refusals if r.lesion == "target"} == {
        (visit, "pairing_unsure") for visit in ORDER[:3]
    }


def test_a_readers_name_is_followed_by_the_name_and_not_by_likeness() -> None:
    """The name of week 4 is carried on to week 8; at week 12 the reader puts it where another lesion was."""
    visits = [outlines(time, *SPOTS) for time in range(4)]
    draw(visits[1], 1, "L2", "target")
    draw(visits[3], 3, "L3", "target")
    found = names(named(*visits))
    assert [each["L2"] for each in found[:3]] == ["target"] * 3
    assert found[3]["L3"] == "target"
    assert len({*found[3].values()}) == 3


def test_where_both_names_are_in_use_somebody_has_to_look() -> None:
    """Two lesions merge at week 4, which is on record by their names; at week 12 a reader calls it otherwise."""
    two = [make.plane(12.0, 9.6, source=Source.MODEL, lesion="", sop="v0", at=(300.0, c)) for c in (400.0, 465.0)]
    one = [
        make.plane(24.0, 12.0, source=Source.MODEL, lesion="", sop=f"v{time}", at=(300.0, 432.0)) for time in (1, 2, 3)
    ]
    visits = [VisitReadings(model=two), *(VisitReadings(model=[plane]) for plane in one)]
    visits[3].caliper.append(make.plane(24.0, 12.0, sop="v3", at=(300.0, 432.0), lesion="target"))
    found = named(*visits)
    assert [group.fate for group in found.groups] == [Fate.MERGED]
    assert {plane.lesion for plane in found.visits["week_8"].model} == {"L1+L2"}
    assert [(r.code, r.visit, r.lesion) for r in found.refusals if r.code == "pairing_unclear"] == [
        ("pairing_unclear", "week_12", "target")
    ]
