"""Calipers out of the objects beside the images: a folder as a hospital sends it, and what each rule lets through.

Millimetres are those of the simulation's truth (``sample_dicoms/truth.csv``), by which the images were drawn.
"""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.config import Config
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import RunResult, SubjectResult
from lesion_measure.results import read_results
from presentation_states import annotation, graphic, reference, state
from reports_beside import (
    LENGTH,
    Line,
    calipers,
    code,
    content,
    dcmjs,
    group,
    header,
    number,
    ohif,
    report,
    save,
    scoord,
    tid1500,
    vendor,
)

CHILD = "SIM-01"
BT, BS, FT, FS = (
    f"{visit}/L1_{plane}.dcm" for visit in ("baseline", "one_month") for plane in ("transverse", "sagittal")
)
READER = "Roe Rita"
PN = "Roe^Rita"
Lines = dict[tuple[str, str], Line]


@pytest.fixture
def child(project_dir: Path, tmp_path: Path) -> Path:
    """The images of one child, in a folder as it is sent."""
    root = tmp_path / "sent"
    shutil.copytree(project_dir / "sample_dicoms" / CHILD, root / "DICOM")
    return root


@pytest.fixture(scope="module")
def lines(project_dir: Path) -> Lines:
    return calipers(project_dir / "sample_dicoms", CHILD)


@pytest.fixture(scope="module")
def truth(project_dir: Path) -> dict[str, dict[str, str]]:
    with (project_dir / "sample_dicoms" / "truth.csv").open(newline="", encoding="utf-8") as stream:
        return {row["visit"]: row for row in csv.DictReader(stream) if row["subject"] == CHILD}


def image(child: Path, name: str) -> Dataset:
    return header(child / "DICOM" / name)


def both(lines: Lines, name: str) -> tuple[Line, Line]:
    return lines[name, "long"], lines[name, "short"]


def drawn(child: Path, name: str, pair: tuple[Line, Line], named: str = "Target 1", **changes: object) -> Dataset:
    """A bidirectional report of one image, by one reader, of one named lesion."""
    known: dict[str, object] = {"reader": PN} | changes
    return dcmjs(image(child, name), *pair, (33.4, 30.4), name=named, **known)  # type: ignore[arg-type]


def send(child: Path, lines: Lines, names: tuple[str, ...] = (BT, BS, FT, FS)) -> None:
    """Objects of all images: each has a named lesion with both axes; what they state is not looked at here."""
    for number_, name in enumerate(names):
        groups = [
            group(
                "Target 1",
                generate_uid(),
                *(
                    number(("G-A185", "SRT", "Long Axis"), "", [scoord(lines[name, "long"], image(child, name))]),
                    number(("G-A186", "SRT", "Short Axis"), "", [scoord(lines[name, "short"], image(child, name))]),
                ),
            )
        ]
        save(report(image(child, name), groups, reader=PN), child / f"SR{number_}.dcm")


def measure(child: Path, out: Path, **changes: object) -> RunResult:
    """A run without a network."""
    known: dict[str, object] = {"config": Config.model_validate({"segment": {"policy": "calipers_only"}})} | changes
    return run(RunRequest(input=child, out=out, **known))  # type: ignore[arg-type]


def only(result: RunResult) -> SubjectResult:
    (subject,) = result.subjects
    return subject


def lengths(subject: SubjectResult) -> dict[tuple[str, str, str], float | None]:
    return {(each.visit, each.plane.value, each.axis.value): each.length_mm for each in subject.calipers}


def codes(result: RunResult) -> set[str]:
    return {refusal.code for refusal in (*result.refusals, *(r for s in result.subjects for r in s.review))}


class TestAFolderAsAHospitalSendsIt:
    """Images, an OHIF report, dcmjs's, highdicom's, a scanner's own, a presentation state, a PDF, a DICOMDIR."""

    @pytest.fixture
    def sent(self, child: Path, lines: Lines) -> Path:
        tracking = generate_uid()
        save(ohif(image(child, BT), both(lines, BT), (3.34, 3.04), reader=PN, name="Lesion 1"), child / "SR" / "ohif")
        save(dcmjs(image(child, BS), *both(lines, BS), (35.1, 31.3), "Lesion 1", reader=PN), child / "SR" / "dcmjs.dcm")
        save(
            tid1500(image(child, FT), both(lines, FT), (21.4, 19.4), tracking_uid=tracking, name="Lesion 1", reader=PN),
            child / "SR" / "highdicom.dcm",
        )
        save(vendor(image(child, BT)), child / "SR" / "scanner.dcm")
        shown = image(child, FS)
        pair = [graphic("POLYLINE", *line.graphic) for line in both(lines, FS)]
        save(
            state(
                annotation(*pair), images=[reference(shown.SOPInstanceUID)], StudyInstanceUID=shown.StudyInstanceUID,
                PatientID=shown.PatientID, ContentCreatorName=PN,
            ),
            child / "PR" / "0001",
        )  # fmt: skip
        (child / "report.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
        directory = Dataset()
        directory.SOPClassUID = "1.2.840.10008.1.3.10"
        directory.SOPInstanceUID = generate_uid()
        directory.file_meta = report(shown, []).file_meta
        directory.file_meta.MediaStorageSOPClassUID = directory.SOPClassUID
        save(directory, child / "DICOMDIR")
        return child

    def test_is_measured_by_one_command_without_any_table(
        self, sent: Path, tmp_path: Path, truth: dict[str, dict[str, str]]
    ) -> None:
        result = measure(sent, tmp_path / "out")
        subject = only(result)
        measured = lengths(subject)
        for visit, row in truth.items():
            for plane in ("transverse", "sagittal"):
                for axis in ("long", "short"):
                    assert measured[visit, plane, axis] == pytest.approx(float(row[f"{plane}_{axis}_mm"]), abs=0.001)
        assert {lesion.lesion for lesion in subject.lesions} == {"Lesion 1"}
        assert subject.response is not None
        assert subject.response.category == "effective"

    def test_every_caliper_tells_where_it_comes_from(self, sent: Path, tmp_path: Path) -> None:
        subject = only(measure(sent, tmp_path / "out"))
        by_path = {each.origin.path: each for each in subject.calipers if each.origin}
        assert set(by_path) == {"SR/ohif", "SR/dcmjs.dcm", "SR/highdicom.dcm", "PR/0001"}
        assert {each.reader for each in subject.calipers} == {READER}
        stated = by_path["SR/ohif"].origin
        assert stated is not None
        assert stated.stated == "3.04 mm"
        assert by_path["SR/ohif"].length_mm == pytest.approx(30.38, abs=0.01)
        with (tmp_path / "out" / "calipers.csv").open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == 8
        assert {row["source"] for row in rows} == {"SR", "PR"}
        for row in rows:
            assert row["object_uid"] == header(sent / row["source_path"]).SOPInstanceUID
        kept = read_results(tmp_path / "out").subjects[0].calipers
        assert [each.origin for each in kept] == [each.origin for each in subject.calipers]
        page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        assert "Calipers from DICOM objects" in page
        assert by_path["SR/ohif"].origin.sop_instance_uid in page  # type: ignore[union-attr]

    def test_centimetres_called_millimetres_are_named_and_ask_nobody(self, sent: Path, tmp_path: Path) -> None:
        result = measure(sent, tmp_path / "out")
        warnings = [w for lesion in only(result).lesions for w in lesion.warnings]
        (first, *_) = [warning for warning in warnings if "factor of 10" in warning]
        assert "states 3.34 mm" in first
        assert "33.39 mm apart" in first
        assert "stated_length_differs" not in codes(result)

    def test_what_holds_no_caliper_is_listed_with_the_true_reason(self, sent: Path, tmp_path: Path) -> None:
        result = measure(sent, tmp_path / "out")
        said = {refusal.path: refusal for refusal in result.refusals}
        assert set(said) == {"SR/scanner.dcm", "report.pdf", "DICOMDIR"}
        assert "structure" in said["SR/scanner.dcm"].reason
        assert not any("No ultrasound image" in r.reason for path, r in said.items() if path != "DICOMDIR")

    def test_what_lies_beside_calipers_is_listed_as_that(self, child: Path, lines: Lines, tmp_path: Path) -> None:
        """A kidney's length in the report of a lesion; and numbers that only say when it was measured."""
        send(child, lines)
        made = dcmread(child / "SR0.dcm")
        kidney = code("ConceptCodeSequence", ("64033007", "SCT", "Kidney"))
        length = number(LENGTH, "80", [scoord(lines[BT, "long"], image(child, BT))])
        site = content("HAS CONCEPT MOD", "CODE", ("363698007", "SCT", "Finding Site"), **kidney)
        made.ContentSequence[-1].ContentSequence.append(group("Kidney", generate_uid(), site, length))
        order = number(("126071", "DCM", "Time Point Order"), "1", [])
        order.RelationshipType = "HAS OBS CONTEXT"
        made.ContentSequence.append(order)
        save(made, child / "SR0.dcm")
        (said,) = measure(child, tmp_path / "out").refusals
        assert (said.code, said.path) == ("beside_calipers", "SR0.dcm")
        assert "Length, of another structure (1)." in said.reason

    def test_neither_the_order_nor_the_names_of_files_matter(self, sent: Path, tmp_path: Path) -> None:
        first = only(measure(sent, tmp_path / "one"))
        for number_, path in enumerate(sorted((p for p in sent.rglob("*") if p.is_file()), reverse=True)):
            path.rename(sent / f"{number_:03}")
        second = only(measure(sent, tmp_path / "two"))
        assert lengths(first) == lengths(second)
        assert [lesion.longest_diameter_mm for lesion in first.lesions] == [
            lesion.longest_diameter_mm for lesion in second.lesions
        ]
        assert first.response == second.response

    def test_without_objects_nothing_is_measured(self, sent: Path, tmp_path: Path) -> None:
        settings = {"segment": {"policy": "calipers_only"}, "calipers": {"objects": False}}
        result = measure(sent, tmp_path / "out", config=Config.model_validate(settings))
        assert not only(result).lesions
        assert "calipers.objects is off" in next(r.reason for r in result.refusals if r.path == "SR/ohif")

    def test_no_paths_leaves_their_names_out(self, sent: Path, tmp_path: Path) -> None:
        (sent / "SR").rename(sent / "Kowalski reports")
        measure(sent, tmp_path / "out", no_paths=True)
        for file in ("calipers.csv", "results.json", "run.json", "refusals.csv", "report.html", "measurements.csv"):
            text = (tmp_path / "out" / file).read_text(encoding="utf-8")
            assert "Kowalski" not in text
            assert "highdicom.dcm" not in text


class TestCalipersAreGiven:
    """``--calipers`` takes a table, an object, or a folder of both."""

    def test_a_folder_beside_the_input(self, child: Path, lines: Lines, tmp_path: Path, project_dir: Path) -> None:
        send(child, lines, (BT, BS, FT))
        given = tmp_path / "readers"
        given.mkdir()
        for path in child.glob("SR*.dcm"):
            path.rename(given / path.name)
        rows = (project_dir / "sample_dicoms" / "calipers.csv").read_text(encoding="utf-8").splitlines()
        own = [
            row.replace(f"{CHILD}/", "DICOM/").replace(",L1,", ",Target 1,")
            for row in rows
            if FS in row and CHILD in row
        ]
        (given / "table.csv").write_text(
            "\n".join([rows[0], *own]).replace("reader-1", READER) + "\n", encoding="utf-8"
        )
        result = measure(child, tmp_path / "out", calipers=given)
        subject = only(result)
        assert len(lengths(subject)) == 8
        assert {each.table for each in subject.calipers if each.origin is None} == {"table.csv"}
        assert {each.origin.path for each in subject.calipers if each.origin} == {
            f"readers/SR{n}.dcm" for n in range(3)
        }
        assert subject.response is not None
        assert not result.refusals

    def test_a_single_object(self, child: Path, lines: Lines, tmp_path: Path) -> None:
        path = save(drawn(child, BT, both(lines, BT)), tmp_path / "one.dcm")
        subject = only(measure(child, tmp_path / "out", calipers=path))
        assert {each.origin.path for each in subject.calipers if each.origin} == {"one.dcm"}

    def test_the_table_that_a_run_writes_can_be_given_back(self, child: Path, lines: Lines, tmp_path: Path) -> None:
        send(child, lines)
        first = only(measure(child, tmp_path / "one"))
        for path in child.glob("SR*.dcm"):
            path.unlink()
        second = only(measure(child, tmp_path / "two", calipers=tmp_path / "one" / "calipers.csv"))
        assert second.response is not None
        assert lengths(second) == pytest.approx(lengths(first), abs=1e-4)

    def test_one_folder_for_both(self, child: Path, lines: Lines, tmp_path: Path) -> None:
        send(child, lines)
        result = measure(child, tmp_path / "out", calipers=child)
        assert not result.refusals
        assert len(only(result).calipers) == 8


class TestLooking:
    """``inspect`` lists what objects draw, ``ruler`` measures it on one image."""

    def test_inspect(self, child: Path, lines: Lines) -> None:
        send(child, lines, (BT,))
        done = CliRunner().invoke(app, ["inspect", str(child)])
        assert done.exit_code == 0
        assert f"SR0.dcm  group 1: long axis of Target 1 by {READER} on DICOM/{BT} frame 1: 33.39 mm" in done.stdout
        answer = json.loads(CliRunner().invoke(app, ["inspect", str(child), "--json"]).stdout)
        assert [entry["length_mm"] for entry in answer["calipers"]] == pytest.approx([33.3885, 30.3802], abs=0.001)
        assert {entry["object_uid"] for entry in answer["calipers"]} == {header(child / "SR0.dcm").SOPInstanceUID}

    def test_ruler(self, child: Path, lines: Lines) -> None:
        send(child, lines, (BT, BS))
        image_, object_ = str(child / "DICOM" / BT), str(child / "SR0.dcm")
        answer = json.loads(CliRunner().invoke(app, ["ruler", image_, "--object", object_, "--json"]).stdout)
        assert [entry["length_mm"] for entry in answer["calipers"]] == pytest.approx([33.3885, 30.3802], abs=0.001)
        other = CliRunner().invoke(app, ["ruler", str(child / "DICOM" / FT), "--object", object_])
        assert other.exit_code == 3
        assert "is not in the input" in other.stderr
        again = CliRunner().invoke(app, ["ruler", image_, "--object", str(child / "DICOM" / FT)])
        assert "no object that holds calipers" in again.stderr
        assert CliRunner().invoke(app, ["ruler", image_]).exit_code == 2

    def test_a_table_is_no_object(self, child: Path, tmp_path: Path) -> None:
        (tmp_path / "calipers.csv").write_text("image,lesion,axis\n", encoding="utf-8")
        done = CliRunner().invoke(app, ["ruler", str(child / "DICOM" / BT), "--object", str(tmp_path / "calipers.csv")])
        assert done.exit_code == 1
        assert "calipers.csv: This is no DICOM object." in done.stderr


class TestOneCaliperIsOne:
    """The same caliper twice is no second measurement."""

    def test_a_copy_of_a_report(self, child: Path, lines: Lines, tmp_path: Path) -> None:
        send(child, lines)
        shutil.copy(child / "SR0.dcm", child / "again.dcm")
        result = measure(child, tmp_path / "out")
        assert codes(result) == {"duplicate"}
        assert len(only(result).calipers) == 8

    def test_the_same_lines_in_two_objects(self, child: Path, lines: Lines, tmp_path: Path) -> None:
        send(child, lines)
        shown = image(child, BT)
        pair = [graphic("POLYLINE", *line.graphic) for line in both(lines, BT)]
        save(
            state(
                annotation(*pair), images=[reference(shown.SOPInstanceUID)], ContentCreatorName="Other^Name",
                PatientID=shown.PatientID,
            ),
            child / "PR",
        )  # fmt: skip
        result = measure(child, tmp_path / "out")
        assert codes(result) == {"drawn_twice"}
        assert {each.reader for each in only(result).calipers} == {READER}

    def test_a_table_and_a_report(self, child: Path, lines: Lines, tmp_path: Path, project_dir: Path) -> None:
        send(child, lines)
        table = (project_dir / "sample_dicoms" / "calipers.csv").read_text(encoding="utf-8").splitlines()
        rows = [row.replace(f"{CHILD}/", "DICOM/") for row in table if row.startswith((f"{CHILD}/", "image"))]
        given = tmp_path / "calipers.csv"
        given.write_text("\n".join(rows) + "\n", encoding="utf-8")
        result = measure(child, tmp_path / "out", calipers=given)
        assert codes(result) == {"drawn_twice"}
        assert {each.origin for each in only(result).calipers} == {None}
        assert {lesion.lesion for lesion in only(result).lesions} == {"L1"}

    def test_a_row_of_the_same_reader_counts_before_a_report(self, child: Path, lines: Lines, tmp_path: Path) -> None:
        send(child, lines)
        first, moved = lines[BT, "long"], replace(lines[BT, "long"], ends=(350.0, 330.0, 334.0, 228.0))
        given = tmp_path / "calipers.csv"
        given.write_text(
            "image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader\n"
            f"DICOM/{BT},1,Target 1,transverse,long,{','.join(map(str, moved.ends))},{READER}\n",
            encoding="utf-8",
        )
        assert moved != first
        result = measure(child, tmp_path / "out", calipers=given)
        (said,) = [r for r in result.refusals if r.code == "drawn_twice"]
        assert "the table counts" in said.reason
        assert [each.ends_px for each in only(result).calipers if each.path.endswith(BT)] == [
            ((330.0, 350.0), (228.0, 334.0))
        ]

    def test_a_report_that_replaces_another(self, child: Path, lines: Lines, tmp_path: Path) -> None:
        send(child, lines)
        old = header(child / "SR0.dcm")
        new = drawn(child, BT, (replace(lines[BT, "long"], ends=(350.0, 330.0, 334.0, 228.0)), lines[BT, "short"]))
        named = Dataset()
        named.ReferencedSOPClassUID, named.ReferencedSOPInstanceUID = old.SOPClassUID, old.SOPInstanceUID
        series, study = Dataset(), Dataset()
        series.ReferencedSOPSequence, series.SeriesInstanceUID = [named], old.SeriesInstanceUID
        study.ReferencedSeriesSequence, study.StudyInstanceUID = [series], old.StudyInstanceUID
        new.PredecessorDocumentsSequence = [study]
        save(new, child / "A_new.dcm")
        result = measure(child, tmp_path / "out")
        (said,) = [r for r in result.refusals if r.code == "superseded"]
        assert (said.path, "A_new.dcm" in said.reason) == ("SR0.dcm", True)
        paths = {each.origin.path for each in only(result).calipers if each.path.endswith(BT) and each.origin}
        assert paths == {"A_new.dcm"}

    def test_a_later_report_of_the_same_lesion(self, child: Path, lines: Lines, tmp_path: Path) -> None:
        send(child, lines)
        new = drawn(child, BT, (replace(lines[BT, "long"], ends=(350.0, 330.0, 334.0, 228.0)), lines[BT, "short"]))
        new.ContentTime = "111500"
        save(new, child / "A_new.dcm")
        result = measure(child, tmp_path / "out")
        long = next(c for c in only(result).calipers if c.path.endswith(BT) and c.axis == "long")
        assert long.ends_px == ((330.0, 350.0), (228.0, 334.0))
        assert "superseded" in codes(result)

    def test_two_readers_are_two(self, child: Path, lines: Lines, tmp_path: Path) -> None:
        send(child, lines)
        other = drawn(
            child,
            BT,
            (replace(lines[BT, "long"], ends=(350.0, 330.0, 334.0, 228.0)), lines[BT, "short"]),
            reader="Poe^Paul",
        )
        save(other, child / "other.dcm")
        assert "several_readers" in codes(measure(child, tmp_path / "out"))
        settings = {"segment": {"policy": "calipers_only"}, "calipers": {"reader": READER}}
        named = measure(child, tmp_path / "named", config=Config.model_validate(settings))
        assert not codes(named)
        assert only(named).response is not None
