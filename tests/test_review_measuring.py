"""The reading room shows frames without loss, and measures drawings by the code of a run: to the last digit."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import socket
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import PixelError
from lesion_measure.image.cover import Cover
from lesion_measure.job.given import Tables, sort_given
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import (
    Axis,
    Caliper,
    ImageLabel,
    Instance,
    Metric,
    Plane,
    PlaneMeasurement,
    SubjectResult,
    SubjectVisits,
)
from lesion_measure.records.record import Record
from lesion_measure.review import png
from lesion_measure.review.frames import AHEAD, FrameServer
from lesion_measure.review.images import OpenImages
from lesion_measure.review.measuring import Measurer, size
from lesion_measure.review.messages import CaseResult, Draft, Kind, LesionResult, Line, Measure
from lesion_measure.review.result import Results
from lesion_measure.review.serve import listening
from lesion_measure.review.store import Kept
from lesion_measure.studies import load_studies
from lesion_measure.tables.calipers import read_calipers

CONFIG = Config()
NO_ID = "0" * 16
NOTHING_SAID = ImageLabel()

Drawn = dict[tuple[str, int, str, Plane], dict[Axis, Caliper]]


@pytest.fixture(scope="module")
def samples(project_dir: Path) -> Path:
    return project_dir / "sample_dicoms"


@pytest.fixture(scope="module")
def instances(samples: Path) -> dict[str, Instance]:
    return {i.path: i for i in load_studies(samples).instances}


@pytest.fixture(scope="module")
def by_run(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, SubjectResult]:
    """What ``run --calipers`` says of each child of the samples."""
    out = tmp_path_factory.mktemp("run") / "out"
    return {s.subject: s for s in run(RunRequest(input=samples, out=out, calipers=samples / "calipers.csv")).subjects}


@pytest.fixture
def images() -> Iterator[OpenImages]:
    opened = OpenImages(CONFIG)
    yield opened
    opened.close()


@pytest.fixture
def frames(images: OpenImages) -> Iterator[FrameServer]:
    server = FrameServer(images)
    yield server
    server.close()


@pytest.fixture
def measurer(images: OpenImages) -> Measurer:
    return Measurer(CONFIG, images)


def _decoded(data: bytes) -> np.ndarray:
    """A PNG's pixels in colour, by a decoder that is not ours, which checks the sums of its parts."""
    with Image.open(io.BytesIO(data)) as picture:
        picture.verify()
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def _shown(instance: Instance, frame: int) -> np.ndarray:
    with OpenImage(instance, CONFIG.limits) as image:
        return image.frame(frame).display()


@pytest.mark.parametrize(
    ("path", "frame", "mode"),
    [
        ("SIM-01/baseline/L1_transverse.dcm", 1, "L"),  # uncompressed
        ("SIM-02/baseline/L1_transverse.dcm", 1, "RGB"),  # RLE
        ("SIM-03/baseline/L1_transverse.dcm", 1, "L"),  # JPEG-LS
        ("SIM-04/baseline/L1_transverse.dcm", 1, "L"),  # JPEG 2000
        ("SIM-05/baseline/L1_transverse.dcm", 12, "RGB"),  # JPEG cine
    ],
)
def test_a_frame_is_shown_without_loss(
    frames: FrameServer, instances: dict[str, Instance], path: str, frame: int, mode: str
) -> None:
    data = frames.png(instances[path], frame)
    assert np.array_equal(_decoded(data), _shown(instances[path], frame))
    assert Image.open(io.BytesIO(data)).mode == mode


def test_frames_of_real_files_are_shown_without_loss(frames: FrameServer, shared_dir: Path) -> None:
    compared = 0
    for instance in load_studies(shared_dir / "dicom_us" / "us").instances:
        for frame in {1, instance.frames}:
            assert np.array_equal(_decoded(frames.png(instance, frame)), _shown(instance, frame)), instance.path
            compared += 1
    assert compared > 15


def test_threads_that_go_through_one_cine_each_get_their_frames(
    frames: FrameServer, instances: dict[str, Instance]
) -> None:
    cine = instances["SIM-05/baseline/L1_transverse.dcm"]
    got: dict[tuple[int, int], bytes] = {}

    def browse(start: int) -> None:
        for step in range(cine.frames):
            frame = (start + step) % cine.frames + 1
            got[start, frame] = frames.png(cine, frame)

    threads = [Thread(target=browse, args=(start,)) for start in (0, 5, 17)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 3 * cine.frames
    for frame in range(1, cine.frames + 1):
        assert {got[start, frame] for start in (0, 5, 17)} == {got[0, frame]}
        assert np.array_equal(_decoded(got[0, frame]), _shown(cine, frame))


def test_threads_that_go_through_many_images_get_the_right_frames_while_few_stay_open(
    samples: Path, instances: dict[str, Instance]
) -> None:
    images = OpenImages(CONFIG, most=2)
    measurer, server = Measurer(CONFIG, images), FrameServer(images)
    some = [i for i in instances.values() if i.path.startswith(("SIM-01", "SIM-05"))]
    line = Measure(image=NO_ID, frame=1, long=((200.0, 251.0), (270.0, 330.0)))
    expected = {i.path: (_shown(i, 1), measurer.measure(i, NOTHING_SAID, line)) for i in some}
    wrong: list[str] = []

    def go(seed: int) -> None:
        for place in np.random.default_rng(seed).permutation(3 * len(some)):
            image = some[place % len(some)]
            shown, measured = expected[image.path]
            frame = np.array_equal(_decoded(server.png(image, 1)), shown)
            if not frame or measurer.measure(image, NOTHING_SAID, line) != measured:
                wrong.append(image.path)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(go, range(4)))  # which raises what they raise
    server.close()
    images.close()
    assert wrong == []


def test_what_is_covered_is_black_and_the_scan_as_it_is(images: OpenImages, instances: dict[str, Instance]) -> None:
    server = FrameServer(images, Cover("outside"))
    image = instances["SIM-02/baseline/L1_transverse.dcm"]
    covered, whole = _decoded(server.png(image, 1)), _shown(image, 1)
    server.close()
    changed = (covered != whole).any(axis=-1)
    assert changed.any()  # the bar and the words around the scan
    assert not covered[changed].any()
    assert (covered == whole)[200:400, 300:450].all()  # the lesion lies there


def test_the_next_frames_are_packed_and_the_image_prepared_before_the_page_asks(
    images: OpenImages, instances: dict[str, Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[int] = []
    encode = png.encode
    monkeypatch.setattr(png, "encode", lambda pixels: [packed.append(len(packed)), encode(pixels)][1])
    told: list[tuple[str, int]] = []
    prepared: list[str] = []

    class Idle(Event):
        waited: ClassVar[list[int]] = []

        def wait(self, timeout: float | None = None) -> bool:
            self.waited.append(len(packed))
            return True

    server = FrameServer(
        images,
        told=lambda i, frame: told.append((i.path, frame)),
        prepare=lambda i: prepared.append(i.path),
        idle=Idle(),
    )
    cine = instances["SIM-05/baseline/L1_transverse.dcm"]
    server.png(cine, 10)
    until = time.monotonic() + 30
    while len(packed) < 1 + AHEAD or not prepared:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert Idle.waited == list(range(1, 1 + AHEAD))  # before each frame that nobody has asked for
    for frame in range(11, 11 + AHEAD):
        server.png(cine, frame)
    server.close()  # which ends the looking ahead
    assert told == [(cine.path, frame) for frame in range(10, 11 + AHEAD)]
    assert prepared == [cine.path]
    assert len(packed) <= 1 + 2 * AHEAD  # no frame twice


def test_a_frame_that_is_not_there_is_refused(frames: FrameServer, instances: dict[str, Instance]) -> None:
    with pytest.raises(PixelError, match="no frame 25"):
        frames.png(instances["SIM-05/baseline/L1_transverse.dcm"], 25)


def test_the_line_around_the_insonated_area_holds_the_lesion(
    frames: FrameServer, instances: dict[str, Instance]
) -> None:
    (line,) = frames.area(instances["SIM-01/baseline/L1_transverse.dcm"])
    rows, cols = np.asarray(line).T
    assert rows.min() < 226 < 333 < rows.max()
    assert cols.min() < 295 < 393 < cols.max()
    assert line[0] == line[-1]


def test_a_caliper_measures_what_ruler_measures(
    measurer: Measurer, samples: Path, instances: dict[str, Instance]
) -> None:
    for path, instance in list(instances.items())[::5]:
        line = ((200.25, 251.5), (270.125, 330.75))
        got = measurer.measure(instance, NOTHING_SAID, Measure(image=NO_ID, frame=1, long=line))
        asked = ["ruler", str(samples / path), "--from", "251.5,200.25", "--to", "330.75,270.125", "--json"]
        by_ruler = json.loads(CliRunner().invoke(app, asked).output)
        assert got.long_axis_mm is not None
        assert got.long_axis_mm.value == by_ruler["length_mm"]


def test_on_real_files_a_caliper_measures_or_is_refused_as_by_ruler(measurer: Measurer, shared_dir: Path) -> None:
    measured = refused = 0
    for instance in load_studies(shared_dir / "dicom_us" / "us").instances:
        (row, col), reach = (instance.rows // 2, instance.columns // 2), 12
        line = ((float(row), float(col - reach)), (float(row), float(col + reach)))
        got = measurer.measure(instance, NOTHING_SAID, Measure(image=NO_ID, frame=1, long=line))
        file = shared_dir / "dicom_us" / "us" / instance.path
        asked = ["ruler", str(file), "--from", f"{col - reach},{row}", "--to", f"{col + reach},{row}", "--json"]
        by_ruler = json.loads(CliRunner().invoke(app, asked).output)
        if by_ruler["length_mm"] is None:
            assert (got.refusal, got.remedy) == (by_ruler["refusal"]["reason"], by_ruler["refusal"]["remedy"])
            refused += 1
        else:
            assert got.long_axis_mm is not None
            assert got.long_axis_mm.value == by_ruler["length_mm"]
            measured += 1
    assert measured > 3
    assert refused > 3


def _drawn(samples: Path) -> Drawn:
    found: Drawn = defaultdict(dict)
    for row in read_calipers(samples / "calipers.csv"):
        if row.axis is not Axis.ABSENT:
            found[row.image, row.frame, row.lesion, row.plane][row.axis] = row
    return found


def _line(row: Caliper) -> Line:
    assert row.start is not None
    assert row.end is not None
    return row.start, row.end


def test_calipers_measure_what_a_run_reports(
    measurer: Measurer, samples: Path, instances: dict[str, Instance], by_run: dict[str, SubjectResult]
) -> None:
    planes: dict[tuple[str, int, str], PlaneMeasurement] = {
        (p.path, p.frame, p.lesion): p for s in by_run.values() for lesion in s.lesions for p in lesion.planes
    }
    compared = 0
    for (path, frame, lesion, plane), rows in _drawn(samples).items():
        if (path, frame, lesion) not in planes:
            continue  # on the image without a scale
        draft = Draft(
            image=NO_ID,
            frame=frame,
            lesion=lesion,
            plane=plane,
            kind=Kind.CALIPER,
            long=_line(rows[Axis.LONG]),
            short=_line(rows[Axis.SHORT]),
        )
        got = measurer.measure(instances[path], NOTHING_SAID, draft, "reader-1")
        expected = planes[path, frame, lesion]
        assert (got.long_axis_mm, got.short_axis_mm) == (size(expected.long_axis_mm), size(expected.short_axis_mm))
        assert (got.long, got.short, got.warnings) == (
            expected.long_axis_px,
            expected.short_axis_px,
            expected.warnings,
        )
        compared += 1
    assert compared == len(planes)


def test_a_contour_measures_the_circle_that_it_draws(measurer: Measurer, instances: dict[str, Instance]) -> None:
    image = instances["SIM-01/baseline/L1_transverse.dcm"]
    scale = measurer.measure(image, NOTHING_SAID, Measure(image=NO_ID, frame=1, long=((280.0, 300.0), (280.0, 400.0))))
    assert scale.long_axis_mm is not None
    assert scale.long_axis_mm.value is not None
    mm = scale.long_axis_mm.value / 100
    angles = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    circle = tuple((280 + 40 * float(np.sin(a)), 345 + 40 * float(np.cos(a))) for a in angles)
    got = measurer.measure(image, NOTHING_SAID, Measure(image=NO_ID, frame=1, contour=circle))
    assert got.refusal is None
    assert got.long_axis_mm is not None
    assert got.area_mm2 is not None
    assert got.long_axis_mm.value == pytest.approx(80 * mm, rel=0.01)
    assert got.area_mm2.value == pytest.approx(np.pi * (40 * mm) ** 2, rel=0.01)
    assert got.outline is not None
    assert np.hypot(*(np.asarray(got.outline) - (280, 345)).T) == pytest.approx(40, abs=0.8)
    assert got.warnings == ()


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (Measure(image=NO_ID, frame=2, long=((280.0, 300.0), (280.0, 400.0))), "names frame 2; the image has 1"),
        (Measure(image=NO_ID, frame=1, long=((110.0, 90.0), (110.0, 120.0))), "outside of the insonated area"),
        (Measure(image=NO_ID, frame=1, long=((280.0, 300.0), (280.0, 9000.0))), "is not on the image"),
        (Measure(image=NO_ID, frame=1, contour=((280.1, 300.1), (280.1, 300.2), (280.2, 300.2))), "empty"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_runs_words(
    measurer: Measurer, instances: dict[str, Instance], asked: Measure, reason: str
) -> None:
    got = measurer.measure(instances["SIM-01/baseline/L1_transverse.dcm"], NOTHING_SAID, asked)
    assert got.long_axis_mm is None
    assert reason in (got.refusal or "")
    assert got.remedy


def test_many_images_are_measured_while_few_stay_open(samples: Path, instances: dict[str, Instance]) -> None:
    images = OpenImages(CONFIG, most=2)
    measurer = Measurer(CONFIG, images)
    line = Measure(image=NO_ID, frame=1, long=((200.0, 251.0), (270.0, 330.0)))
    scaled = [i for i in instances.values() if i.regions][:6]
    first = [measurer.measure(i, NOTHING_SAID, line) for i in scaled]
    assert [measurer.measure(i, NOTHING_SAID, line) for i in scaled] == first
    images.close()


def _kept(samples: Path, instances: dict[str, Instance], subject: str) -> list[Kept]:
    """The rows of a child in the table of the samples, as readings of the page."""
    drafts = [
        (
            path,
            Draft(
                image=NO_ID,
                frame=frame,
                lesion=lesion,
                plane=plane,
                kind=Kind.CALIPER,
                long=_line(rows[Axis.LONG]),
                short=_line(rows[Axis.SHORT]),
            ),
        )
        for (path, frame, lesion, plane), rows in _drawn(samples).items()
    ]
    drafts += [
        (row.image, Draft(image=NO_ID, frame=row.frame, lesion=row.lesion, plane=row.plane, kind=Kind.RESOLVED))
        for row in read_calipers(samples / "calipers.csv")
        if row.axis is Axis.ABSENT
    ]
    return [
        Kept(
            id=f"{number:016x}",
            version=1,
            subject=subject,
            visit="",
            image_uid=instances[path].sop_instance_uid,
            reader="reader-1",
            changed=datetime.now(UTC),
            signed=False,
            draft=draft,
        )
        for number, (path, draft) in enumerate(drafts)
        if path.startswith(f"{subject}/")
    ]


@pytest.fixture
def results(samples: Path, measurer: Measurer) -> tuple[Results, dict[str, SubjectVisits]]:
    """Results by readings of the page, and the children of the samples."""
    given = sort_given(load_studies(samples), Tables(), CONFIG)
    made = Results(RunRequest(input=samples, out=samples / "none"), given, {}, measurer)
    return made, {child.subject: child for child in given.children}


def _content(record: Record) -> dict[str, Any]:
    return TypeAdapter(type(record)).dump_python(record, mode="json")


@pytest.mark.parametrize("subject", [f"SIM-0{number}" for number in range(1, 7)])
def test_a_childs_result_is_what_a_run_reports(
    results: tuple[Results, dict[str, SubjectVisits]],
    samples: Path,
    instances: dict[str, Instance],
    by_run: dict[str, SubjectResult],
    subject: str,
) -> None:
    made, children = results
    kept, child, run_ = _kept(samples, instances, subject), children[subject], by_run[subject]
    expected, got = _content(run_), _content(made.subject(child, kept))
    assert len(expected.pop("calipers")) == len(got.pop("calipers"))  # which name the table and its lines
    assert got == expected
    case = made.case(child, kept, lambda visit: f"id of {visit}", sizes_only=False)
    assert run_.response is not None
    assert (case.verdict, case.certain) == (run_.response.category, run_.response.certain)
    assert (case.explanation, case.percent) == (run_.response.explanation, run_.response.percent)
    assert case.limits == (-30,)
    assert len(case.needs) == len({(r.lesion, r.visit, r.reason, r.remedy) for r in run_.review})
    by_place = {(lesion.lesion, lesion.visit): lesion for lesion in case.lesions}
    assert len(by_place) == len(run_.lesions)
    for lesion in run_.lesions:
        mine = by_place[lesion.lesion, f"id of {lesion.visit}"]
        assert mine.longest_diameter_mm == size(lesion.longest_diameter_mm)
        assert mine.volume_ml == size(lesion.volume_ml)
    for change in run_.changes:
        if change.lesion is None:
            continue
        mine = by_place[change.lesion, f"id of {change.visit}"]
        if change.metric is Metric.LONGEST_DIAMETER:
            assert (mine.percent, mine.percent_ci95) == (change.percent, change.percent_ci95)
        if change.metric is Metric.VOLUME:
            assert (mine.percent_volume, mine.percent_volume_ci95) == (change.percent, change.percent_ci95)


def test_the_change_of_a_child_is_near_the_truth_of_its_phantom(
    results: tuple[Results, dict[str, SubjectVisits]], samples: Path, instances: dict[str, Instance]
) -> None:
    made, children = results
    with (samples / "truth.csv").open(newline="") as file:
        truth = {
            (row["subject"], row["lesion"]): float(row["diameter_change_percent"])
            for row in csv.DictReader(file)
            if row["visit"] == "one_month"
        }
    for subject, child in children.items():
        case = made.case(child, _kept(samples, instances, subject), str, sizes_only=False)
        for lesion in case.lesions:
            if lesion.visit == "one_month":
                assert lesion.percent == pytest.approx(truth[subject, lesion.lesion], abs=0.5)


def test_a_change_says_which_planes_it_compares_where_they_are_not_those_of_the_sizes(
    results: tuple[Results, dict[str, SubjectVisits]], samples: Path, instances: dict[str, Instance]
) -> None:
    made, children = results
    kept = _kept(samples, instances, "SIM-01")
    paths = {i.sop_instance_uid: path for path, i in instances.items()}
    whole = made.case(children["SIM-01"], kept, str, sizes_only=False)
    assert [lesion.compared for lesion in whole.lesions] == [None, None]
    less = [k for k in kept if paths[k.image_uid] != "SIM-01/one_month/L1_sagittal.dcm"]
    baseline, later = made.case(children["SIM-01"], less, str, sizes_only=False).lesions
    assert baseline.compared is None
    assert later.compared is not None
    assert later.percent is not None
    assert later.compared.planes == (Plane.TRANSVERSE,)
    # as drawn, 33.4 and 21.4 mm; the longest diameter of baseline is 35.1 mm, in the sagittal plane
    assert (later.compared.baseline_mm, later.compared.later_mm) == pytest.approx((33.4, 21.4), abs=0.05)
    assert baseline.longest_diameter_mm is not None
    assert baseline.longest_diameter_mm.value == pytest.approx(35.1, abs=0.05)
    assert later.percent == pytest.approx(100 * (21.4 / 33.4 - 1), abs=0.3)


def test_a_blinded_result_has_sizes_and_no_more(
    results: tuple[Results, dict[str, SubjectVisits]], samples: Path, instances: dict[str, Instance]
) -> None:
    made, children = results
    kept = _kept(samples, instances, "SIM-04")
    whole = made.case(children["SIM-04"], kept, str, sizes_only=False)
    blinded = made.case(children["SIM-04"], kept, str, sizes_only=True)
    assert [(x.lesion, x.visit, x.longest_diameter_mm, x.volume_ml) for x in blinded.lesions] == [
        (x.lesion, x.visit, x.longest_diameter_mm, x.volume_ml) for x in whole.lesions
    ]
    assert blinded == CaseResult(
        lesions=tuple(
            LesionResult(
                lesion=x.lesion, visit=x.visit, longest_diameter_mm=x.longest_diameter_mm, volume_ml=x.volume_ml
            )
            for x in blinded.lesions
        )
    )


def test_an_edit_measures_the_image_that_it_touches_and_no_other(
    results: tuple[Results, dict[str, SubjectVisits]],
    measurer: Measurer,
    samples: Path,
    instances: dict[str, Instance],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, children = results
    kept = _kept(samples, instances, "SIM-03")
    before = made.subject(children["SIM-03"], kept)
    read: list[str] = []
    reading = measurer.reading
    monkeypatch.setattr(measurer, "reading", lambda task: [read.append(task.instance.path), reading(task)][1])
    long = kept[0].draft.long
    assert long is not None
    longer = kept[0].draft.model_copy(update={"long": (long[0], (long[1][0] - 4, long[1][1] + 4))})
    after = made.subject(children["SIM-03"], [replace(kept[0], draft=longer), *kept[1:]])
    touched = next(path for path, i in instances.items() if i.sop_instance_uid == kept[0].image_uid)
    assert read == [touched]
    assert after.changes != before.changes
    assert made.subject(children["SIM-03"], kept).changes == before.changes
    assert read == [touched]


def test_a_lesion_that_is_not_assessable_has_no_size_and_its_reason_is_told(
    results: tuple[Results, dict[str, SubjectVisits]], samples: Path, instances: dict[str, Instance]
) -> None:
    made, children = results
    kept = _kept(samples, instances, "SIM-01")
    later = [
        k for k in kept if "one_month" in next(p for p, i in instances.items() if i.sop_instance_uid == k.image_uid)
    ]
    said = Draft(image=NO_ID, frame=1, lesion="L1", kind=Kind.NOT_ASSESSABLE, reason="The child moved")
    stated = [replace(later[0], draft=said), *(k for k in kept if k not in later)]
    case = made.case(children["SIM-01"], stated, str, sizes_only=False)
    assert [lesion.visit for lesion in case.lesions] == ["baseline"]
    assert case.percent is None
    assert any("The child moved" in need for need in case.needs)


@pytest.mark.parametrize(("reader", "who"), [("", ""), ("R1", ", says R1")])
def test_what_is_not_assessable_is_told_with_whoever_said_it(
    measurer: Measurer, instances: dict[str, Instance], reader: str, who: str
) -> None:
    said = Draft(image=NO_ID, frame=1, lesion="L1", kind=Kind.NOT_ASSESSABLE, reason="The child moved")
    told = measurer.measure(next(iter(instances.values())), ImageLabel(), said, reader)
    assert told.refusal == f"L1 has no size on this image{who}: not assessable: The child moved."


def test_no_answer_waits_for_the_one_before_to_be_acknowledged() -> None:
    async def nodelay() -> int:
        with listening("127.0.0.1", 0) as bound:
            accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

            def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                sock = writer.get_extra_info("socket")
                accepted.set_result(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                writer.close()

            async with await asyncio.start_server(said, sock=bound):
                _, writer = await asyncio.open_connection(*bound.getsockname())
                found = await accepted
                writer.close()
        return found

    assert asyncio.run(nodelay())
