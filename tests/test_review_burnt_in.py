"""Calipers that a scanner burnt into the pixels are offered in the reading room, to be accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect
from review_panes import overlay, ready

import screens
from chromium import Opened
from lesion_measure.burnt_in import witness
from lesion_measure.burnt_in.depth_scale import DepthScale, Gray
from lesion_measure.burnt_in.found import BurntInCaliper
from lesion_measure.burnt_in.ticks import tick_rows
from lesion_measure.review.burnt_in import axes_of
from lesion_measure.review.room import Room
from reading_room import Browser as Client
from reading_room import images, served, write_image
from test_burnt_in_marks import cross
from test_depth_scale import ASKED, STEP, needs_reader
from test_depth_scale import screen as drawn_scale

ENDS = ((180.0, 180.0), (180.0, 240.0))
"""Rows and columns of the marks; a pixel is 0.3 mm."""


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    marked = screens.screen(1).copy()
    marked[100:260, 100:300] = cross((80, 80), 7, 3, dots=12)[..., 0]
    for name, pixels in (("marked", marked), ("plain", screens.screen(2))):
        uid = f"1.2.826.0.1.3680043.8.498.81.{len(name)}"
        image = screens.dataset(
            pixels, ClinicalTrialSubjectID="KID-1", StudyDate="20230306", StudyInstanceUID=uid[:-2],
            SeriesInstanceUID=f"{uid}.1", SOPInstanceUID=f"{uid}.1.1",
        )  # fmt: skip
        write_image(folder / f"{name}.dcm", image)
    return folder


@pytest.fixture
def room(scans: Path, tmp_path: Path) -> Iterator[Room]:
    with served(scans, tmp_path / "out", reader="reader-1") as opened:
        yield opened


def test_it_is_offered_where_its_marks_are_with_the_size_by_the_images_scale(room: Room) -> None:
    with Client(room) as client:
        by_label = {image["label"]: image["id"] for image in images(client.cases()[0])}
        assert client.get(f"images/{by_label['plain.dcm']}/frames/1/burnt-in").json() == []
        (offer,) = client.get(f"images/{by_label['marked.dcm']}/frames/1/burnt-in").json()
        assert client.get(f"images/{by_label['marked.dcm']}/frames/2/burnt-in").status_code >= 400
    assert offer["source"] == "burnt-in caliper"
    assert np.abs(np.array(sorted(offer["draft"]["long"])) - ENDS).max() <= 0.1
    [[top, bottom, left, right]] = offer["shows"]  # no value is printed
    assert all(top < row < bottom and left < column < right for row, column in ENDS)
    assert offer["measured"]["long_axis_mm"]["value"] == pytest.approx(60 * 0.3, abs=0.05)


def test_blinded_readers_are_offered_none(scans: Path, tmp_path: Path) -> None:
    with served(scans, tmp_path / "out", reader="reader-1", blinded=True, seed=1) as room, Client(room) as client:
        for image in images(client.cases()[0]):
            assert client.get(f"images/{image['id']}/frames/1/burnt-in").json() == []


def test_a_key_accepts_it_for_the_lesion_in_hand_and_it_is_offered_once(chromium: Browser, room: Room) -> None:
    with Opened(chromium, room) as opened:
        page = opened.page
        page.keyboard.press("n")
        ready(page)
        offer = page.locator(".offer:not([hidden])")
        expect(offer).to_contain_text("burnt-in caliper")
        expect(offer).to_contain_text("18.0 mm")
        levels = "c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
        script = f"c => Math.max(...{levels}.filter((_, n) => n % 4 < 3))"
        lit = offer.locator("canvas").evaluate(script)
        assert lit == 255  # the marks, as they stand in the frame
        with page.expect_response(re.compile(r"/readings$")) as kept:
            page.keyboard.press("y")
        assert kept.value.json()["draft"]["lesion"] == "L1"
        page.keyboard.press("l")  # another lesion
        expect(page.locator(".lesion.chosen .lesion-name")).to_contain_text("L2")
        expect(offer).to_have_count(0)
        assert opened.wrong == []
    (reading,) = room.store.readings()
    assert np.abs(np.array(sorted(reading.draft.long or ())) - ENDS).max() <= 0.1


@needs_reader
def test_a_size_on_a_picture_whose_drawn_scale_is_another_says_so(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Gray] = []

    def read(rgb: Gray) -> DepthScale:
        reads.append(rgb)  # without the numbers, which take a second to read
        return DepthScale(row=tick_rows(rgb)[0], tick_mm=10.0, said="numbers")

    monkeypatch.setattr(witness, "depth_scale", read)
    file = screens.dataset(drawn_scale(numbers="{n}", each=5)[..., 0])
    region = file.SequenceOfUltrasoundRegions[0]
    region.PhysicalDeltaX = region.PhysicalDeltaY = 1.3 / STEP
    write_image(tmp_path / "scans" / "a.dcm", file)
    asked = {"config": ASKED}
    with served(tmp_path / "scans", tmp_path / "out", run=asked) as room, Opened(chromium, room) as opened:
        page = opened.page
        page.keyboard.press("n")
        box = overlay(page)
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.keyboard.press("c")
        for right in (-40, 40):
            page.mouse.click(middle[0] + right, middle[1])
        expect(page.locator(".reading .doubt")).to_contain_text("1.3 times as large as the stated scale has it")
        assert opened.wrong == []
    assert len(reads) == 1  # and not with each move of the hand


def line(*ends: tuple[float, float]) -> BurntInCaliper:
    return BurntInCaliper(frame=1, points=(ends[0], ends[1]), length_mm=None, grouped_by="marks")


def test_two_that_cross_are_the_axes_of_one_lesion_and_the_others_stand_alone() -> None:
    long, short, apart = line((0, 0), (0, 50)), line((-10, 20), (10, 20)), line((100, 0), (100, 30))
    assert axes_of([short, apart, long]) == [(long, short), (apart, None)]
    assert axes_of([apart]) == [(apart, None)]
    assert axes_of([]) == []
