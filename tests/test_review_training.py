"""Signed outlines as a training set, and the export commands of the reading room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from csv_files import csv_rows
from lesion_measure.cli import app
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import OutputError
from lesion_measure.job import folder as results_folder
from lesion_measure.lab.datasets.layouts import layout_of, load
from lesion_measure.lab.training import TrainingRequest, train
from lesion_measure.network import Segmenter
from lesion_measure.records import Instance
from lesion_measure.review.corrections import write_corrections
from lesion_measure.review.exports import final_readings
from lesion_measure.review.messages import Draft, Kind, Role
from lesion_measure.review.store import Store, beside
from lesion_measure.studies import load_studies
from tiny_training import TINY

SQUARE = ((280.0, 300.0), (280.0, 340.0), (320.0, 340.0), (320.0, 300.0))
"""Pixel centres on its border: rows and columns 281 to 319 are inside in any case."""


@pytest.fixture
def scans(project_dir: Path, tmp_path: Path) -> Path:
    shutil.copytree(project_dir / "sample_dicoms" / "SIM-01", tmp_path / "scans" / "SIM-01")
    return tmp_path / "scans"


@pytest.fixture
def images(scans: Path) -> dict[str, Instance]:
    return {image.path: image for image in load_studies(scans).instances}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    results_folder.adopt(tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def store(out: Path) -> Iterator[Store]:
    with Store(beside(out)) as opened:
        yield opened


def draft(lesion: str = "L1", kind: Kind = Kind.OUTLINE, **changes: object) -> Draft:
    drawn = {Kind.OUTLINE: {"contour": SQUARE}, Kind.CALIPER: {"long": SQUARE[:2]}}.get(kind, {"reason": "why"})
    return Draft.model_validate({"image": "ab" * 8, "frame": 1, "lesion": lesion, "kind": kind, **drawn, **changes})


def sign(store: Store, reader: str = "R1", role: Role = Role.READER) -> None:
    store.sign("SIM-01", reader, role, {k.id: k.version for k in store.readings("SIM-01", reader)})


def test_a_training_takes_what_was_signed(store: Store, out: Path, scans: Path, images: dict[str, Instance]) -> None:
    first, second, third, fourth, *_ = images.values()
    shifted = tuple((row, col + 60) for row, col in SQUARE)
    store.add("SIM-01", "baseline", first.sop_instance_uid, draft(), "R1")
    store.add("SIM-01", "baseline", first.sop_instance_uid, draft("L2", contour=shifted), "R1")
    store.add("SIM-01", "baseline", first.sop_instance_uid, draft("L3", Kind.RESOLVED), "R1")
    store.add("SIM-01", "baseline", second.sop_instance_uid, draft(), "R1")
    store.add("SIM-01", "baseline", second.sop_instance_uid, draft("L2", Kind.CALIPER), "R1")
    store.add("SIM-01", "one_month", third.sop_instance_uid, draft(kind=Kind.CALIPER), "R1")
    store.add("SIM-01", "one_month", fourth.sop_instance_uid, draft(contour=((0, 0), (0, 5), (5, 5))), "R1")
    sign(store)
    done = CliRunner().invoke(app, ["export", str(out), "--training", "--input", str(scans)])
    assert done.exit_code == 0, done.output
    assert "Training set: 1 frames" in done.output
    assert f"left out: frame 1 of {second.sop_instance_uid}: L2 was read there and not outlined." in done.output
    assert f"left out: frame 1 of {fourth.sop_instance_uid}: " in done.output
    assert third.sop_instance_uid not in done.output
    (row,) = csv_rows(out / "corrections" / "index.csv")
    assert (row["id"], row["group"], row["reader"]) == (f"{first.sop_instance_uid}-1", "SIM-01", "R1")
    assert layout_of(out).name == "corrections"
    (picture,) = load(out)
    region = tuple(slice(int(row[f"{way}_min"]), int(row[f"{way}_max"]) + 1) for way in ("row", "col"))
    with OpenImage(first, Config().limits) as opened:
        np.testing.assert_array_equal(picture.image, opened.frame(1).luminance()[region])
    mask = np.asarray(Image.open(out / "corrections" / "masks" / f"{row['id']}.png"))
    assert set(np.unique(mask)) == {0, 255}
    assert (mask[281:320, 301:340] == 255).all()
    assert (mask[281:320, 361:400] == 255).all()
    assert np.count_nonzero(mask) == pytest.approx(2 * 40 * 40, abs=2 * 81)
    assert len(picture.axes) == 2
    told = CliRunner().invoke(app, ["data", str(out), "-o", str(out.parent / "sheets")])
    assert told.exit_code == 0, told.output


def test_a_network_is_trained_on_them(store: Store, out: Path, project_dir: Path, tmp_path: Path) -> None:
    """All sample children, each image with the ellipse of its calipers, and a training of seconds."""
    samples = project_dir / "sample_dicoms"
    images = {image.path: image for image in load_studies(samples).instances}
    for row in csv_rows(samples / "calipers.csv"):
        if row["axis"] == "long" and row["image"] in images:
            ends = np.array([[float(row[f"{end}_{way}"]) for way in ("row", "col")] for end in ("start", "end")])
            half, angle = np.linalg.norm(ends[1] - ends[0]) / 2, np.linspace(0, 2 * np.pi, 60, endpoint=False)
            circle = ends.mean(axis=0) + half * np.stack([np.sin(angle), np.cos(angle)], axis=1)
            code, visit, _ = row["image"].split("/")
            what = draft(row["lesion"], contour=tuple(map(tuple, circle.tolist())), frame=int(row["frame"] or 1))
            store.add(code, visit, images[row["image"]].sop_instance_uid, what, "R1")
    subjects = {kept.subject for kept in store.readings()}
    for subject in subjects:
        store.sign(subject, "R1", Role.READER, {kept.id: 1 for kept in store.readings(subject)})
    by_uid = {image.sop_instance_uid: image for image in images.values()}
    count, left_out = write_corrections(final_readings(store), by_uid, Config(), out)
    assert (count, left_out) == (len({(k.image_uid, k.draft.frame) for k in store.readings()}), ())
    assert {item.group for item in load(out)} == {f"out/{subject}" for subject in subjects}
    train(TrainingRequest([out], tmp_path / "network", TINY))
    assert Segmenter.from_bundle(tmp_path / "network").name == "network"


def test_a_set_is_made_anew_and_another_s_is_left_alone(store: Store, out: Path, images: dict[str, Instance]) -> None:
    by_uid = {image.sop_instance_uid: image for image in images.values()}
    uids = list(by_uid)
    kept = store.add("SIM-01", "baseline", uids[0], draft(), "R1")
    store.add("SIM-01", "baseline", uids[1], draft(), "R1")
    sign(store)
    assert write_corrections(final_readings(store), by_uid, Config(), out)[0] == 2
    store.reopen("SIM-01", "R1", "One was wrong.")
    store.remove(kept.id, 1, "R1")
    sign(store)
    assert write_corrections(final_readings(store), by_uid, Config(), out) == (1, ())
    assert [file.name for file in (out / "corrections" / "masks").iterdir()] == [f"{uids[1]}-1.png"]
    assert [row["id"] for row in csv_rows(out / "corrections" / "index.csv")] == [f"{uids[1]}-1"]
    shutil.rmtree(out / "corrections")
    (out / "corrections").mkdir()
    (out / "corrections" / "index.csv").write_text("id,group\n")
    with pytest.raises(OutputError, match="not made of signed readings"):
        write_corrections(final_readings(store), by_uid, Config(), out)
    assert (out / "corrections" / "index.csv").read_text() == "id,group\n"


def test_the_command_writes_tables_and_says_how_the_audit_stands(
    store: Store, out: Path, scans: Path, images: dict[str, Instance]
) -> None:
    image = next(iter(images.values()))
    for reader, end in (("R1", 340.0), ("R2", 350.0)):
        line = ((300.0, 300.0), (300.0, end))
        store.add("SIM-01", "baseline", image.sop_instance_uid, draft(kind=Kind.CALIPER, long=line), reader)
        sign(store, reader)
    words = ["export", str(out), "--readings", "--input", str(scans)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert f"Audit: 4 steps, the last one {store.audit()[-1].chain}" in done.output
    assert [row["reader"] for row in csv_rows(out / "review" / "calipers.csv")] == ["R1", "R2"]
    (agreed,) = csv_rows(out / "review" / "agreement.csv")
    spacing = image.regions[0].delta_col
    assert spacing is not None
    assert float(agreed["first"]) == pytest.approx(40 * spacing * 10, rel=1e-4)
    assert float(agreed["difference"]) == pytest.approx(10 * spacing * 10, rel=1e-4)
    engine = create_engine(beside(out))
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_keeps"))
        connection.execute(text("UPDATE audit SET reader = 'R9' WHERE number = 3"))
    engine.dispose()
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert "step 3 does not hold" in done.output


def test_a_folder_without_readings_says_so(out: Path, scans: Path) -> None:
    done = CliRunner().invoke(app, ["export", str(out), "--readings", "--input", str(scans)])
    assert done.exit_code == 1
    assert "holds no readings" in done.output
    done = CliRunner().invoke(app, ["export", str(out), "--readings"])
    assert "Give --input" in done.output
