"""Whether an empty result of the network says that a lesion is gone: the rule, its evidence, and a whole run."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from pydicom import dcmread
from pydicom.uid import generate_uid
from scipy import stats

import make
from drawn_network import DrawnNetwork, Ellipse, Line, replace_network
from lesion_measure.config import Config, Disappearance
from lesion_measure.errors import ConfigError
from lesion_measure.job.request import RunRequest
from lesion_measure.lab.phantom import simulate_trial
from lesion_measure.pipeline import run
from lesion_measure.records import (
    ONE_MONTH,
    Appearance,
    Fate,
    LesionMeasurement,
    Look,
    NamedBy,
    Naming,
    Plane,
    Source,
    SubjectResult,
    Way,
)
from lesion_measure.verdict.disappearance import SWITCHED_OFF, call_gone, check_evidence

EVIDENCE = {
    "model_sha256": "0" * 64,
    "visits": 72,
    "missed": 0,
    "smallest_lesion_mm": 8,
    "source": "invented for this test; no such series exists",
}
ON = Disappearance.model_validate({"by_network": True, "evidence": EVIDENCE})


def at_baseline(*planes: Plane, depth_mm: float = 50, long_mm: float = 30) -> LesionMeasurement:
    place = Appearance(picture=0, lateral_mm=0, depth_mm=depth_mm, contrast=None, texture=None)
    drawn = tuple(make.plane(long_mm, plane=plane, appearance=place) for plane in planes)
    return make.lesion(long_mm, planes=drawn)


LESION = at_baseline(Plane.TRANSVERSE, Plane.SAGITTAL)


def sweep(plane: Plane, **changes: Any) -> Look:
    """A cine of the liver, 100 mm deep and 120 mm wide, on all of whose frames the network drew nothing."""
    known = Look(
        path=f"{plane}.dcm", plane=plane, frames=20, looked_at=20, drawn=0, field_mm=(100, 120), liver=True
    )  # fmt: skip
    return replace(known, **changes)


def both(**changes: Any) -> list[Look | None]:
    """Sweeps in both planes; the changes are to the sagittal one."""
    return [sweep(Plane.TRANSVERSE), replace(sweep(Plane.SAGITTAL), **changes)]


def called(looks: list[Look | None], before: LesionMeasurement = LESION, settings: Disappearance = ON) -> Any:
    return call_gone("S1", (before,), {ONE_MONTH: looks}, "net", settings)


def test_an_empty_visit_with_adequate_images_is_gone_and_asks_a_reader() -> None:
    lesions, not_gone, asks = called(both())
    gone = lesions[-1]
    assert (gone.visit, gone.present, gone.longest_diameter_mm.value, gone.way) == (
        ONE_MONTH, False, 0, Way.AUTOMATIC,
    )  # fmt: skip
    assert gone.naming == Naming(by=NamedBy.BASELINE)
    assert replace(gone, source=Source.READER_STATEMENT).naming == Naming(by=NamedBy.READER)
    assert not_gone == {}
    assert [(r.code, r.lesion, r.visit) for r in asks] == [("gone_not_confirmed", "L1", ONE_MONTH)]
    assert "40 frames" in asks[0].reason
    assert "8 mm or more" in asks[0].reason


def test_it_is_off_unless_the_protocol_says_otherwise() -> None:
    assert Config().disappearance.by_network is False
    lesions, not_gone, asks = called(both(), settings=Disappearance())
    assert (lesions, not_gone, asks) == ((LESION,), {"L1": SWITCHED_OFF}, ())


@pytest.mark.parametrize(
    ("looks", "before", "why"),
    [
        ([*both(), None], LESION, "did not see 1 of the visit's 3 images"),
        (both(looked_at=12), LESION, "saw 12 of 20 frames of sagittal.dcm"),
        (both(shows="L1"), LESION, "the manifest says that sagittal.dcm shows L1"),
        (both(liver=False), LESION, "only 0 sagittal frames"),
        (both(frames=9, looked_at=9), LESION, "only 9 sagittal frames"),
        (both(plane=Plane.UNKNOWN), LESION, "only 0 sagittal frames"),
        (both(field_mm=(74.9, 120)), LESION, "liver 75 mm deep"),  # 50 mm, half of 30 mm, and 10 mm
        (both(field_mm=(100, 39.9)), LESION, "40 mm wide"),
        ([sweep(Plane.TRANSVERSE)], LESION, "only 0 sagittal frames"),
        (both(), at_baseline(Plane.TRANSVERSE), "1 of the 2 scan planes"),
        (both(), at_baseline(Plane.TRANSVERSE, Plane.UNKNOWN), "unknown planes at baseline"),
        (both(), at_baseline(Plane.TRANSVERSE, Plane.SAGITTAL, long_mm=7), "no lesion below 8 mm"),
        (both(), make.lesion(30), "place in the transverse plane at baseline is not known"),
    ],
)
def test_each_condition_by_itself_leaves_it_not_found(
    looks: list[Look | None], before: LesionMeasurement, why: str
) -> None:
    lesions, not_gone, asks = called(looks, before)
    assert (lesions, asks) == ((before,), ())
    assert why in not_gone["L1"]


@pytest.mark.parametrize("where", [0, 1])
def test_one_outline_on_one_frame_is_enough_to_say_nothing(where: int) -> None:
    looks = both()
    looks[where] = replace(sweep(Plane.TRANSVERSE), drawn=1)
    assert called(looks) == ((LESION,), {}, ())


def test_a_visit_at_which_something_was_measured_or_read_is_not_empty() -> None:
    other = make.lesion(12, ONE_MONTH, "L2")
    looks = {ONE_MONTH: both()}
    assert call_gone("S1", (LESION, other), looks, "net", ON) == ((LESION, other), {}, ())
    assert call_gone("S1", (LESION,), {}, "net", ON) == ((LESION,), {}, ())


def test_the_evidence_has_to_bound_the_share_of_missed_visits() -> None:
    """72 visits without a miss are the fewest that 5 % allows: Clopper-Pearson as scipy has it."""
    assert stats.binomtest(0, 72).proportion_ci(method="exact").high <= 0.05
    assert stats.binomtest(0, 71).proportion_ci(method="exact").high > 0.05
    for visits, missed in ((72, 0), (200, 3)):
        known = Disappearance.model_validate(
            {"by_network": True, "evidence": EVIDENCE | {"visits": visits, "missed": missed}}
        )
        assert known.evidence is not None
        high = stats.binomtest(missed, visits).proportion_ci(method="exact").high
        assert known.evidence.missed_at_most == pytest.approx(high)
    for visits, missed in ((71, 0), (200, 5), (9, 4)):  # 4 of 9: what the shipped network's card has
        with pytest.raises(ValidationError, match="more than max_missed"):
            Disappearance.model_validate(
                {"by_network": True, "evidence": EVIDENCE | {"visits": visits, "missed": missed}}
            )


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"disappearance": {"by_network": True}}, "by_network needs evidence"),
        (
            {"disappearance": {"by_network": True, "evidence": EVIDENCE, "remnant_mm": 5}},
            "sees smaller ones nobody knows",
        ),
        (
            {"disappearance": {"by_network": True, "evidence": EVIDENCE}, "segment": {"threshold": 0.9}},
            "threshold of 0.5",
        ),
        (
            {"disappearance": {"by_network": True, "evidence": EVIDENCE}, "segment": {"min_lesion_mm": 9}},
            "min_lesion_mm",
        ),
    ],
)
def test_what_would_make_empty_results_of_no_worth_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Config.model_validate(settings)


def test_evidence_of_another_network_is_refused() -> None:
    check_evidence(ON, "net", "0" * 64)
    check_evidence(Disappearance(), "net", "1" * 64)
    with pytest.raises(ConfigError, match="about the network 000000000000, and this run uses net, 111111111111"):
        check_evidence(ON, "net", "1" * 64)


@dataclass
class Proposing(DrawnNetwork):
    """Proposes a lesion on every frame, so unsure that no list mentions it, and accepts none."""

    def segment(self, image: NDArray[Any], prompt: Sequence[Line] | None = None, **rest: Any) -> Any:
        if prompt:
            return super().segment(image, prompt, **rest)
        middle = (image.shape[0] / 2, image.shape[1] / 2)
        faint = replace(self._lesion(Ellipse(60, 40, 0.0, middle), image.shape), confidence=0.01, accepted=False)
        return SimpleNamespace(lesions=(faint,))


class TestRun:
    """One child's baseline by calipers, its second visit by a network that draws nothing."""

    @pytest.fixture
    def child(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SubjectResult]:
        trial = tmp_path / "trial"
        simulate_trial(trial, subjects=1, seed=20)
        with (trial / "calipers.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        table = tmp_path / "baseline.csv"
        with table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(row for row in rows if "/baseline/" in row["image"])
        self.trial = trial

        def measured(network: DrawnNetwork | None = None, **settings: Any) -> SubjectResult:
            replace_network(monkeypatch, network or DrawnNetwork())
            config = Config.model_validate({"disappearance": settings})
            request = RunRequest(input=trial, out=tmp_path / "out", calipers=table, config=config, overwrite=True)
            return run(request).subjects[0]

        self.out = tmp_path / "out"
        return measured

    def test_switched_off_the_report_says_why_it_is_not_found(self, child: Callable[..., SubjectResult]) -> None:
        subject = child()
        assert {s.fate for s in subject.statuses} == {Fate.NOT_FOUND}
        assert all("disappearance.by_network is off" in s.explanation for s in subject.statuses)
        reasons = [r.reason for r in subject.review if r.code == "not_found_at_followup"]
        assert reasons
        assert all("disappearance.by_network is off" in reason for reason in reasons)
        assert "disappearance.by_network is off" in (self.out / "report.html").read_text(encoding="utf-8")
        assert subject.response is None

    def test_switched_on_it_is_gone_and_no_verdict_on_it_is_certain(self, child: Callable[..., SubjectResult]) -> None:
        subject = child(by_network=True, evidence=EVIDENCE, min_frames_per_plane=1, margin_mm=0)
        assert {s.fate for s in subject.statuses} == {Fate.DISAPPEARED}
        assert all(s.needs_check for s in subject.statuses)
        whole = [c for c in subject.changes if c.lesion is None]
        assert whole
        assert [c.percent for c in whole] == pytest.approx([-100] * len(whole))
        assert subject.response is not None
        assert subject.response.category == "complete response"
        assert subject.response.certain is False
        assert "no reader has confirmed" in subject.response.explanation
        assert not [r for r in subject.review if r.code == "nothing_found" and r.visit == ONE_MONTH]
        assert [r for r in subject.review if r.code == "gone_not_confirmed"]
        assert "which no reader has confirmed" in (self.out / "report.html").read_text(encoding="utf-8")

    def test_as_the_protocol_has_it_single_stills_are_not_enough(self, child: Callable[..., SubjectResult]) -> None:
        subject = child(by_network=True, evidence=EVIDENCE)
        assert {s.fate for s in subject.statuses} == {Fate.NOT_FOUND}
        assert all("where 10 are asked for" in s.explanation for s in subject.statuses)

    def test_a_proposal_that_nobody_would_accept_or_mention_is_no_empty_result(
        self, child: Callable[..., SubjectResult]
    ) -> None:
        subject = child(Proposing(), by_network=True, evidence=EVIDENCE, min_frames_per_plane=1, margin_mm=0)
        assert {s.fate for s in subject.statuses} == {Fate.NOT_FOUND}
        assert not [r for r in subject.review if r.code in ("gone_not_confirmed", "unsure")]

    def test_an_image_of_the_visit_without_a_scale_was_not_looked_at(self, child: Callable[..., SubjectResult]) -> None:
        path = sorted(self.trial.glob("dicom/*/one_month/*.dcm"))[0]
        dataset = dcmread(path)
        del dataset.SequenceOfUltrasoundRegions
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.save_as(path.with_name("one_more.dcm"))
        subject = child(by_network=True, evidence=EVIDENCE, min_frames_per_plane=1, margin_mm=0)
        assert {s.fate for s in subject.statuses} == {Fate.NOT_FOUND}
        assert all("did not see 1 of the visit's" in s.explanation for s in subject.statuses)
