"""Pictures of what needs review: the right frame, numbered as calipers count, and nothing that may not be shown."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.config import Config
from lesion_measure.records import Refusal, RunResult, Sight, Spacing
from lesion_measure.report.pictures import BACKGROUND, FrameImage
from lesion_measure.report.sights import MOST_PICTURES, draw_sight, round_step
from report_cohort import COLUMNS, ROWS, Cohort, make_cohort, subject, uid
from written_runs import write_pages, write_results

WIDTH = 640
PATH = "S/a.dcm"


@pytest.fixture
def make() -> Cohort:
    cohort = Cohort()
    cohort.image("S", PATH, (0.24, 0.24))
    return cohort


def decoded(picture: FrameImage) -> NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(picture.jpeg)).convert("L"), dtype=float)


def white() -> NDArray[np.uint8]:
    return np.full((ROWS, COLUMNS, 3), 255, np.uint8)


def item(number: int = 0, path: str = PATH, sight: Sight | None = None, code: str = "unsure") -> Refusal:
    return Refusal(
        code=code, reason=f"Reason {number}.", path=path, sop_instance_uid=uid(path), subject="S", visit="baseline",
        sight=sight,
    )  # fmt: skip


def page(make: Cohort, review: Sequence[Refusal], out: Path, refused: Sequence[Refusal] = ()) -> str:
    result = run(make, review, refused)
    write_pages(result, out, Config(), make.pictures)
    return (out / "report.html").read_text(encoding="utf-8")


def run(make: Cohort, review: Sequence[Refusal], refused: Sequence[Refusal] = ()) -> RunResult:
    child = subject("S", [], {}, review=tuple(review))
    refusals = (*review, *refused)
    return replace(make_cohort()[0], subjects=(child,), refusals=refusals, instances=tuple(make.instances))


@pytest.mark.parametrize("spacing", [(0.24, 0.24), (0.2, 0.29), (0.31, 0.19), None])
def test_numbers_at_the_edges_cross_at_their_pixel(make: Cohort, spacing: Spacing | None) -> None:
    frame = np.zeros((ROWS, COLUMNS, 3), np.uint8)
    row, col = np.mgrid[:ROWS, :COLUMNS]
    frame[:] = (255 * np.exp(-((row - 200) ** 2 + (col - 300) ** 2) / 4)).astype(np.uint8)[..., None]
    picture = draw_sight(Sight(spacing_mm=spacing), frame, make.instances[0], WIDTH)
    assert picture is not None
    column = next(t for t in picture.ticks if t.text == "300" and t.anchor == "middle")
    across = next(t for t in picture.ticks if t.text == "200" and t.anchor == "end")
    seen = np.where(decoded(picture) > 60, decoded(picture), 0)
    places = np.mgrid[: picture.height, : picture.width]
    down, right = ((place * seen).sum() / seen.sum() + 0.5 for place in places)
    assert column.line[0] == column.line[2] == pytest.approx(right, abs=0.15)
    assert across.line[1] == across.line[3] == pytest.approx(down, abs=0.15)
    assert (picture.bar is None) == (spacing is None)
    assert all(0 < t.row <= picture.height and 0 < t.column < WIDTH for t in picture.ticks)
    assert picture.width == WIDTH
    assert picture.height <= 0.75 * WIDTH + 1


def test_steps_are_round_and_numbers_are_apart(make: Cohort) -> None:
    assert [round_step(least) for least in (0.3, 1, 1.2, 4, 5.1, 49, 51, 120)] == [1, 1, 2, 5, 10, 50, 100, 200]
    picture = draw_sight(Sight(), white(), make.instances[0], WIDTH)
    assert picture is not None
    columns = [t for t in picture.ticks if t.anchor == "middle"]
    assert [t.text for t in columns] == [str(number) for number in range(100, 601, 100)]
    assert min(b.column - a.column for a, b in itertools.pairwise(columns)) >= 0.08 * WIDTH


def test_what_is_outside_of_the_regions_is_dark_and_without_any_nothing_is_shown(make: Cohort) -> None:
    image = make.instances[0]
    tissue = image.regions[0]
    halves = (replace(tissue, col_max=300), replace(tissue, index=1, col_min=340))
    picture = draw_sight(Sight(), white(), replace(image, regions=halves), WIDTH)
    assert picture is not None
    a, _, _, d, e, f = picture.matrix
    gray = decoded(picture)
    assert gray[int(d * 200 + f), int(a * 320 + e)] == pytest.approx(BACKGROUND, abs=3)  # between the halves
    assert gray[int(d * 200 + f), int(a * 200 + e)] > 250
    assert gray[int(d * 200 + f), int(a * 440 + e)] > 250
    bare = replace(image, regions=())
    assert draw_sight(Sight(), white(), bare, WIDTH) is None
    line = draw_sight(Sight(lines=(((200.0, 300.0), (200.0, 340.0)),)), white(), bare, WIDTH)
    assert line is not None
    assert "text" in line.note
    assert (decoded(line) > 250).any()


def test_each_kind_shows_its_picture(make: Cohort, tmp_path: Path) -> None:
    outline = np.array([(200.0, 300.0), (220.0, 320.0), (200.0, 340.0)])
    lines = (((180.0, 260.0), (190.0, 280.0)),)
    review = [
        item(1, sight=Sight(outlines=(outline,), spacing_mm=(0.24, 0.24))),
        item(2, sight=Sight(spacing_mm=(0.24, 0.24)), code="nothing_found"),
    ]
    text = page(make, review, tmp_path, [item(3, sight=Sight(lines=lines), code="no_scale")])
    assert text.count("<img ") == text.count('class="ticks"') == 3
    assert text.count("M300 200L320 220L340 200Z") == 2  # with its halo
    assert text.count("M260 180L280 190") == 2
    for words in ("Drawn: what the network proposes.", "Drawn: the reader&#39;s calipers."):
        assert words in text


def test_what_cannot_be_decoded_shows_none_and_says_so(make: Cohort, tmp_path: Path) -> None:
    make.broken.add(uid(PATH))
    text = page(make, [item()], tmp_path)
    assert "<img " not in text
    assert "This frame cannot be shown" in text
    assert "The JPEG data of frame 1 are cut short. Export the image again." in text


def test_items_without_an_image_show_none(make: Cohort, tmp_path: Path) -> None:
    text = page(make, [item(path="S/other.dcm"), Refusal(code="x", reason="No image.", subject="S")], tmp_path)
    assert "<img " not in text
    assert "numbered above" not in text


def test_a_child_has_so_many_pictures_and_the_rest_is_said(make: Cohort, tmp_path: Path) -> None:
    text = page(make, [item(number) for number in range(MOST_PICTURES + 3)], tmp_path)
    assert text.count("<img ") == MOST_PICTURES
    assert (
        f"3 more items of S with an image, listed above, are not shown here: at most {MOST_PICTURES} pictures" in text
    )


def test_what_is_drawn_is_no_part_of_the_results(make: Cohort, tmp_path: Path) -> None:
    outline = np.array([(200.0, 300.0), (220.0, 320.0), (200.0, 340.0)])
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder, sight in (("a", Sight(outlines=(outline,))), ("b", None)):
        write_results(run(make, [item(sight=sight)]), tmp_path / folder, Config())
    assert (tmp_path / "a/results.json").read_bytes() == (tmp_path / "b/results.json").read_bytes()
    assert item(sight=Sight()) == item()
