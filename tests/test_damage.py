"""Damaged files of every kind and encoding: measured rightly, warned of or refused, quickly and in bounded memory."""

from __future__ import annotations

import logging
import random
import resource
import time
import warnings
from pathlib import Path

import pytest

from damage import WAYS, mutated
from measuring_damage import Outcome, outcome
from small_images import file, picture, small_images

SEED, FILES = 5, 200
MOST_SECONDS, MOST_KILOBYTES = 5.0, 200_000


def test_whole_files_are_measured_rightly(tmp_path: Path) -> None:
    for name, data in small_images().items():
        (tmp_path / name).write_bytes(data)
        assert outcome(tmp_path / name) == (Outcome.RIGHT, ""), name


def test_no_damaged_file_is_measured_wrongly_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The 200 first of ``benchmarks/mutated_files.py --seed 5``, which takes as many as it is told."""
    caplog.set_level(logging.CRITICAL, "pydicom")
    warnings.simplefilter("ignore")
    originals, ways = small_images(), set()
    outcome_of: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
    damaged = tmp_path / "file"
    for number in range(FILES):
        rng = random.Random(f"{SEED} {number}")
        name = rng.choice(list(originals))
        way, data = mutated(originals[name], rng)
        damaged.write_bytes(data)
        before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        became, said = outcome(damaged)
        assert time.process_time() - begin < MOST_SECONDS, (number, name, way)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_KILOBYTES, (number, name, way)
        assert became is not Outcome.WRONG, (number, name, way, said)
        outcome_of[became] += 1
        ways.add(way)
    assert ways == {way.__name__ for way in WAYS}
    assert outcome_of[Outcome.REFUSED] > FILES // 3
    assert outcome_of[Outcome.RIGHT] > FILES // 5


class TestBytesPutInOrLost:
    """In the middle of uncompressed pixels: every number of the header is right, and lines are out of place."""

    PIXELS = picture().tobytes()
    WHOLE = file(".1", PIXELS)
    AT = WHOLE.index(PIXELS)

    def said(self, folder: Path, data: bytes) -> tuple[Outcome, str]:
        (folder / "a").write_bytes(data)
        return outcome(folder / "a")

    @pytest.mark.parametrize("syntax", ["", ".1", ".2"])
    def test_put_in(self, tmp_path: Path, syntax: str) -> None:
        whole = file(syntax, self.PIXELS)
        at = whole.index(self.PIXELS) + 500
        became, said = self.said(tmp_path, whole[:at] + bytes(48) + whole[at:])
        assert became is Outcome.WARNED
        assert "no element follow the pixels" in said

    def test_lost_from_the_first_of_two_frames(self, tmp_path: Path) -> None:
        whole = small_images()["cine"]
        at = whole.index(self.PIXELS) + 2000
        became, said = self.said(tmp_path, whole[:at] + whole[at + 60 :])
        assert became is Outcome.WARNED
        assert "ends before its pixels do" in said

    @pytest.mark.parametrize(
        "after", [b"\xfc\xff\xfc\xffOB\0\0\x04\0\0\0\0\0\0\0", bytes(300), b"\xfa\xff\xfa\xffSQ\0\0\0\0\0\0"]
    )
    def test_what_may_follow_the_pixels(self, tmp_path: Path, after: bytes) -> None:
        """Padding, zeros, digital signatures (PS3.5 7.1, PS3.10 7.2)."""
        assert self.said(tmp_path, self.WHOLE + after) == (Outcome.RIGHT, "")


STEPS, SYMBOLS = b"\xff\xdb\x00\x43", b"\xff\xc4\x00\xb5"


@pytest.mark.parametrize(
    ("marker", "at", "new"), [(STEPS, 8, 0), (STEPS, 5, 172), (SYMBOLS, 60, 0x0B), (SYMBOLS, 60, 0x11)]
)
def test_a_wrong_byte_in_the_tables_of_a_jpeg(tmp_path: Path, marker: bytes, at: int, new: int) -> None:
    """A step of zero, one far above its neighbours, a coefficient of eleven bits, a symbol twice (T.81 B.2.4).

    Decoders take all four.
    """
    data = bytearray(small_images()["jpeg"])
    data[data.index(marker) + at] = new
    (tmp_path / "a").write_bytes(data)
    assert outcome(tmp_path / "a") == (Outcome.REFUSED, "pixels_damaged")


def test_signed_pixels_are_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(file(".1", picture().tobytes(), PixelRepresentation=1))
    assert "pixels signed" in outcome(tmp_path / "a")[1]
