"""Out and in again: the objects of a run, taken as the calipers of another, give the same table and verdicts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drawn_network import DrawnNetwork, replace_network
from lesion_measure.config import Config
from lesion_measure.files.shipped import find_config
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from test_dicom_out_images import LONG, SHORT, line, ultrasound, write_image

SIZES = ("longest_diameter_mm", "short_axis_mm", "third_diameter_mm", "volume_ml")
Lines = dict[tuple[Any, ...], Any]


@pytest.fixture(scope="module")
def images(project_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample images without any table beside them."""
    folder = tmp_path_factory.mktemp("images") / "in"
    shutil.copytree(project_dir / "sample_dicoms", folder, ignore=shutil.ignore_patterns("*.csv", "*.md"))
    return folder


def measured(images: Path, out: Path, *, calipers: Path | None, dicom: bool = False, model: Path | None = None) -> Any:
    run(RunRequest(input=images, out=out, calipers=calipers, dicom=dicom, model=model))
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


def sizes(results: Any) -> Lines:
    """Every lesion at every visit, and every image of it: who measured it and how large it is."""
    found: Lines = {}
    for subject in results["subjects"]:
        for lesion in subject["lesions"]:
            key = (subject["subject"], lesion["visit"], lesion["lesion"])
            found[key] = (lesion["present"], lesion["reader"], lesion["volume_method"])
            for name in SIZES:
                found[*key, name] = lesion[name] and lesion[name]["value"]
            for plane in lesion["planes"]:
                where = (*key, plane["sop_instance_uid"], plane["frame"], plane["plane"])
                found[*where, "reader"] = plane["reader"]
                found[*where, "long"] = plane["long_axis_mm"]["value"]
                found[*where, "short"] = plane["short_axis_mm"] and plane["short_axis_mm"]["value"]
    return found


def verdicts(results: Any) -> Lines:
    """What became of each lesion and child, with every change."""
    found: Lines = {}
    for subject in results["subjects"]:
        code = subject["subject"]
        response = subject["response"]
        found[code,] = response and (response["category"], response["certain"], response["held"])
        for status in subject["statuses"]:
            found[code, status["visit"], status["lesion"]] = status["fate"]
        for change in subject["changes"]:
            found[code, change["visit"], change["lesion"], change["metric"]] = change["percent"]
    return found


def alike(one: Lines, other: Lines) -> Iterator[str]:
    """Where two tables differ: texts at all, numbers by more than 0.1 %."""
    for key in {*one, *other}:
        first, second = one.get(key, "missing"), other.get(key, "missing")
        if isinstance(first, float) and isinstance(second, float):
            if second != pytest.approx(first, rel=1e-3):
                yield f"{key}: {first} and {second}"
        elif first != second:
            yield f"{key}: {first} and {second}"


def check_same(before: Any, after: Any, lines: int) -> None:
    assert len(sizes(before)) >= lines
    assert list(alike(sizes(before), sizes(after))) == []
    assert list(alike(verdicts(before), verdicts(after))) == []


def test_reports_stand_for_the_caliper_table(images: Path, project_dir: Path, tmp_path: Path) -> None:
    table = project_dir / "sample_dicoms" / "calipers.csv"
    before = measured(images, tmp_path / "a", calipers=table, dicom=True)
    after = measured(images, tmp_path / "b", calipers=tmp_path / "a" / "dicom", dicom=True)
    check_same(before, after, 200)
    assert not [r["reason"] for r in after["refusals"] if r["path"] and r["path"].endswith(".sr.dcm")]
    assert {(s["subject"], x["lesion"]) for s in after["subjects"] for x in s["lesions"] if not x["present"]} == {
        ("SIM-04", "L2")
    }
    again = measured(images, tmp_path / "c", calipers=tmp_path / "b" / "dicom")
    check_same(before, again, 200)


def test_images_and_objects_in_one_folder_need_no_option(
    images: Path, project_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a PACS gives them back: the images with the reports and the segmentations of an earlier run."""
    replace_network(monkeypatch, DrawnNetwork(), asked_for=True)
    before = measured(
        images, tmp_path / "a", calipers=project_dir / "sample_dicoms" / "calipers.csv", dicom=True,
        model=project_dir / "models" / "liver_us_unet",
    )  # fmt: skip
    together = tmp_path / "together"
    shutil.copytree(images, together)
    for file in (tmp_path / "a" / "dicom").glob("*.dcm"):
        shutil.copy(file, together / file.name)
    assert len(list(together.glob("*.seg.dcm"))) == 36
    after = measured(together, tmp_path / "b", calipers=None)
    check_same(before, after, 200)


def test_a_lesion_that_was_taken_back_does_not_come_back(
    images: Path, project_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PACS holds the reports and segmentations of a first result, and those of the corrected one without L2."""
    replace_network(monkeypatch, DrawnNetwork(), asked_for=True)
    header, *rows = (project_dir / "sample_dicoms" / "calipers.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in rows if row.startswith("SIM-03/")]
    together = tmp_path / "together"
    shutil.copytree(images / "SIM-03", together / "SIM-03")
    results = []
    for turn, lines in enumerate((rows, [row for row in rows if ",L2," not in row])):
        (tmp_path / "calipers.csv").write_text("\n".join([header, *lines]), encoding="utf-8")
        run(
            RunRequest(
                input=images, out=tmp_path / "a", calipers=tmp_path / "calipers.csv", dicom=True, overwrite=True,
                model=project_dir / "models" / "liver_us_unet",
            )
        )  # fmt: skip
        results.append(json.loads((tmp_path / "a" / "results.json").read_text(encoding="utf-8")))
        for file in (tmp_path / "a" / "dicom").glob("SIM-03*.dcm"):
            shutil.copy(file, together / f"{turn} {file.name}")
    assert len(list(together.glob("* SIM-03_*_L2_*.seg.dcm"))) == 4
    results[1]["subjects"] = [each for each in results[1]["subjects"] if each["subject"] == "SIM-03"]
    after = measured(together, tmp_path / "b", calipers=None)
    check_same(results[1], after, 30)
    gone = [each for each in after["refusals"] if "another result" in each["reason"]]
    assert sorted(each["path"] for each in gone) == sorted(file.name for file in together.glob("* *_L2_*.seg.dcm"))


def test_scan_planes_survive_where_the_images_do_not_tell_them(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    rows = []
    for number, plane in enumerate(("transverse", "sagittal"), start=1):
        write_image(tmp_path / "in" / f"{number}.dcm", ultrasound(SOPInstanceUID=f"1.2.3.{number}"))
        rows += [line(axis, ends).replace("a.dcm", f"{number}.dcm").replace("transverse", plane)
                 for axis, ends in (("long", LONG), ("short", SHORT))]  # fmt: skip
    table = tmp_path / "calipers.csv"
    table.write_text(f"image,frame,lesion,plane,axis,start_col,start_row,end_col,end_row,reader,mask\n{''.join(rows)}")
    config = Config.from_yaml(find_config(Path("follow_up")))
    outcomes = []
    for out, calipers in (("a", table), ("b", tmp_path / "a" / "dicom")):
        run(RunRequest(input=tmp_path / "in", out=tmp_path / out, calipers=calipers, dicom=True, config=config))
        outcomes.append(json.loads((tmp_path / out / "results.json").read_text(encoding="utf-8")))
    (lesion,) = outcomes[1]["subjects"][0]["lesions"]
    assert [plane["plane"] for plane in lesion["planes"]] == ["transverse", "sagittal"]
    assert lesion["volume_method"].startswith("ellipsoid, three diameters")
    assert lesion["reader"] == "Dr. Grün"
    check_same(*outcomes, 10)
