"""Lesions that readers drew in objects without naming them: what tells which they are, and what waits for a person."""

from __future__ import annotations

import make
from lesion_measure.config import Config
from lesion_measure.lesions.naming import VisitReadings
from lesion_measure.lesions.unnamed import NamedDrawings, name_drawings, without_other_readers
from lesion_measure.records import BASELINE, ONE_MONTH, NamedBy, Plane, PlaneMeasurement, unnamed

A, B, C = unnamed("a"), unnamed("b"), unnamed("c")


def drawn(
    lesion: str, sop: str = "1.1", at: tuple[float, float] = (300.0, 400.0), mm: float = 20.0, **more: object
) -> PlaneMeasurement:
    return make.plane(mm, 0.8 * mm, at=at, sop=sop, lesion=lesion, **more)  # type: ignore[arg-type]


def named(*baseline: PlaneMeasurement, later: tuple[PlaneMeasurement, ...] = ()) -> NamedDrawings:
    visits = {BASELINE: VisitReadings(caliper=list(baseline)), ONE_MONTH: VisitReadings(caliper=list(later))}
    return name_drawings("S1", visits, {}, Config().pairing)


def names(outcome: NamedDrawings, visit: str = BASELINE) -> list[tuple[str, NamedBy]]:
    return [(plane.lesion, plane.naming.by) for plane in outcome.visits[visit].caliper]


def test_what_has_a_name_is_left_as_it_is() -> None:
    plane = drawn("L7")
    outcome = named(plane)
    assert outcome.visits[BASELINE].caliper == [plane]
    assert not outcome.names


def test_where_a_named_caliper_lies_it_is_that_lesion() -> None:
    outcome = named(drawn("L7", reader="R1"), drawn(A, at=(305.0, 410.0), reader="R2"))
    assert names(outcome) == [("L7", NamedBy.READER)] * 2
    assert outcome.names == {A: "L7"}


def test_another_size_in_the_same_place_is_another_lesion() -> None:
    outcome = named(drawn("L7", mm=60.0), drawn(A, mm=8.0))
    assert names(outcome)[1][0] != "L7"


def test_in_the_place_of_two_names_nothing_is_guessed() -> None:
    outcome = named(drawn("L7", reader="R1"), drawn("L8", at=(300.0, 404.0), reader="R2"), drawn(A, reader="R3"))
    assert [plane.lesion for plane in outcome.visits[BASELINE].caliper] == ["L7", "L8"]
    (doubt,) = outcome.doubts
    assert doubt.refusal.code == "lesion_not_named"
    assert "L7 and L8" in doubt.refusal.reason


def test_what_an_object_says_to_be_one_lesion_is_one_at_every_visit() -> None:
    outcome = named(drawn(A), later=(drawn(A, "2.1", (200.0, 300.0), 12.0),))
    assert names(outcome) == names(outcome, ONE_MONTH) == [("L1", NamedBy.READER)]


def test_a_free_name_is_given_to_the_largest_first() -> None:
    far = (150.0, 600.0)
    outcome = named(
        drawn(A, mm=10.0), drawn(B, at=far, mm=30.0), later=(drawn(A, "2.1", mm=9.0), drawn(B, "2.1", far, 25.0))
    )
    assert outcome.names == {B: "L1", A: "L2"}


def test_one_lesion_on_each_image_is_the_only_one() -> None:
    outcome = named(drawn(A), drawn(B, "1.2", plane=Plane.SAGITTAL), later=(drawn(C, "2.1"),))
    assert {by for _, by in (*names(outcome), *names(outcome, ONE_MONTH))} == {NamedBy.ONLY}
    assert set(outcome.names.values()) == {"L1"}


def test_it_is_called_as_it_is_elsewhere() -> None:
    outcome = named(drawn("Target"), drawn(B, "1.2", plane=Plane.SAGITTAL), later=(drawn("Target", "2.1"),))
    assert names(outcome) == [("Target", NamedBy.READER), ("Target", NamedBy.ONLY)]
    assert not outcome.refusals


def test_two_readers_in_one_place_draw_one_lesion() -> None:
    outcome = named(drawn(A, reader="R1"), drawn(B, at=(302.0, 401.0), reader="R2"), later=(drawn(C, "2.1"),))
    assert outcome.names[A] == outcome.names[B]
    assert len(outcome.visits[BASELINE].caliper) == 2


def test_warnings_say_the_name() -> None:
    outcome = named(drawn("L7", warnings=(f"it takes in {A}",)), drawn(A, at=(100.0, 100.0)))
    assert A not in " ".join(w for plane in outcome.visits[BASELINE].caliper for w in plane.warnings)


def test_the_order_does_not_matter() -> None:
    far = drawn(B, at=(150.0, 600.0), mm=30.0)
    one, two = named(drawn(A), far), named(far, drawn(A))
    assert one.names == two.names


def test_whose_calipers_do_not_count_names_nothing() -> None:
    readings = VisitReadings(caliper=[drawn("L7", reader="R1"), drawn(A, at=(100.0, 100.0), reader="R2")])
    assert [p.reader for p in without_other_readers(readings, "R1").caliper] == ["R1"]
    assert without_other_readers(readings, "R3") is readings
    assert without_other_readers(readings, None) is readings
