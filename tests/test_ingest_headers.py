"""Headers are read tolerantly, whatever their encoding, and hostile ones are bounded."""

from __future__ import annotations

import random
import re
import time
import warnings
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from header_files import ENHANCED, US, US_MULTI, accepted, image, raw_body, refused, with_value, written
from lesion_measure.config import Limits
from lesion_measure.studies import load_studies


class TestEncodings:
    @pytest.mark.parametrize(
        "syntax",
        [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian],
    )
    def test_with_and_without_preamble_and_meta(self, tmp_path: Path, syntax: str) -> None:
        whole = written(image(), syntax)
        expected = accepted(tmp_path, whole)
        assert expected.transfer_syntax_uid == syntax
        assert not expected.warnings
        variants = {"no preamble": whole[132:], "prefix first": whole[128:], "no meta": raw_body(image(), syntax)}
        for what, data in variants.items():
            got = accepted(tmp_path, data)
            assert got.transfer_syntax_uid == syntax, what
            assert got.regions == expected.regions, what
            assert (got.rows, got.columns, got.subject) == (4, 8, "P1"), what
        assert "no transfer syntax" in accepted(tmp_path, variants["no meta"]).warnings[0]

    def test_without_group_length(self, tmp_path: Path) -> None:
        whole = written(image())
        assert accepted(tmp_path, whole[:132] + whole[144:]).rows == 4

    def test_wrong_transfer_syntax(self, tmp_path: Path) -> None:
        head = written(image())[: -len(raw_body(image()))]
        got = accepted(tmp_path, head + raw_body(image(), ImplicitVRLittleEndian))
        assert got.transfer_syntax_uid == ImplicitVRLittleEndian
        assert "not the one the data are in" in got.warnings[0]

    def test_deflated(self, tmp_path: Path) -> None:
        assert accepted(tmp_path, self._deflated(raw_body(image()))).rows == 4
        assert refused(tmp_path, self._deflated(raw_body(image()))[:-40]).code in ("unreadable", "no_image")
        assert refused(tmp_path, self._deflated(b"") + b"\xff" * 100).code == "unreadable"

    def test_deflated_bomb(self, tmp_path: Path) -> None:
        huge = (0x00080016).to_bytes(4, "little")[2:] + b"\x16\x00UI" + (26).to_bytes(2, "little") + US.encode() + b"\0"
        huge += b"\x09\x00\x01\x10OB\0\0" + (2_000_000_000).to_bytes(4, "little") + bytes(100_000_000)
        (tmp_path / "a").write_bytes(self._deflated(huge))
        (refusal,) = load_studies(tmp_path, limits=Limits(header_bytes=1_000_000)).refusals
        assert refusal.code == "header_too_large"

    def test_bytes_before_the_pixels_are_bounded(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(written(image()))
        before = len(written(image())) - image().Rows * image().Columns
        assert load_studies(tmp_path, limits=Limits(before_pixels_bytes=before)).instances
        (refusal,) = load_studies(tmp_path, limits=Limits(before_pixels_bytes=before - 1)).refusals
        assert refusal.code == "header_too_large"
        assert "limits.before_pixels_bytes" in refusal.remedy

    @staticmethod
    def _deflated(body: bytes) -> bytes:
        head = written(image())[: -len(raw_body(image()))]
        packer = zlib.compressobj(wbits=-15)
        meta = with_value(head, b"\x02\x00\x10\x00UI", str(DeflatedExplicitVRLittleEndian).encode())
        return meta + packer.compress(body) + packer.flush()

    def test_stray_delimiters(self, tmp_path: Path) -> None:
        whole = written(image())
        at = whole.index(b"\x28\x00\x10\x00")  # before Rows
        for stray in (b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"):
            got = accepted(tmp_path, whole[:at] + stray + whole[at:])
            assert (got.rows, got.columns, len(got.regions)) == (4, 8, 1)

    def test_cut_off_and_trailing_garbage(self, tmp_path: Path) -> None:
        whole = written(image())
        assert accepted(tmp_path, whole + random.Random(1).randbytes(500)).rows == 4
        for end in range(0, len(whole) - 40, 7):
            assert refused(tmp_path, whole[:end]).code in ("not_dicom", "unreadable", "no_image", "not_ultrasound")
        assert "cut off" in refused(tmp_path, whole[: whole.index(b"\xe0\x7f\x10\x00")]).reason

    def test_pixels_are_not_read(self, tmp_path: Path) -> None:
        whole = written(image())
        at = whole.index(b"\xe0\x7f\x10\x00OB\0\0") + 8
        claimed = whole[:at] + (0xFFFFFFF0).to_bytes(4, "little")
        with (tmp_path / "huge").open("wb") as file:
            file.write(claimed)
            file.truncate(3_000_000_000)  # a hole: takes no room
        begin = time.process_time()
        (found,) = load_studies(tmp_path).instances
        assert found.rows == 4
        assert time.process_time() - begin < 0.5

    @pytest.mark.parametrize("vr", [b"OB", b"UN", b"OW"])
    def test_large_elements_before_the_pixels_are_skipped(self, tmp_path: Path, vr: bytes) -> None:
        whole = written(image())
        at = whole.index(b"\x28\x00\x02\x00")
        private = b"\x21\x00\x10\x00LO\x04\0ABCD\x21\x00\x01\x10" + vr + b"\0\0" + (80_000_000).to_bytes(4, "little")
        assert accepted(tmp_path, whole[:at] + private + bytes(80_000_000) + whole[at:]).rows == 4


class TestHostileHeaders:
    """Headers made to cost time or memory: each is settled within seconds."""

    ITEM = b"\xfe\xff\x00\xe0\0\0\0\0"
    SEQUENCE = b"\x21\x00\x01\x10SQ\0\0\xff\xff\xff\xff"

    @pytest.mark.parametrize(
        ("inserted", "code"),
        [
            (bytes(50_000_000), "no_image"),  # a download that was never finished
            (b"\x21\x00\x01\x10LO\0\0" * 3_000_000, "header_too_large"),
            (SEQUENCE + ITEM * 3_000_000, "header_too_large"),
            ((SEQUENCE + ITEM[:4] + b"\xff" * 4) * 5000, "unreadable"),
            (b"\x21\x00\x01\x10OB\0\0\xff\xff\xff\xff" + b"\x11" * 70_000_000, "header_too_large"),
            (b"\xfe\xff\x0d\xe0\0\0\0\0" * 1_000_000, "no_image"),
            (b"\x08\x00\x05\x00CS\xf0\xff" + b"a\\" * 32_760, "unreadable"),
        ],
        ids=["zeros", "elements", "items", "nested", "undelimited", "delimiters", "character sets"],
    )
    def test_settled_quickly(self, tmp_path: Path, inserted: bytes, code: str) -> None:
        whole = written(image())
        at = whole.index(b"\x28\x00\x02\x00")
        begin = time.process_time()
        assert refused(tmp_path, whole[:at] + inserted + whole[at:]).code == code
        assert time.process_time() - begin < 20

    def test_wanted_sequence_of_many_items(self, tmp_path: Path) -> None:
        whole = written(image())
        at = whole.index(b"\x18\x00\x11\x60SQ")
        end = at + 12 + int.from_bytes(whole[at + 8 : at + 12], "little")
        items = self.ITEM * 2_000_000
        begin = time.process_time()
        got = accepted(tmp_path, whole[: at + 8] + len(items).to_bytes(4, "little") + items + whole[end:])
        assert time.process_time() - begin < 5
        assert [region.delta_row for region in got.regions] == [None]


class TestValues:
    def test_regions_are_turned(self, tmp_path: Path) -> None:
        (region,) = accepted(tmp_path, image()).regions
        assert (region.row_min, region.row_max, region.col_min, region.col_max) == (2, 3, 1, 6)
        assert (region.delta_row, region.delta_col, region.unit_row, region.unit_col) == (0.03, 0.02, 3, 3)
        assert (region.spatial_format, region.data_type, region.flags, region.index) == (1, 1, 0, 0)

    def test_damaged_regions_are_not_no_regions(self, tmp_path: Path) -> None:
        dataset = image()
        del dataset.SequenceOfUltrasoundRegions[0].PhysicalDeltaX
        dataset.SequenceOfUltrasoundRegions[0].PhysicalDeltaY = float("nan")
        (region,) = accepted(tmp_path, dataset).regions
        assert (region.delta_row, region.delta_col) == (None, None)
        whole = written(image())
        at = whole.index(b"\x18\x00\x11\x60SQ")
        length = int.from_bytes(whole[at + 8 : at + 12], "little")
        for rubbish in (b"\x55", b"\xfe\xff\xdd\xe0\0\0\0\0"):
            broken = whole[: at + 12] + (rubbish * length)[:length] + whole[at + 12 + length :]
            assert [r.delta_row for r in accepted(tmp_path, broken).regions] == [None]
        assert "cannot be read" in accepted(tmp_path, broken).warnings[-1]
        empty = whole[: at + 8] + bytes(4) + whole[at + 12 + length :]
        assert accepted(tmp_path, empty).regions == ()

    @pytest.mark.parametrize(
        ("stated", "expected"),
        [
            ("20240131", date(2024, 1, 31)),
            ("1994.11.05", date(1994, 11, 5)),
            ("", None),
            ("20241301", None),
            ("unknown", None),
            ("2024", None),
            ("20240101-20240201", None),
        ],
    )
    def test_dates(self, tmp_path: Path, stated: str, expected: date | None) -> None:
        got = accepted(tmp_path, with_value(written(image()), b"\x08\x00\x20\x00DA", stated.encode()))
        assert got.study_date == expected
        assert bool(got.warnings) == bool(stated and not expected)
        assert not stated or not any(stated in warning for warning in got.warnings)

    @pytest.mark.parametrize(("stated", "expected"), [("", 1), ("0", 1), ("-3", 1), ("x", 1), ("12 ", 12), ("1_0", 1)])
    def test_frames(self, tmp_path: Path, stated: str, expected: int) -> None:
        data = written(image(NumberOfFrames="77"))
        got = accepted(tmp_path, with_value(data, b"\x28\x00\x08\x00IS", stated.encode()))
        assert got.frames == expected
        assert bool(got.warnings) == (expected == 1 and stated != "")

    @pytest.mark.parametrize(
        ("stated", "expected"),
        [
            (b"0.2\\0.3 ", (0.2, 0.3)),
            (b"2e-1\\.3 ", (0.2, 0.3)),
            (b"0.2 ", None),
            (b"0.2\\0.3\\1", None),
            (b"0.2\\-0.3", None),
            (b"0\\0", None),
            (b"0,2\\0,3 ", None),
            (b"0_2\\0_3 ", None),
            (b"nan\\inf ", None),
            (b"cm\\cm ", None),
        ],
    )
    def test_pixel_spacing(self, tmp_path: Path, stated: bytes, expected: tuple[float, float] | None) -> None:
        data = written(image(PixelSpacing=[1, 1]))
        got = accepted(tmp_path, with_value(data, b"\x28\x00\x30\x00DS", stated))
        assert got.pixel_spacing == expected
        masked = re.sub("[a-z]", "?", stated.decode().strip())  # free text may hold a name
        assert got.pixel_spacing_raw == (None if expected else masked)
        assert bool(got.warnings) == (expected is None)

    def test_an_empty_pixel_spacing_is_none(self, tmp_path: Path) -> None:
        got = accepted(tmp_path, with_value(written(image(PixelSpacing=[1, 1])), b"\x28\x00\x30\x00DS", b""))
        assert (got.pixel_spacing, got.pixel_spacing_raw, got.warnings) == (None, None, ())

    def test_calibration_type(self, tmp_path: Path) -> None:
        got = accepted(
            tmp_path, image(PixelSpacingCalibrationType="FIDUCIAL", PixelSpacingCalibrationDescription="ruler")
        )
        assert got.pixel_spacing_type == "FIDUCIAL: ruler"

    def test_aspect_ratio_has_the_height_first(self, tmp_path: Path) -> None:
        assert accepted(tmp_path, image(PixelAspectRatio=["4", "2"])).aspect_ratio == 2
        assert accepted(tmp_path, image(PixelAspectRatio=["4", "0"])).aspect_ratio is None

    def test_frame_time(self, tmp_path: Path) -> None:
        vector = image(FrameIncrementPointer=0x00181065, FrameTimeVector=[0, 20, 40], FrameTime="99", NumberOfFrames=3)
        assert accepted(tmp_path, vector).frame_time_ms == 30
        assert accepted(tmp_path, image(FrameIncrementPointer=0x00181063, FrameTime="33.3")).frame_time_ms == 33.3
        assert accepted(tmp_path, image(FrameTime="0")).frame_time_ms is None
        assert accepted(tmp_path, image()).frame_time_ms is None

    def test_subject_and_time_point(self, tmp_path: Path) -> None:
        got = accepted(tmp_path, image(ClinicalTrialSubjectID=" T-01 ", ClinicalTrialTimePointID="V1"))
        assert (got.subject, got.time_point) == ("T-01", "V1")
        got = accepted(tmp_path, image(ClinicalTrialSubjectID="", PatientID=None))
        assert (got.subject, got.time_point) == ("", None)

    def test_view_keeps_planes_and_drops_names(self, tmp_path: Path) -> None:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "SCT", "Right lobe of liver"
        got = accepted(
            tmp_path,
            image(
                AnatomicRegionSequence=[code], BodyPartExamined="LIVER", SeriesDescription="Jane Doe TRANSVERSE liver",
                ViewName="sag", ImageComments="DOE, born 2023-01-01: longitudinal",
            ),
        )  # fmt: skip
        assert got.view == "Right lobe of liver; LIVER; sag; transverse liver; longitudinal"

    def test_uids(self, tmp_path: Path) -> None:
        first = accepted(tmp_path, image(SOPInstanceUID=None, StudyInstanceUID=None))
        again = accepted(tmp_path, image(SOPInstanceUID=None, StudyInstanceUID=None))
        other = accepted(tmp_path, image(SOPInstanceUID=None, StudyInstanceUID=None, Rows=2))
        assert first.sop_instance_uid == again.sop_instance_uid != other.sop_instance_uid
        assert first.sop_instance_uid.startswith("2.25.")
        assert first.study_instance_uid == other.study_instance_uid
        assert "SOP Instance UID" in first.warnings[0]
        assert (
            accepted(tmp_path, with_value(written(image()), b"\x08\x00\x18\x00UI", b"../../x")).sop_instance_uid[:5]
            == "2.25."
        )

    def test_no_patient_name_anywhere(self, tmp_path: Path) -> None:
        assert "Doe" not in repr(accepted(tmp_path, image()))


class TestWarnings:
    """pydicom's own remarks quote the values that it does not know: ours name the element, or the kind of problem."""

    def test_an_unknown_character_set_is_not_quoted(self, tmp_path: Path) -> None:
        data = with_value(written(image(SpecificCharacterSet="ISO_IR 100")), b"\x08\x00\x05\x00CS", b"Meyer^Anna")
        (warning,) = accepted(tmp_path, data).warnings
        assert "SpecificCharacterSet" in warning
        assert "Meyer" not in warning

    def test_no_other_remark_is_quoted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def remarking(*args: Any, **options: Any) -> Dataset:
            warnings.warn("Invalid value for VR PN: 'Meyer^Anna'", stacklevel=1)
            return read_dataset(*args, **options)

        monkeypatch.setattr("lesion_measure.dicom.headers.read_dataset", remarking)
        # Big endian: common headers are not pydicom's to read
        (warning,) = accepted(tmp_path, written(image(), ExplicitVRBigEndian)).warnings
        assert "does not follow the standard" in warning
        assert "Meyer" not in warning


class TestVolumes:
    @staticmethod
    def volume(positions: list[list[float]] | None, *, between: str | None = "0.5", **changes: object) -> Dataset:
        measures = Dataset()
        measures.PixelSpacing = [0.2, 0.3]
        if between:
            measures.SpacingBetweenSlices = between
        orientation = Dataset()
        orientation.ImageOrientationVolume = [1, 0, 0, 0, 1, 0]
        shared = Dataset()
        shared.PixelMeasuresSequence, shared.PlaneOrientationVolumeSequence = [measures], [orientation]
        frames = []
        for position in positions or []:
            place, frame = Dataset(), Dataset()
            place.ImagePositionVolume = position
            frame.PlanePositionVolumeSequence = [place]
            frames.append(frame)
        return image(
            SOPClassUID=ENHANCED, NumberOfFrames=4, PixelData=bytes(128), SharedFunctionalGroupsSequence=[shared],
            PerFrameFunctionalGroupsSequence=frames or None, **changes,
        )  # fmt: skip

    def test_stack(self, tmp_path: Path) -> None:
        for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
            got = accepted(tmp_path, self.volume([[5, 5, 0.5 * n] for n in order]))
            assert got.pixel_spacing == (0.2, 0.3)
            assert got.slice_spacing_mm == pytest.approx(0.5)
            assert not got.warnings

    @pytest.mark.parametrize(
        "positions",
        [
            [[0, 0, 0.0], [0, 0, 0.5], [0, 0, 1.0], [0, 0, 3.0]],  # uneven
            [[0, 0, 0.0], [0, 0, 0.5], [0, 0, 0.0], [0, 0, 0.5]],  # two volumes
            [[0, 0, 0.0], [1, 0, 0.5], [2, 0, 1.0], [3, 0, 1.5]],  # sheared
            [[0, 0, 0.0], [0, 0, 0.9], [0, 0, 1.8], [0, 0, 2.7]],  # not what SpacingBetweenSlices says
            [[0, 0, 0.0], [0, 0, 0.5]],  # frames without a position
            [[0, 0, 0.0], [0, 0, 1.0], [0, 0, 0.5], [0, 0, 1.5]],  # even, but the frames are not in their order
        ],
    )
    def test_what_is_no_stack_has_no_slice_spacing(self, tmp_path: Path, positions: list[list[float]]) -> None:
        got = accepted(tmp_path, self.volume(positions))
        assert got.slice_spacing_mm is None
        assert "slice spacing" in got.warnings[-1]

    def test_without_positions(self, tmp_path: Path) -> None:
        assert accepted(tmp_path, self.volume(None)).slice_spacing_mm == 0.5
        over_time = accepted(tmp_path, self.volume(None, DimensionOrganizationType="3D_TEMPORAL"))
        assert over_time.slice_spacing_mm is None
        assert accepted(tmp_path, self.volume(None, between=None)).slice_spacing_mm is None

    def test_frames_of_different_scale(self, tmp_path: Path) -> None:
        dataset = self.volume([[0, 0, 0.5 * n] for n in range(4)])
        del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
        for number, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
            measures = Dataset()
            measures.PixelSpacing = [0.2 + 0.1 * (number == 3), 0.3]
            frame.PixelMeasuresSequence = [measures]
        got = accepted(tmp_path, dataset)
        assert got.pixel_spacing is None
        assert got.pixel_spacing_raw

    def test_slice_spacing_is_for_volumes_alone(self, tmp_path: Path) -> None:
        got = accepted(tmp_path, image(SOPClassUID=US_MULTI, NumberOfFrames=4, SpacingBetweenSlices="0.5"))
        assert got.slice_spacing_mm is None
