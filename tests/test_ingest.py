"""Files to studies: every file ends as an image or as a refusal with the right reason."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import time
import warnings
import zipfile
from datetime import date
from pathlib import Path

import pydicom
import pytest

from header_files import CAPTURE, accepted, image, refused, with_value, written
from lesion_measure.config import Limits
from lesion_measure.errors import InputError
from lesion_measure.records import ObjectKind, StudyList
from lesion_measure.studies import load_studies


class TestRealFiles:
    @pytest.fixture
    def found(self, shared_dir: Path) -> StudyList:
        return load_studies(shared_dir / "dicom_us")

    def test_every_file_is_listed_once(self, found: StudyList, shared_dir: Path) -> None:
        files = sorted(
            p.relative_to(shared_dir / "dicom_us").as_posix() for p in (shared_dir / "dicom_us").rglob("*.*")
        )
        listed = [i.path for i in found.instances] + [r.path or "" for r in found.refusals]
        assert sorted([*listed, *(one.path for one in found.objects)]) == files
        assert all(i.path.startswith("us/") for i in found.instances)
        assert len(list(found.instances)) == 18

    def test_reasons(self, found: StudyList) -> None:
        reasons = {r.path: (r.code, r.reason) for r in found.refusals}
        assert {one.kind for one in found.objects if one.path.startswith("seg/")} == {ObjectKind.SEG}
        assert {one.kind for one in found.objects if one.path.startswith("sr/")} == {ObjectKind.SR}
        assert not any(str(path).startswith(("seg/", "sr/")) for path in reasons)
        assert reasons["index.csv"][0] == reasons["README.md"][0] == "not_dicom"

    def test_agrees_with_the_index(self, found: StudyList, shared_dir: Path) -> None:
        """Against pydicom's own values, read without our code."""
        for instance in found.instances:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                header = pydicom.dcmread(shared_dir / "dicom_us" / instance.path, stop_before_pixels=True)
                assert (instance.rows, instance.columns) == (header.Rows, header.Columns)
                assert instance.frames == int(header.get("NumberOfFrames") or 1)
                assert instance.sop_instance_uid == header.SOPInstanceUID
                assert instance.transfer_syntax_uid == header.file_meta.TransferSyntaxUID
                assert instance.photometric == header.PhotometricInterpretation
                assert instance.subject == header.get("PatientID", "")
                assert len(instance.regions) == len(header.get("SequenceOfUltrasoundRegions", []))
                for region, item in zip(instance.regions, header.get("SequenceOfUltrasoundRegions", []), strict=True):
                    assert region.delta_col == item.PhysicalDeltaX
                    assert (region.row_max, region.col_max) == (item.RegionLocationMaxY1, item.RegionLocationMaxX1)

    def test_old_dates_timing_and_shared_uids(self, found: StudyList) -> None:
        by_path = {i.path: i for i in found.instances}
        assert by_path["us/color-pl.dcm"].study_date == date(1994, 11, 5)
        assert by_path["us/dcm4che_jpeg-ls-Palette.dcm"].frame_time_ms == 76
        assert "us/color-px.dcm" in by_path["us/color-pl.dcm"].warnings[-1]

    def test_real_headers_survive_damage(self, shared_dir: Path, tmp_path: Path) -> None:
        """Any damage ends in an image or a refusal: never another exception, never a long wait."""
        rng = random.Random(7)
        heads = [p.read_bytes()[:12_000] for p in sorted((shared_dir / "dicom_us").rglob("*.dcm"))]
        marks = (b"\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0", b"\xfe\xff\x00\xe0", b"SQ\0\0", b"UN\0\0", b"\0\0\0\0")
        for _ in range(600):
            data = bytearray(rng.choice(heads))
            for _ in range(rng.choice((1, 3, 20, 100))):
                at = rng.randrange(132, len(data))
                if rng.random() < 0.5:
                    data[at] = rng.randrange(256)
                else:
                    data[at : at + 4] = rng.choice(marks)
            (tmp_path / "x").write_bytes(data)
            begin = time.perf_counter()
            load_studies(tmp_path)
            assert time.perf_counter() - begin < 5


class TestWhatIsNoImage:
    def test_other_files(self, tmp_path: Path) -> None:
        document = io.BytesIO()
        with zipfile.ZipFile(document, "w") as file:
            file.writestr("[Content_Types].xml", "<x/>")
        contents: dict[str, tuple[bytes, str]] = {
            "empty": (b"", "empty"),
            "photo.dcm": (b"\xff\xd8\xff\xe0" + bytes(300), "JPEG"),
            "shot": (b"\x89PNG\r\n\x1a\n" + bytes(300), "PNG"),
            "report": (b"%PDF-1.7" + bytes(300), "PDF"),
            "._image.dcm": (b"\x00\x05\x16\x07" + bytes(300), "macOS"),
            "a.docx": (document.getvalue(), "office document"),
            "a.gz": (b"\x1f\x8b\x08" + bytes(300), "gzip"),
            "a.tar": (bytes(257) + b"ustar" + bytes(300), "tar"),
            "README": (b"Read me first. " * 50, "not a DICOM"),
            "zeros": (bytes(1000), "not a DICOM"),
            "text8": (b"\x08\x00 is how this text begins, and it goes on" * 9, "not a DICOM"),
        }
        for name, (data, _) in contents.items():
            (tmp_path / name).write_bytes(data)
        found = load_studies(tmp_path)
        assert not len(found)
        assert {r.path: r.code for r in found.refusals} == dict.fromkeys(contents, "not_dicom")
        for refusal in found.refusals:
            assert contents[str(refusal.path)][1] in refusal.reason

    def test_random_bytes_are_not_dicom(self, tmp_path: Path) -> None:
        rng = random.Random(4)
        for start in (b"", b"\x08\x00\x05\x00", b"\x02\x00\x00\x00", b"\x08\x00\x16\x00UI", b"\x00\x08\x00\x05"):
            for _ in range(60):
                assert refused(tmp_path, start + rng.randbytes(600)).code in ("not_dicom", "unreadable")

    def test_prefix_alone(self, tmp_path: Path) -> None:
        assert refused(tmp_path, bytes(128) + b"DICM").code == "unreadable"
        nameless = image(SOPClassUID=None, Modality=None)
        assert "neither storage class nor modality" in refused(tmp_path, nameless).reason
        assert refused(tmp_path, bytes(128) + b"DICM" + b"text" * 99).code == "unreadable"

    @pytest.mark.parametrize(
        ("storage_class", "modality", "name"),
        [
            ("1.2.840.10008.5.1.4.1.1.2", "CT", "CT Image Storage"),
            ("1.2.840.10008.5.1.4.1.1.88.59", "KO", "Key Object Selection Document Storage"),
            ("1.2.840.10008.1.3.10", None, "Media Storage Directory Storage"),
            ("1.2.840.113543.6.6.1.3.10002", "US", "1.2.840.113543.6.6.1.3.10002"),
        ],
    )
    def test_other_storage_classes_by_name(
        self, tmp_path: Path, storage_class: str, modality: str | None, name: str
    ) -> None:
        regions = {"SequenceOfUltrasoundRegions": None}
        refusal = refused(tmp_path, image(SOPClassUID=storage_class, Modality=modality, **regions))
        assert refusal.code == "not_ultrasound"
        assert name in refusal.reason
        assert refusal.sop_instance_uid == "1.2.3.4"

    @pytest.mark.parametrize("change", [{"PixelData": None}, {"PixelData": b""}, {"Rows": None}, {"Columns": 0}])
    def test_no_image(self, tmp_path: Path, change: dict[str, object]) -> None:
        assert refused(tmp_path, image(**change)).code == "no_image"

    def test_header_too_large(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(written(image(ImageComments="x" * 9000)))
        found = load_studies(tmp_path, limits=Limits(header_bytes=5000))
        assert found.refusals[0].code == "header_too_large"

    def test_nothing_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no such file"):
            load_studies(tmp_path / "nothing")
        with pytest.raises(InputError, match="no file in it"):
            load_studies(tmp_path)


class TestWhatIsUltrasound:
    @pytest.mark.parametrize(
        "kind", ["6.1", "3.1", "6", "3", "6.2"], ids=["image", "multi-frame", "old image", "old multi", "volume"]
    )
    def test_storage_classes(self, tmp_path: Path, kind: str) -> None:
        got = accepted(tmp_path, image(SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{kind}", Modality=None))
        assert got.sop_class_uid.endswith(f".1.1.{kind}")

    @pytest.mark.parametrize("kind", ["", ".1", ".2", ".3", ".4"])
    def test_secondary_captures(self, tmp_path: Path, kind: str) -> None:
        by_modality = accepted(tmp_path, image(SOPClassUID=CAPTURE + kind, SequenceOfUltrasoundRegions=None))
        by_region = accepted(tmp_path, image(SOPClassUID=CAPTURE + kind, Modality="OT"))
        assert "secondary capture" in by_modality.warnings[0]
        assert "secondary capture" in by_region.warnings[0]
        other = image(SOPClassUID=CAPTURE + kind, Modality="OT", SequenceOfUltrasoundRegions=None)
        assert refused(tmp_path, other).code == "not_ultrasound"

    def test_a_modality_that_is_no_code_is_not_quoted(self, tmp_path: Path) -> None:
        other = image(SOPClassUID=CAPTURE, Modality="MEYER ANNA", SequenceOfUltrasoundRegions=None)
        assert "MEYER" not in refused(tmp_path, other).reason

    def test_without_storage_class(self, tmp_path: Path) -> None:
        assert "without storage class" in accepted(tmp_path, image(SOPClassUID=None)).warnings[0]


class TestFolders:
    def test_studies_in_order(self, tmp_path: Path) -> None:
        for name, uid, study in (("b/2", "1.5", "1.1"), ("a/1", "1.6", "1.2"), ("b/1", "1.7", "1.1")):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(written(image(SOPInstanceUID=uid, StudyInstanceUID=study)))
        seen: list[str] = []
        found = load_studies(str(tmp_path), progress=seen.append)
        assert [[i.path for i in study.instances] for study in found] == [["a/1"], ["b/1", "b/2"]]
        assert seen == ["a/1", "b/1", "b/2"]
        assert found[0].subject == "P1"
        assert found[1].study_date == date(2024, 1, 31)

    def test_zip_and_broken_zip(self, tmp_path: Path) -> None:
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("deep/image", written(image()))
        with zipfile.ZipFile(tmp_path / "export", "w") as file:
            file.writestr("in.zip", inner.getvalue())
            file.writestr("note.txt", "hello")
        (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 nothing")
        found = load_studies(tmp_path)
        assert [i.path for i in found.instances] == ["export/in.zip/deep/image"]
        assert {r.path: r.code for r in found.refusals} == {
            "bad.zip": "archive_damaged",
            "export/note.txt": "not_dicom",
        }

    def test_copies(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(written(image()))
        (tmp_path / "b").write_bytes(written(image()))
        (tmp_path / "c").write_bytes(written(image(Rows=2)))
        found = load_studies(tmp_path)
        assert [i.path for i in found.instances] == ["a", "c"]
        assert [(r.path, r.code) for r in found.refusals] == [("b", "duplicate")]
        assert "also as a" in found.refusals[0].reason
        assert [i.warnings[0].rpartition(": ")[2] for i in found.instances] == ["c", "a"]

    def test_of_a_zip_and_its_unpacked_files_the_files_are_kept(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a").write_bytes(written(image()))
        with zipfile.ZipFile(tmp_path / "sub.zip", "w") as archive:
            archive.writestr("a", written(image()))
        found = load_studies(tmp_path)
        assert [i.path for i in found.instances] == ["sub/a"]
        assert [(path, i.path) for path, i in found.copies] == [("sub.zip/a", "sub/a")]

    def test_the_folder_of_the_results_is_left_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("a", "out/b", "sub/out/c"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("text")
        monkeypatch.chdir(tmp_path)
        for folder, out in ((tmp_path, Path("out")), (Path(), tmp_path / "out"), (tmp_path, tmp_path / "x/../out")):
            assert [r.path for r in load_studies(folder, leave_out=(out,)).refusals] == ["a", "sub/out/c"]
        assert len(load_studies(tmp_path / "out", leave_out=(tmp_path,)).refusals) == 1

    def test_subjects_of_one_study_stay_apart(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(written(image()))
        (tmp_path / "b").write_bytes(written(image(SOPInstanceUID="1.9", PatientID="P2", StudyDate="20240201")))
        assert [study.subject for study in load_studies(tmp_path)] == ["P1", "P2"]

    def test_quick(self, tmp_path: Path) -> None:
        whole = written(image())
        for number in range(1000):
            (tmp_path / str(number)).write_bytes(with_value(whole, b"\x08\x00\x18\x00UI", b"1.9.%d" % number))
        begin = time.perf_counter()
        assert len(list(load_studies(tmp_path).instances)) == 1000
        assert time.perf_counter() - begin < 10

    def test_silent(self, tmp_path: Path) -> None:
        """pydicom's warnings and log lines do not reach the screen."""
        data = with_value(written(image()), b"\x08\x00\x60\x00CS", b"us " * 9)
        data = with_value(data, b"\x10\x00\x20\x00LO", b"x" * 99)
        (tmp_path / "a").write_bytes(with_value(data, b"\x08\x00\x18\x00UI", b"1.02.3"))
        code = "import sys; from lesion_measure.studies import load_studies; load_studies(sys.argv[1])"
        done = subprocess.run(
            [sys.executable, "-W", "always", "-c", code, str(tmp_path)], capture_output=True, text=True, check=True,
            env={**os.environ},
        )  # fmt: skip
        assert done.stdout + done.stderr == ""
