"""No name burnt into a frame reaches a picture of the report."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import screens
from lesion_measure.burnt_in import ocr
from lesion_measure.config import Config, Limits, Report
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import ConfigError
from lesion_measure.image import text_finder
from lesion_measure.image.cover import Cover
from lesion_measure.image.shown import ShownFrames
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.studies import load_studies
from test_deidentify import save

WHITE = 250
CALIPERS = """image,lesion,axis,start_col,start_row,end_col,end_row,reader
baseline.dcm,L1,long,180,180,240,180,r
one_month.dcm,L1,long,185,180,235,180,r
lost.dcm,L2,long,24,44,60,44,r
"""


def crowded(seed: int) -> NDArray[np.uint8]:
    """A dim fan, and names in all corners that are dark: of its region, and of the screen around it."""
    picture = Image.fromarray((screens.screen(seed, outside="") // 2).astype(np.uint8))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    for column, row in ((24, 44), (24, 62), (300, 44), (320, 62), (24, 290), (320, 290), (6, 6), (250, 12)):
        draw.text((column, row), "J. DOEBERM", fill=WHITE, font=font)
    return np.asarray(picture)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    visits = {"baseline": "20240101", "one_month": "20240131", "lost": "20240101"}
    for number, (name, day) in enumerate(visits.items()):
        ds = screens.dataset(
            crowded(number), SOPInstanceUID=f"1.2.3.{number}", StudyInstanceUID=f"1.2.{day}", StudyDate=day
        )
        save(ds, tmp_path / "in" / f"{name}.dcm")
    (tmp_path / "calipers.csv").write_text(CALIPERS)
    return tmp_path


def pictures(folder: Path, blank: Literal["outside", "nothing"]) -> list[NDArray[np.uint8]]:
    """The frames in the report of a run."""
    out = folder / blank
    config = Config(report=Report(blank=blank))
    run(RunRequest(input=folder / "in", out=out, calipers=folder / "calipers.csv", config=config))
    found = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", (out / "report.html").read_text())
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each))).convert("L")) for each in found]


def test_no_picture_of_a_report_shows_what_stands_around_the_scan(folder: Path) -> None:
    """Measured lesions, and the frame of a caliper that was refused since it lies beside the scan."""
    shown = pictures(folder, "outside")
    assert len(shown) == 3
    assert max(int(picture.max()) for picture in shown) < 160
    assert min(int(picture.max()) for picture in shown) > 60


def test_pictures_show_the_whole_region_where_a_setting_says_so(folder: Path) -> None:
    assert max(int(picture.max()) for picture in pictures(folder, "nothing")) > 230


def test_frames_that_were_not_kept_are_blanked_as_well(folder: Path) -> None:
    image = next(iter(load_studies(folder / "in").instances))
    with ShownFrames(Limits(), most_bytes=0, cover=Cover("outside")) as shown:
        late = shown.display(image, 1)
    with OpenImage(image, Limits()) as source:
        early = Cover("outside").shown(source, 1)
    assert (late == early).all()
    assert late.max() < WHITE
    assert late[screens.fan()].any()


@pytest.mark.skipif(not text_finder.available(), reason="the extra 'read' is not installed")
def test_text_on_the_scan_is_blanked_where_a_setting_says_so(tmp_path: Path) -> None:
    save(screens.dataset(screens.screen(inside="JANE DOE")), tmp_path / "in" / "a.dcm")
    image = next(iter(load_studies(tmp_path / "in").instances))
    with OpenImage(image, Limits()) as source:
        assert Cover("outside").shown(source, 1)[182:196, 155:230].max() > WHITE
        assert not Cover("text").shown(source, 1)[182:196, 155:230].any()


def test_without_a_reader_of_text_that_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "PACKAGES", ("rapidocr", "no_such_package"))
    with pytest.raises(ConfigError, match="not installed: no_such_package"):
        Cover("text")
