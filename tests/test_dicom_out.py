"""Results as DICOM: what dciodvfy, dsrdump and highdicom say of the objects of the sample studies."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from typer.testing import CliRunner

from drawn_network import DrawnNetwork, replace_network
from lesion_measure.cli import app
from lesion_measure.job.objects import export_objects
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from object_reading import dumped, errors, groups, segments

NETWORK = DrawnNetwork()


@pytest.fixture(scope="module")
def out(project_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample studies, outlined from the reader's calipers and written as DICOM."""
    samples, folder = project_dir / "sample_dicoms", tmp_path_factory.mktemp("out") / "results"
    with pytest.MonkeyPatch.context() as patched:
        replace_network(patched, NETWORK)
        run(
            RunRequest(
                input=samples, out=folder, calipers=samples / "calipers.csv", dicom=True,
                model=project_dir / "models/liver_us_unet",
            )
        )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def results(out: Path) -> dict[str, Any]:
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


def listed(out: Path) -> list[dict[str, str]]:
    with (out / "dicom" / "objects.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def every(results: dict[str, Any]) -> list[dict[str, Any]]:
    return [lesion for subject in results["subjects"] for lesion in subject["lesions"]]


def test_every_outline_has_a_segmentation_and_every_study_a_report(out: Path, results: dict[str, Any]) -> None:
    rows = listed(out)
    outlined = {(p["sop_instance_uid"], p["frame"], x["lesion"]) for x in every(results) for p in x["planes"]}
    found = {(r["image_uid"], int(r["frame"]), r["lesion"]) for r in rows if r["kind"] == "SEG"}
    assert found == outlined
    assert len(outlined) == 36
    assert {r["study_instance_uid"] for r in rows if r["kind"] == "SR"} == {
        image["study_instance_uid"] for image in results["images"]
    }
    assert not [r for r in rows if r["kind"] == "none"]
    files = {path.name for path in (out / "dicom").glob("*.dcm")}
    assert files == {r["file"] for r in rows if r["file"]}


def test_the_checkers_find_no_error(out: Path) -> None:
    assert {path.name: errors(path) for path in sorted((out / "dicom").glob("*.dcm")) if errors(path)} == {}
    for path in (out / "dicom").glob("*.sr.dcm"):
        assert "Imaging Measurements" in dumped(path)


def test_highdicom_reads_the_masks_that_were_drawn(out: Path, results: dict[str, Any]) -> None:
    planes = {(p["sop_instance_uid"], x["lesion"]): p for x in every(results) for p in x["planes"]}
    encodings = set()
    for path in (out / "dicom").glob("*.seg.dcm"):
        seg, uid, frame, mask = segments(path)
        segment = seg.SegmentSequence[0]
        plane = planes[uid, segment.SegmentLabel]
        image = next(i for i in results["images"] if i["sop_instance_uid"] == uid)
        assert (frame or 1) == plane["frame"]
        assert (frame is None) == (image["frames"] == 1)
        assert mask.shape == (image["rows"], image["columns"])
        assert mask.sum() * np.prod(plane["spacing_mm"]) == pytest.approx(plane["area_mm2"]["value"], rel=0.02)
        assert any((mask == full).all() for full in whole(out, mask.shape))
        assert segment.SegmentAlgorithmType == "SEMIAUTOMATIC"
        assert segment.SegmentationAlgorithmIdentificationSequence[0].AlgorithmName == "net"
        assert list(seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing) == plane["spacing_mm"]
        encodings.add((image["photometric"], image["transfer_syntax_uid"], image["frames"] > 1))
    assert len(encodings) > 3


def whole(out: Path, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Every outline that the network drew, as pixels of the whole image: where its own map is half or more."""
    for index in (out / "segmentations").glob("*.json"):
        arrays = index.with_suffix(".raw").read_bytes()
        for _, rows, columns, points, row, column, *_ in json.loads(index.read_bytes().splitlines()[1])["lesions"]:
            seen = np.frombuffer(arrays, "<f4", rows * columns).reshape(rows, columns) >= 0.5
            arrays = arrays[seen.size * 4 + points * 16 :]
            full = np.zeros(shape, bool)
            full[row : row + rows, column : column + columns] = seen
            yield full


def test_the_report_holds_the_numbers_and_lines_of_the_results(out: Path, results: dict[str, Any]) -> None:
    seen = 0
    for row in (r for r in listed(out) if r["kind"] == "SR"):
        lesions = [x for x in every(results) if (x["subject"], x["visit"]) == (row["subject"], row["visit"])]
        planes = {(x["lesion"], p["plane"]): (x, p) for x in lesions for p in x["planes"]}
        for group in groups(out / "dicom" / row["file"]):
            name = text_of(group, "121151")
            lesion, plane = planes.pop((name, code_of(group, codes.DCM.ImageView).meaning.lower()))
            check_line(group, codes.SCT.LongAxis, plane["long_axis_mm"], plane["long_axis_px"], plane)
            check_line(group, codes.SCT.ShortAxis, plane["short_axis_mm"], plane["short_axis_px"], plane)
            (area,) = group.get_measurements(codes.SCT.Area)
            assert (area.value, area.unit.value) == (plane["area_mm2"]["value"], "mm2")
            leads = plane["long_axis_mm"] == lesion["longest_diameter_mm"]
            assert bool(group.get_measurements(codes.SCT.Volume)) == leads
            if leads:
                (volume,) = group.get_measurements(codes.SCT.Volume)
                assert (volume.value, volume.unit.value) == (lesion["volume_ml"]["value"], "mL")
                (third,) = group.get_measurements(codes.SCT.PerpendicularAxis)
                assert third.value == lesion["third_diameter_mm"]["value"]
            assert group.finding_sites[0].value == codes.SCT.Liver
            assert group.method.value == "prompted"
            seen += 1
        assert not planes
    assert seen == 36


def check_line(group: Any, name: Any, size: dict[str, Any], ends: list[list[float]], plane: dict[str, Any]) -> None:
    (found,) = group.get_measurements(name)
    assert (found.value, found.unit.value) == (size["value"], "mm")
    (line,) = found.referenced_coordinates
    assert line.value[:, ::-1] - 0.5 == pytest.approx(np.array(ends), abs=1e-3)
    source = line.ContentSequence[0].ReferencedSOPSequence[0]
    assert source.ReferencedSOPInstanceUID == plane["sop_instance_uid"]
    assert source.get("ReferencedFrameNumber", 1) == plane["frame"]
    below = {i.ConceptNameCodeSequence[0].CodeValue: i for i in found[0].ContentSequence if i.ValueType == "NUM"}
    unit = {i.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue for i in below.values()}
    assert unit == {"mm", "%"}
    low, high = size["ci95"]
    assert below["error_sd"].value == size["sd"]
    assert found.value + below["371886008"].value == pytest.approx(high)
    assert found.value - below["371885007"].value == pytest.approx(low)


def text_of(group: Any, code: str) -> str:
    return next(i.TextValue for i in group[0].ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == code)


def code_of(group: Any, name: Any) -> Any:
    return next(i.value for i in group[0].ContentSequence if i.name == name)


def test_a_lesion_is_tracked_over_visits_images_and_objects(out: Path, results: dict[str, Any]) -> None:
    tracked: dict[tuple[str, str], set[str]] = {}
    for row in (r for r in listed(out) if r["kind"] == "SR"):
        in_report = [(g.tracking_identifier, g.tracking_uid) for g in groups(out / "dicom" / row["file"])]
        assert len({uid for _, uid in in_report}) == len(in_report)  # viewers merge groups of one UID
        for identifier, uid in in_report:
            tracked.setdefault((row["subject"], identifier), set()).add(uid)
    assert all(len(uids) == 1 for uids in tracked.values())
    assert len(set.union(*tracked.values())) == len(tracked)
    for row in (r for r in listed(out) if r["kind"] == "SEG"):
        segment = pydicom.dcmread(out / "dicom" / row["file"]).SegmentSequence[0]
        assert {segment.TrackingUID} == tracked[row["subject"], row["lesion"]]


def test_a_lesion_that_is_gone_has_a_statement_and_no_number(out: Path) -> None:
    report = hd.sr.srread(out / "dicom" / "SIM-04_one-month.sr.dcm")
    (part,) = [i for i in report.content[0].ContentSequence if i.name.value == "C0034375"]
    (gone,) = [i for i in part.ContentSequence if i.ValueType == "CONTAINER"]
    said = {i.ConceptNameCodeSequence[0].CodeValue: i for i in gone.ContentSequence}
    assert said["121151"].TextValue == "L2"
    assert said["121052"].value == codes.DCM.Absent
    assert str(said["121008"].PersonName) == "reader-1"
    assert not [i for i in gone.ContentSequence if i.ValueType == "NUM"]


def test_what_needs_review_is_told_and_has_no_number(out: Path) -> None:
    report = hd.sr.srread(out / "dicom" / "SIM-05_one-month.sr.dcm")
    assert report.CompletionFlag == "PARTIAL"
    (part,) = [i for i in report.content[0].ContentSequence if i.name.value == "C0034375"]
    texts = [i.TextValue for i in part.ContentSequence if i.ValueType == "TEXT"]
    assert any("no ultrasound regions" in text for text in texts)
    values = [i.value.value for i in part.ContentSequence if i.ValueType == "CODE"]
    assert values == ["needs_review"]
    assert hd.sr.srread(out / "dicom" / "SIM-05_baseline.sr.dcm").CompletionFlag == "COMPLETE"


def test_changes_and_verdict_stand_with_the_visit_that_they_compare(out: Path, results: dict[str, Any]) -> None:
    for subject in results["subjects"]:
        report = hd.sr.srread(out / "dicom" / f"{subject['subject']}_one-month.sr.dcm")
        parts = {i.name.value: i for i in report.content[0].ContentSequence}
        found = {i.name.value: i.value for i in parts["126011"].ContentSequence}
        changes = {c["metric"]: c["percent"] for c in subject["changes"] if c["lesion"] is None}
        assert sorted(found.values()) == sorted(changes.values())
        (verdict,) = [i for i in parts["C0034375"].ContentSequence if i.name.value == "112048"]
        assert verdict.TextValue == subject["response"]["category"]
        certain = next(i.value.value for i in verdict.ContentSequence if i.name.value == "certainty")
        assert certain == ("certain" if subject["response"]["certain"] else "not_certain")
        baseline = hd.sr.srread(out / "dicom" / f"{subject['subject']}_baseline.sr.dcm")
        assert not {"126011"} & {i.name.value for i in baseline.content[0].ContentSequence}


def test_the_objects_belong_to_the_patient_and_study_of_their_images(out: Path, project_dir: Path) -> None:
    source = pydicom.dcmread(project_dir / "sample_dicoms/SIM-01/baseline/L1_transverse.dcm")
    series = set()
    for path in (out / "dicom").glob("SIM-01_baseline*.dcm"):
        made = pydicom.dcmread(path)
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate"):
            assert made[keyword].value == source[keyword].value, keyword
        assert made.SpecificCharacterSet == "ISO_IR 192"
        assert str(source.PatientName) not in path.name
        series.add(made.SeriesInstanceUID)
    assert len(series) == 3
    assert source.SeriesInstanceUID not in series


def test_the_same_results_give_the_same_bytes(out: Path, project_dir: Path, tmp_path: Path) -> None:
    """From results.json and the input, in another folder, with the DICOM objects gone."""
    again = tmp_path / "again"
    shutil.copytree(out, again, ignore=shutil.ignore_patterns("dicom"))
    done = CliRunner().invoke(app, ["export", str(again), "--dicom", "--input", str(project_dir / "sample_dicoms")])
    assert done.exit_code == 0, done.output
    assert "36 segmentations, 13 reports" in done.output
    files = sorted(path.name for path in (out / "dicom").iterdir())
    assert files == sorted(path.name for path in (again / "dicom").iterdir())
    for name in files:
        assert (out / "dicom" / name).read_bytes() == (again / "dicom" / name).read_bytes(), name


def test_a_corrected_result_has_a_new_uid_and_names_what_it_replaces(
    out: Path, project_dir: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    shutil.copytree(out, again)
    corrected = json.loads((again / "results.json").read_text(encoding="utf-8"))
    lesion = corrected["subjects"][0]["lesions"][0]
    lesion["planes"][0]["long_axis_mm"]["value"] += 0.1
    (again / "results.json").write_text(json.dumps(corrected), encoding="utf-8")
    names = [f"{lesion['subject']}_{lesion['visit']}.sr.dcm", f"{lesion['subject']}_one-month.sr.dcm"]
    before = [pydicom.dcmread(again / "dicom" / name) for name in names]
    for _ in range(2):  # the second time there is nothing to replace: the same bytes
        export_objects(again, project_dir / "sample_dicoms")
        changed, same = (pydicom.dcmread(again / "dicom" / name) for name in names)
        assert changed.SOPInstanceUID != before[0].SOPInstanceUID
        (study,) = changed.PredecessorDocumentsSequence
        (replaced,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
        assert replaced.ReferencedSOPInstanceUID == before[0].SOPInstanceUID
        assert same == before[1]
        assert errors(again / "dicom" / names[0]) == []
        kept = (again / "dicom" / names[0]).read_bytes()
    assert (again / "dicom" / names[0]).read_bytes() == kept


def test_an_image_that_has_changed_has_no_object(out: Path, project_dir: Path, tmp_path: Path) -> None:
    again, images = tmp_path / "again", tmp_path / "images"
    shutil.copytree(out, again, ignore=shutil.ignore_patterns("dicom"))
    shutil.copytree(project_dir / "sample_dicoms", images)
    touched = images / "SIM-01/baseline/L1_sagittal.dcm"
    data = bytearray(touched.read_bytes())
    data[-1] ^= 1
    touched.write_bytes(data)
    (images / "SIM-02/baseline/L1_sagittal.dcm").unlink()
    export_objects(again, images)
    reasons = {r["image_uid"]: r["reason"] for r in listed(again) if r["kind"] == "none"}
    assert len(reasons) == 2
    assert sorted(reason.partition(".")[0] for reason in reasons.values()) == [
        "The image is not in the input", "The image is not the one that was measured: its bytes have changed since",
    ]  # fmt: skip
    assert not list((again / "dicom").glob("SIM-01_baseline_L1_sagittal*"))


def test_a_folder_that_is_not_ours_is_left_alone(out: Path, project_dir: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(out, again, ignore=shutil.ignore_patterns("dicom"))
    (again / "dicom").mkdir()
    (again / "dicom" / "mine.dcm").write_text("mine")
    samples = str(project_dir / "sample_dicoms")
    done = CliRunner().invoke(app, ["export", str(again), "--dicom", "--input", samples])
    assert done.exit_code == 2
    assert "Move or remove it." in done.output
    assert (again / "dicom" / "mine.dcm").read_text() == "mine"
