"""Values printed on frames: read right or left out. What they are is known from what was drawn, or read by eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.data import get_testdata_file

from lesion_measure.burnt_in import ocr
from lesion_measure.burnt_in.grammar import LONGEST, is_open, values
from lesion_measure.burnt_in.ocr import ReadLine
from lesion_measure.burnt_in.printed import printed_values
from lesion_measure.config import Limits
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import ConfigError
from lesion_measure.lab.screens import simulate_screen
from lesion_measure.studies import load_studies

needs_reader = pytest.mark.skipif(not ocr.available(), reason="the extra 'read' is not installed")


def line(text: str, lost: float = 0.0) -> ReadLine:
    """A reading: blanks in it are certain, each ``_`` is a blank of probability ``lost``."""
    signs, blanks = "", []
    for sign in text:
        if sign in " _":
            blanks[-1] = 1.0 if sign == " " else lost
        else:
            signs += sign
            blanks.append(0.0)
    return ReadLine(signs, tuple(blanks[:-1]), tuple(float(i) for i in range(len(signs))))


@pytest.mark.parametrize(
    ("text", "label", "number", "unit"),
    [
        ("D1 2.90 cm", "D1", "2.90", "cm"),
        ("Dist 2 17.9mm", "Dist 2", "17.9", "mm"),
        ("+ L 3.24cm", "L", "3.24", "cm"),
        ("2: D 1.06 cm", "2 D", "1.06", "cm"),
        ("1 3.58cm", "1", "3.58", "cm"),
        ("XDist0.7cm", "Dist", "0.7", "cm"),
        ("+0.43 cm", "", "0.43", "cm"),
        ("Vo1 12.74 m1", "Vo1", "12.74", "ml"),
        ("Length 3,31 cm", "Length", "3.31", "cm"),
        ("AscAoDiam3.3cm", "AscAoDiam", "3.3", "cm"),
        ("LV 10.50 CM", "LV", "10.50", "cm"),
    ],
)
def test_a_value_has_label_number_and_unit(text: str, label: str, number: str, unit: str) -> None:
    (value,) = values((line(text),))
    assert (value.label, value.number, value.unit) == (label, number, unit)
    assert value.marked


@pytest.mark.parametrize(
    "text",
    [
        "D12.90cm",  # D1 2.90 or D 12.90
        "Dist 2_17.9mm",  # a blank that is neither likely nor excluded
        "D1 290cm",  # a lost point
        "D1 2.90",
        "D1 2.90 cm2",
        "V 20.5 cm/s",
        "Area 2.31 cm",  # a lost ²
        "Depth 16.9 cm",
        "D1 02.9cm",
        "D1 1234.5 mm",
        "2.90.1 cm",
        "D1 2.905 cm",
        "D1 39:7 mm",
        "3.2 x2.1 cm",
        "D1 2. 90 cm",
        "TIS 0.4 MI 1.4",  # mechanical index, no ml
        "MI 1.4 cm",
    ],
)
def test_what_is_in_doubt_is_no_value(text: str) -> None:
    assert values((line(text, lost=0.02),)) == ()


def test_a_number_alone_has_no_label_and_no_mark() -> None:
    (value,) = values((line("16.9cm"),))
    assert not value.marked


def test_several_values_stand_on_a_line() -> None:
    found = values((line("D1 2.90 cm D2 1.74 cm"),))
    assert [(v.label, v.number) for v in found] == [("D1", "2.90"), ("D2", "1.74")]


def test_readings_have_to_agree_and_either_shows_a_blank() -> None:
    seen, lost = line("D2 0.43 cm"), line("D2_0.43 cm", lost=0.001)
    assert [v.number for v in values((lost, seen))] == ["0.43"]
    assert values((line("D2 0.43 cm"), line("D2 0.48 cm"))) == ()
    assert values((line("D2 0.43 cm"), line("D2 0.43 mm"))) == ()
    assert values((line("D2 0.43 cm"), line("D2 0.43")), least=2) == ()
    assert len(values((seen, line("D2 0.43"), seen), least=2)) == 1
    assert values((seen, seen, line("D2 0.48 cm")), least=2) == ()


def test_a_blank_between_equal_digits_must_be_in_every_reading() -> None:
    """Dist 44.4 of seed 700104 had 0.00 and 0.36 there and was read as 4.4; 0.92 and 0.78 stood for a real blank."""
    whole, split = line("1 Dist 4_4.4 mm", lost=0.0), line("1 Dist 4_4.4 mm", lost=0.356)
    assert values((whole, split)) == values((split, whole)) == ()
    assert [v.number for v in values((whole, whole))] == ["44.4"]
    seen = line("Dist 2_29.6 mm", lost=0.921), line("Dist 2_29.6 mm", lost=0.779)
    assert [v.number for v in values(seen)] == ["29.6"]
    unlike = line("D2_0.43 cm", lost=0.001), line("D2_0.43 cm", lost=0.2)
    assert [v.number for v in values(unlike)] == ["0.43"]


@pytest.mark.parametrize(
    ("one", "other", "number"),
    [
        ("D2 35.8 mm", "02 35.8 mm", "35.8"),
        ("Dist2=37.7 mm", "Dist2 37.7 mm", "37.7"),
        ("Dl 2.4 mm", "D1 2.4 mm", "2.4"),
        ("3.1 mm", "2 3.1 mm", None),  # a line that is cut off
        ("D3.1 mm", "D2 3.1 mm", None),
        ("D=2.4 mm", "D2 2.4 mm", None),  # a sign for a digit
        ("D2 35.8 mm", "02 36.8 mm", None),
    ],
)
def test_readings_may_differ_on_a_label_s_number_alone(one: str, other: str, number: str | None) -> None:
    """In a font of 5 x 7 dots D and 0 differ by one dot, and a blank was read as an equals sign."""
    for lines in ((line(one), line(other)), (line(other), line(one))):
        assert [value.number for value in values(lines)] == ([] if number is None else [number])


def test_a_doubt_in_a_label_is_none_of_the_number_behind_it() -> None:
    label, number = line("x 0_2", lost=0.013), line("20.3 mm")
    assert [value.number for value in values((label.before(number),))] == ["20.3"]
    assert values((line("D2_3_4.5 mm", lost=0.05),)) == ()


def test_one_reading_more_is_asked_for_only_where_it_may_decide() -> None:
    given, other, none = line("D2 0.43 cm"), line("D2 0.48 cm"), line("D2 0.43")
    assert is_open((given, none))
    assert is_open((none, given))
    assert is_open((line("D2_0.43 cm", lost=0.02), line("D2_0.43 cm", lost=0.02)))
    assert not is_open((given, other))
    assert not is_open((none, none))


@needs_reader
def test_a_line_that_gives_no_value_is_read_as_seldom_as_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mechanical index ends like a value without unit: once as it is, then wider in two ways, no third one."""
    asked: list[tuple[int, ...]] = []
    plain = ocr.Reader.read

    def counted(self: ocr.Reader, rgb: NDArray[np.uint8]) -> ReadLine:
        asked.append(rgb.shape)
        return plain(self, rgb)

    monkeypatch.setattr(ocr.Reader, "read", counted)
    gray = np.repeat(written("MI 1.2  TIS 0.8", FONTS[0], 16).max(axis=-1)[..., None], 3, axis=2)
    assert printed_values(gray) == ()
    assert len(asked) == 3


def test_long_lines_are_left_alone() -> None:
    assert values((line("D1 2.90 cm" + "x" * LONGEST),)) == ()


FONTS = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSerif.ttf"]


def written(text: str, font: str, size: int) -> NDArray[np.uint8]:
    """A dark frame (200, 320, 3) with a line of text on it."""
    picture = Image.new("RGB", (320, 200), (8, 8, 8))
    file = Path(get_data_path()) / "fonts" / "ttf" / font
    ImageDraw.Draw(picture).text((40, 90), text, fill=(250, 240, 90), font=ImageFont.truetype(str(file), size))
    return np.asarray(picture)


@needs_reader
@pytest.mark.parametrize("font", FONTS)
def test_a_label_s_number_never_becomes_the_value_s(font: str) -> None:
    """Readers drop the blank in D1 2.90; a label's number is told from the value's, or nothing is read."""
    found = [printed_values(written(text, font, 15)) for text in ("D1 2.90 cm", "Dist 2 17.9 mm", "L 12.34 cm")]
    assert [[(v.number, v.unit) for v in each] for each in found] == [
        [("2.90", "cm")],
        [("17.9", "mm")],
        [("12.34", "cm")],
    ]


@needs_reader
def test_a_printed_value_says_where_and_how_exactly() -> None:
    (value,) = printed_values(written("D1 2.90 cm", FONTS[0], 16))
    assert value.length_mm == pytest.approx(29.0)
    assert (value.volume_ml, value.half_width, value.label) == (None, pytest.approx(0.05), "D1")
    assert value.box.row_min == pytest.approx(92, abs=5)
    assert value.box.col_min == pytest.approx(40, abs=5)
    assert value.colour[0] > 180 > value.colour[2]
    (volume,) = printed_values(written("Vol 12.7 ml", FONTS[0], 16))
    assert (volume.volume_ml, volume.length_mm, volume.half_width) == (12.7, None, pytest.approx(0.05))


@needs_reader
@pytest.mark.parametrize("text", ["16.9cm", "D1 290 cm", "D1 2.90", "MI 1.2  TIS0.8", "20.5 cm/s"])
def test_other_numbers_on_a_frame_are_no_values(text: str) -> None:
    assert printed_values(written(text, FONTS[0], 16)) == ()


@needs_reader
@pytest.mark.parametrize("shape", [(8, 8, 3), (16, 600, 3), (120, 160, 3)])
def test_frames_of_odd_shapes_have_no_values(shape: tuple[int, int, int]) -> None:
    assert printed_values(np.zeros(shape, np.uint8)) == ()


def shown(path: Path) -> NDArray[np.uint8]:
    (image,) = load_studies(path).instances
    with OpenImage(image, Limits()) as source:
        return source.frame(1).display()


@needs_reader
def test_a_real_screen_says_what_is_printed_on_it() -> None:
    path = get_testdata_file("examples_palette.dcm")
    assert isinstance(path, str)
    assert [(v.label, v.number, v.unit) for v in printed_values(shown(Path(path)))] == [("Cist Mag", "1.06", "cm")]


CIST_MAG = [("Cist Mag", "1.06", "cm")]
READ_BY_EYE = {
    "JPGLosslessP14SV1_1s_1f_8b.dcm": [("Asc Ao Diam", "3.3", "cm")],  # and an index of 2.0, without a unit
    "OBXXXX1A.dcm": CIST_MAG,
    "OBXXXX1A_rle_2frame.dcm": CIST_MAG,
    "US1_UNCR.dcm": [],
    "dcm4che_YBR_422.dcm": [],
    "dcm4che_jpeg-ls-Palette.dcm": [],
    "color-px.dcm": [],
}


@needs_reader
@pytest.mark.parametrize("name", READ_BY_EYE)
def test_real_screens_say_what_was_read_on_them_by_eye(shared_dir: Path, name: str) -> None:
    found = printed_values(shown(shared_dir / "dicom_us" / "us" / name))
    assert [(v.label, v.number, v.unit) for v in found] == READ_BY_EYE[name]


def test_without_the_extra_the_command_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "PACKAGES", ("rapidocr", "no_such_package"))
    assert not ocr.available()
    with pytest.raises(ConfigError) as caught:
        printed_values(np.zeros((64, 64, 3), np.uint8))
    assert caught.value.code == "read_not_installed"
    assert "lesion-measure[read]" in caught.value.remedy


@needs_reader
def test_models_are_never_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    from rapidocr.utils.download_file import DownloadFile

    monkeypatch.setattr(DownloadFile, "run", lambda *_: pytest.fail("asked for a download"))
    assert ocr.Reader().boxes(written("D1 2.90 cm", FONTS[0], 16))


@needs_reader
def test_coloured_letters_on_echoes_as_bright_are_read() -> None:
    ground = np.random.default_rng(3).integers(225, 256, (200, 320, 1), np.uint8).repeat(3, axis=2)
    letters = written("D1 2.90 cm", FONTS[2], 15).max(axis=-1, keepdims=True) > 128
    (value,) = printed_values(np.where(letters, np.array([255, 230, 40], np.uint8), ground))
    assert (value.label, value.number, value.unit) == ("D1", "2.90", "cm")


@needs_reader
def test_a_value_that_two_boxes_show_is_given_once() -> None:
    screen = simulate_screen(950_075)
    found = [f"{value.number} {value.unit}" for value in printed_values(screen.pixels)]
    assert sorted(found) == sorted(caliper.printed for caliper in screen.calipers)
