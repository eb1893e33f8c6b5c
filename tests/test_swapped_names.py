"""Two names that may be swapped at one of two visits: told where sizes, shapes and places fit better the other way."""

from __future__ import annotations

import math

import pytest
from swapped_names import count

import make
from lesion_measure.config import Config
from lesion_measure.records import BASELINE, ONE_MONTH, Doubt, LesionMeasurement, NamedBy, Naming, Point, Source
from lesion_measure.verdict.swapped import swap_doubts

AT = {"L1": (200.0, 300.0), "L2": (400.0, 500.0)}


def _lesion(
    name: str, mm: float, visit: str = BASELINE, at: Point | None = None, *, together: bool = False, ratio: float = 1.25
) -> LesionMeasurement:
    """A lesion on one plane, ``ratio`` times as long as wide; ``together``: on one picture with all others."""
    sop = f"1.2.{visit}" if together else f"1.2.{visit}.{name}"
    plane = make.plane(mm, mm / ratio, at=at or (300.0, 400.0), sop=sop, lesion=name)
    return make.lesion(mm, visit, name, planes=(plane,))


def _doubts(*sizes: tuple[str, float, float]) -> list[Doubt]:
    """Name, baseline and later size of each lesion; a later size of 0: stated to be gone."""
    first = [_lesion(name, mm) for name, mm, _ in sizes]
    gone = {"present": False, "planes": (), "source": Source.READER_STATEMENT}
    then = [_lesion(n, mm, ONE_MONTH) if mm else make.lesion(0, ONE_MONTH, n, **gone) for n, _, mm in sizes]
    return swap_doubts([*first, *then], [ONE_MONTH], Config().pairing.visits)


def test_both_readings_are_told() -> None:
    """13/40 = 0.325, 41/12 = 3.4167; the other way round 41/40 = 1.025, 13/12 = 1.0833."""
    (doubt,) = _doubts(("L1", 40, 13), ("L2", 12, 41))
    assert doubt.refusal.code == "perhaps_swapped"
    assert doubt.refusal.visit == ONE_MONTH
    assert doubt.refusal.reason == (
        "The names L1 and L2 may be swapped at baseline or one month. As they stand L1 changed by -67.5 % and L2 "
        "changed by +241.7 %; the other way round L1 changed by +2.5 % and L2 changed by +8.3 %, which fits better."
    )


def test_one_that_is_gone_may_be_the_other() -> None:
    """36/10 = 3.6; the other way round 36/40 = 0.9."""
    for doubts in (_doubts(("L1", 40, 0), ("L2", 10, 36)), _doubts(("L2", 10, 36), ("L1", 40, 0))):
        (doubt,) = doubts
        assert "L2 changed by +260.0 %" in doubt.refusal.reason
        assert "L1 is gone" in doubt.refusal.reason.partition("the other way round")[0]
        assert "L1 changed by -10.0 %" in doubt.refusal.reason.partition("the other way round")[2]


def test_one_that_is_left_as_large_as_the_one_that_is_gone_is_doubted() -> None:
    """39/40 = 0.975; 24/40 = 0.6 is further from 1 than 1.96 SD, exp(-1.96 x 0.16 x sqrt 2) = 0.642."""
    assert len(_doubts(("L1", 40, 0), ("L2", 10, 39))) == 1
    assert len(_doubts(("L1", 40, 0), ("L2", 10, 26))) == 1
    assert _doubts(("L1", 40, 0), ("L2", 10, 25)) == []


def test_one_that_the_network_did_not_find_is_not_named_by_a_person() -> None:
    first = [_lesion("L1", 40), _lesion("L2", 12)]
    gone = {"present": False, "planes": ()}
    for source, doubts in ((Source.READER_STATEMENT, 1), (Source.MODEL, 0)):
        then = [make.lesion(0, ONE_MONTH, "L1", **gone, source=source), _lesion("L2", 36, ONE_MONTH)]
        assert len(swap_doubts([*first, *then], [ONE_MONTH], Config().pairing.visits)) == doubts


@pytest.mark.parametrize(
    "sizes",
    [
        [("L1", 40, 20), ("L2", 20, 10)],  # alike
        [("L1", 40, 12), ("L2", 30, 24)],  # both shrank, unalike: usual enough
        [("L1", 40, 20), ("L2", 22, 24)],  # one shrank by half, one grew by 9 %: the other way -40 % and -9 %
        [("L1", 40, 10), ("L2", 12, 13)],  # the other way round they are as far apart
        [("L1", 40, 0), ("L2", 10, 12)],  # one gone, the other grew a little
        [("L1", 40, 0), ("L2", 10, 24)],  # it grew by far; the other way round it shrank by 40 %
        [("L1", 40, 0), ("L2", 30, 0)],
        [("L1", 40, 90)],
    ],
)
def test_lesions_that_changed_unalike_are_not_doubted(sizes: list[tuple[str, float, float]]) -> None:
    assert _doubts(*sizes) == []


def test_places_on_one_picture_speak_for_the_names() -> None:
    """Each lies where it lay, 40 mm beside and below the other; or where the other lay."""
    likeness = Config().pairing.visits
    first = [_lesion(name, mm, at=AT[name], together=True) for name, mm in (("L1", 40), ("L2", 12))]
    places = AT, {"L1": AT["L2"], "L2": AT["L1"]}
    stayed, moved = (
        [_lesion(name, mm, ONE_MONTH, at[name], together=True) for name, mm in (("L1", 13), ("L2", 41))]
        for at in places
    )
    assert swap_doubts([*first, *stayed], [ONE_MONTH], likeness) == []
    assert len(swap_doubts([*first, *moved], [ONE_MONTH], likeness)) == 1


def test_shapes_speak_for_the_names() -> None:
    """One is round, one twice as long as wide, at both visits: (2 ln 2)^2 / (4 x 0.12^2), 33 nats, for the names."""
    likeness = Config().pairing.visits
    first = [_lesion("L1", 40, ratio=1), _lesion("L2", 12, ratio=2)]
    kept = [_lesion("L1", 13, ONE_MONTH, ratio=1), _lesion("L2", 41, ONE_MONTH, ratio=2)]
    turned = [_lesion("L1", 13, ONE_MONTH, ratio=2), _lesion("L2", 41, ONE_MONTH, ratio=1)]
    assert (2 * math.log(2)) ** 2 / (4 * likeness.shape_log**2) == pytest.approx(33.4, abs=0.1)
    assert swap_doubts([*first, *kept], [ONE_MONTH], likeness) == []
    assert len(swap_doubts([*first, *turned], [ONE_MONTH], likeness)) == 1


def test_names_of_automatic_pairing_have_their_own_doubts() -> None:
    first = [_lesion("L1", 40), _lesion("L2", 12)]
    paired = [
        make.lesion(mm, ONE_MONTH, name, planes=(make.plane(mm, naming=Naming(by=NamedBy.PAIRED, confidence=0.9)),))
        for name, mm in (("L1", 13), ("L2", 41))
    ]
    assert swap_doubts([*first, *paired], [ONE_MONTH], Config().pairing.visits) == []


@pytest.mark.parametrize("together", [False, True])
def test_it_is_seldom_said_of_right_names(*, together: bool) -> None:
    """Each lesion changes by 25 % (SD) beside the child's change; docs/mistakes.md has the figures of more children."""
    counted = count(300, 2, 0.25, together=together)
    assert counted.right <= 0.02 * counted.children
    assert counted.clear_swapped >= 0.4 * counted.clear_swaps
