"""The main job end to end, against the simulator's truth and on the sample studies."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from csv_files import csv_rows
from drawn_network import DrawnNetwork, Ellipse, Line, along, replace_network
from lesion_measure.config import Config
from lesion_measure.job.outcome import outcome
from lesion_measure.job.request import RunRequest
from lesion_measure.lab.phantom import simulate_trial
from lesion_measure.pipeline import run
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    SCREENING,
    Form,
    Met,
    Metric,
    RunResult,
    Source,
    SubjectResult,
    Way,
)
from lesion_measure.report.pdf.command import write_pdf
from lesion_measure.results import read_results, results_schema

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated trial with calipers and truth."""
    folder = tmp_path_factory.mktemp("trial")
    simulate_trial(folder, subjects=5, seed=20, overwrite=True)
    return folder


@pytest.fixture(scope="module")
def by_calipers(trial: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResult, Path]:
    """The trial measured by its calipers alone."""
    out = tmp_path_factory.mktemp("out") / "results"
    return run(RunRequest(input=trial, out=out, calipers=trial / "calipers.csv")), out


def _truth(trial: Path, visit: str) -> dict[tuple[str, str], dict[str, str]]:
    return {(row["subject"], row["lesion"]): row for row in csv_rows(trial / "truth.csv") if row["visit"] == visit}


def test_change_recovered_from_calipers_is_the_truth_within_1_percent(
    trial: Path, by_calipers: tuple[RunResult, Path]
) -> None:
    before, after = _truth(trial, BASELINE), _truth(trial, ONE_MONTH)
    changes = {
        (c.subject, c.lesion, c.metric): c.percent
        for subject in by_calipers[0].subjects
        for c in subject.changes
        if c.lesion is not None
    }
    assert before
    for (subject, lesion), row in after.items():
        ratio = float(row["volume_ml"]) / float(before[subject, lesion]["volume_ml"])
        assert changes[subject, lesion, Metric.VOLUME] == pytest.approx(100 * (ratio - 1), abs=1)
        assert changes[subject, lesion, Metric.LONGEST_DIAMETER] == pytest.approx(100 * (ratio ** (1 / 3) - 1), abs=1)


def _with_liver(trial: Path, folder: Path, code: str, scale: float = 1.2) -> Path:
    """The trial's calipers, and the lesion of one child drawn once more, larger by ``scale``, as its liver."""
    rows = csv_rows(trial / "calipers.csv")
    for row in [row for row in rows if row["image"].split("/")[1] == code]:
        middle = {axis: (float(row[f"start_{axis}"]) + float(row[f"end_{axis}"])) / 2 for axis in ("row", "col")}
        ends = {
            f"{end}_{axis}": str(middle[axis] + scale * (float(row[f"{end}_{axis}"]) - middle[axis]))
            for end in ("start", "end")
            for axis in ("row", "col")
        }
        rows.append({**row, **ends, "lesion": "Liver"})
    path = folder / "with_liver.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_protocol_subjects_and_liver_from_the_files_to_the_results(
    trial: Path, by_calipers: tuple[RunResult, Path], tmp_path: Path, project_dir: Path
) -> None:
    """A diffuse child has the liver's size and a share of it, no sum and no verdict; the others keep theirs."""
    before = {s.subject: s for s in by_calipers[0].subjects}
    code = next(s.subject for s in before.values() if len({m.lesion for m in s.lesions}) == 1)
    other = next(name for name in before if name != code)
    table = tmp_path / "subjects.csv"
    table.write_text(f"subject,age_months,form,hepatoblastoma\n{code},5,diffuse,no\n{other},40,,yes\n")
    request = RunRequest(
        input=trial, out=tmp_path / "out", calipers=_with_liver(trial, tmp_path, code), subjects=table,
        config=Config.from_yaml(project_dir / "configs" / "nct04406870.yaml"),
    )  # fmt: skip
    after = {s.subject: s for s in run(request).subjects}
    child = after[code]
    assert child.disease.form is Form.DIFFUSE
    assert child.disease.targets == ()
    assert child.response is None
    assert child.best_response == "neither complete response nor progression"  # as its assessment says
    assert "diffuse_disease" in {r.code for r in child.review}
    assert {m.lesion for m in child.lesions} == {"L1"}
    lesion, liver = child.lesions[0], child.disease.liver[0]
    assert liver.longest_diameter_mm.value == pytest.approx(1.2 * lesion.longest_diameter_mm.value)
    assert child.disease.burdens[-1].replaced_share.value == pytest.approx(1 / 1.2**3)
    lesion_change = next(c for c in child.changes if c.lesion == "L1" and c.metric is Metric.VOLUME)
    liver_change = next(c for c in child.disease.liver_changes if c.metric is Metric.VOLUME)
    assert liver_change.percent == pytest.approx(lesion_change.percent)
    assert {c.name: c.met for c in child.entry}["age at baseline"] is Met.MET
    assert {c.name: c.met for c in after[other].entry}["age at baseline"] is Met.NOT_MET
    assert {c.name: c.met for c in after[other].entry}["no hepatoblastoma"] is Met.NOT_MET
    for name in before.keys() - {code}:
        assert [c.percent for c in after[name].changes] == [c.percent for c in before[name].changes]
        assert after[name].response.category == before[name].response.category
    written = json.loads((tmp_path / "out" / "results.json").read_text())
    Draft202012Validator(results_schema()).validate(written)
    assert written["protocol"]["historical_rate"] == 0.577
    assert read_results(tmp_path / "out").protocol.age_groups_months == (14,)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Entry criteria of NCT04406870" in page
    assert "The liver itself" in page


@pytest.mark.parametrize("visits", [("baseline",), ("one_month",), ("baseline", "one_month")])
def test_a_liver_that_some_visits_lack_is_reported_of_the_others(
    trial: Path, tmp_path: Path, visits: tuple[str, ...]
) -> None:
    """A child with three visits whose liver was drawn at one or two of them: report and PDF are whole."""
    code = next(name for name, _ in _truth(trial, SCREENING))
    calipers = _with_liver(trial, tmp_path, code)
    lines = calipers.read_text(encoding="utf-8").splitlines()
    own = [line for line in lines if f"/{code}/" in line]
    kept = [line for line in own if "Liver" not in line or any(f"/{visit}/" in line for visit in visits)]
    assert len(kept) < len(own)
    calipers.write_text("\n".join([lines[0], *kept]), encoding="utf-8")
    out = tmp_path / "out"
    child = next(s for s in run(RunRequest(input=trial, out=out, calipers=calipers)).subjects if s.subject == code)
    assert child.disease is not None
    assert {m.visit for m in child.disease.liver} == set(visits)
    table = (out / "report.html").read_text(encoding="utf-8").split("Liver, longest diameter")[1].split("</table>")[0]
    assert table.count("not measured") == 3 - len(visits)
    assert (out / "run.json").is_file()
    pytest.importorskip("reportlab")
    assert write_pdf(out).path.is_file()


def test_products_that_cannot_be_had_and_children_that_were_never_scanned_are_said(trial: Path, tmp_path: Path) -> None:
    calipers, _ = _without_short_axes(trial, tmp_path)
    table = tmp_path / "subjects.csv"
    table.write_text("subject,age_months\nSIM-001,5\nSIM-099,5\n")
    result = run(
        RunRequest(
            input=trial, out=tmp_path / "out", calipers=calipers, subjects=table,
            config=Config.model_validate({"comparison": {"rule": "who"}}),
        )
    )  # fmt: skip
    assert [(r.code, r.subject) for r in result.refusals if r.code == "no_scans"] == [("no_scans", "SIM-099")]
    for subject in result.subjects:
        assert subject.response is None
        assert "no_products" in {r.code for r in subject.review}


def test_long_axes_alone_need_no_review_and_the_page_says_what_was_not_measured(trial: Path, tmp_path: Path) -> None:
    calipers, _ = _without_short_axes(trial, tmp_path)
    out = tmp_path / "out"
    result = run(RunRequest(input=trial, out=out, calipers=calipers))
    assert outcome(result) == "MEASURED"
    assert not any(subject.review for subject in result.subjects)
    document = json.loads((out / "results.json").read_text(encoding="utf-8"))
    Draft202012Validator(results_schema()).validate(document)
    assert {r["code"] for s in document["subjects"] for r in s["not_compared"]} == {"no_volume"}
    assert not [row for row in csv_rows(out / "refusals.csv") if row["kind"] != "skipped"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "not measured, and not asked for by the protocol. No change of volume: L1 has no volume at baseline." in page
    assert "not available: see what needs review" not in page


def test_the_shrinkage_before_entry_is_that_from_screening_to_baseline(
    trial: Path, by_calipers: tuple[RunResult, Path]
) -> None:
    screening = _truth(trial, SCREENING)
    baseline = _truth(trial, BASELINE)
    assert screening
    for subject in by_calipers[0].subjects:
        found = next(c for c in subject.entry if c.name == "shrinkage before entry")
        names = [lesion for code, lesion in screening if code == subject.subject]
        if not names:
            assert (found.met, found.found) == (Met.NOT_KNOWN, "there is no screening scan")
            continue
        ratios = {
            float(baseline[subject.subject, n]["volume_ml"]) / float(screening[subject.subject, n]["volume_ml"])
            for n in names
        }
        shrinkage = 100 * (min(ratios) ** (1 / 3) - 1)  # the simulator gives all lesions of a child the same factor
        stated = float(found.found.split("baseline ")[1].split(" %")[0])
        assert stated == pytest.approx(shrinkage, abs=1)
        assert found.met is (Met.MET if shrinkage > -30 else Met.NOT_MET)


def test_a_run_on_calipers_alone_needs_no_torch(trial: Path, tmp_path: Path) -> None:
    script = (
        "import sys\nfrom lesion_measure.cli import app\n"
        "try:\n    app(sys.argv[1:])\n"
        "finally:\n    print('torch' in sys.modules, 'monai' in sys.modules)"
    )
    command = ["run", str(trial), "-o", str(tmp_path / "out"), "--calipers", str(trial / "calipers.csv")]
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False False"


def test_every_promised_file_is_written_and_says_the_same(by_calipers: tuple[RunResult, Path]) -> None:
    result, out = by_calipers
    names = {
        "report.html",
        "measurements.csv",
        "lesions.csv",
        "changes.csv",
        "calipers.csv",
        "refusals.csv",
        "results.json",
        "run.json",
    }
    assert names <= {p.name for p in out.iterdir()}
    assert outcome(result) == "MEASURED"
    assert len(json.loads((out / "results.json").read_text())["subjects"]) == len(result.subjects) == 5
    record = json.loads((out / "run.json").read_text())
    assert record["config_sha256"] == Config().sha256()
    assert record["inputs_sha256"] == result.provenance.inputs
    assert record["model"] is None


def test_the_same_run_twice_gives_the_same_numbers(
    trial: Path, by_calipers: tuple[RunResult, Path], tmp_path: Path
) -> None:
    run(RunRequest(input=trial, out=tmp_path / "again", calipers=trial / "calipers.csv"))
    for name in ("measurements.csv", "lesions.csv", "changes.csv", "calipers.csv", "refusals.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (by_calipers[1] / name).read_bytes()


def test_a_bad_file_costs_itself_alone(trial: Path, tmp_path: Path, by_calipers: tuple[RunResult, Path]) -> None:
    """One image truncated in its pixels, one in its header, one that is no DICOM: every other number stays."""
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(trial, broken)
    files = sorted(broken.glob("dicom/*/*/*.dcm"))
    files[0].write_bytes(files[0].read_bytes()[:200])
    (broken / "notes.txt").write_text("not DICOM")
    result = run(RunRequest(input=broken, out=tmp_path / "out", calipers=trial / "calipers.csv"))
    assert outcome(result) == "NEEDS_REVIEW"
    refused = {r.path for r in result.refusals}
    assert {files[0].relative_to(broken).as_posix(), "notes.txt"} <= refused
    hurt = files[0].relative_to(broken).parts[1]
    others = {s.subject: s for s in result.subjects if s.subject != hurt}
    whole: Mapping[str, SubjectResult] = {s.subject: s for s in by_calipers[0].subjects}
    assert others
    for code, subject in others.items():
        assert [c.percent for c in subject.changes] == [c.percent for c in whole[code].changes]


def _without_short_axes(trial: Path, folder: Path) -> tuple[Path, dict[tuple[float, float], float]]:
    """The trial's calipers with the long axes alone; and width / length of each lesion's picture by its caliper."""
    table = csv_rows(trial / "calipers.csv")
    steps = [(_step(row, "row"), _step(row, "col")) for row in table]
    long: dict[tuple[str, ...], tuple[float, float]] = {}
    aspects: dict[tuple[float, float], float] = {}
    for row, step in zip(table, steps, strict=True):
        key = (row["image"], row["frame"], row["lesion"])
        if row["axis"] == "long":
            long[key] = step
        elif row["axis"] == "short":
            aspects[_rounded(long[key])] = math.hypot(*step) / math.hypot(*long[key])
    path = folder / "long.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(row for row in table if row["axis"] != "short")
    return path, aspects


def _step(row: Mapping[str, str], way: str) -> float:
    return float(row[f"end_{way}"] or 0) - float(row[f"start_{way}"] or 0)


def _rounded(step: tuple[float, float]) -> tuple[float, float]:
    return round(step[0], 2), round(step[1], 2)


def test_long_calipers_and_true_outlines_recover_the_true_change_of_volume(
    trial: Path, by_calipers: tuple[RunResult, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that outlines each lesion as an ellipse of its true axes adds what the long axes alone do not give."""
    calipers, aspects = _without_short_axes(trial, tmp_path)

    def true_ellipse(line: Line) -> Ellipse:
        return along(line, aspect=aspects[_rounded((line[1][0] - line[0][0], line[1][1] - line[0][1]))])

    bare = run(RunRequest(input=trial, out=tmp_path / "bare", calipers=calipers))
    assert not [c for s in bare.subjects for c in s.changes if c.metric is Metric.VOLUME and c.followup.value]
    replace_network(monkeypatch, DrawnNetwork(true_ellipse))
    result = run(RunRequest(input=trial, out=tmp_path / "out", calipers=calipers))
    present = [m for s in result.subjects for m in s.lesions if m.present]
    assert {m.way for m in present} == {Way.PROMPTED}
    lengths = {(m.subject, m.visit, m.lesion): m.longest_diameter_mm for s in bare.subjects for m in s.lesions}
    assert all(lengths[m.subject, m.visit, m.lesion] == m.longest_diameter_mm for m in present)
    before, after = _truth(trial, BASELINE), _truth(trial, ONE_MONTH)
    changes = {
        (c.subject, c.lesion): c
        for s in result.subjects
        for c in s.changes
        if c.lesion is not None and c.metric is Metric.VOLUME
    }
    for key, row in after.items():
        ratio = float(row["volume_ml"]) / float(before[key]["volume_ml"])
        assert changes[key].percent == pytest.approx(100 * (ratio - 1), abs=1)
        assert any("prompted by the reader's calipers" in w for w in changes[key].warnings)
    for plane in (p for m in present for p in m.planes):
        short = plane.prompted.width_mm.value if plane.prompted else math.nan
        assert plane.area_mm2.value == pytest.approx(math.pi / 4 * plane.long_axis_mm.value * short, rel=0.01)
    by_volume = {(m.subject, m.visit, m.lesion): m.volume_ml.value for s in by_calipers[0].subjects for m in s.lesions}
    for m in present:
        assert m.volume_ml.value == pytest.approx(by_volume[m.subject, m.visit, m.lesion], rel=0.01)


def test_an_absence_stated_of_a_frame_that_is_not_there_is_refused(trial: Path, tmp_path: Path) -> None:
    with (trial / "calipers.csv").open(encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file)
    seen = next(row for row in rows if "/one_month/" in row[0])
    table = tmp_path / "calipers.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, [seen[0], "77", *seen[2:4], "absent", "", "", "", "", "R1"]])
    result = run(RunRequest(input=trial, out=tmp_path / "out", calipers=table))
    assert not any(subject.lesions for subject in result.subjects)
    assert "no_such_frame" in [refusal.code for subject in result.subjects for refusal in subject.review]


@pytest.fixture(scope="module")
def samples(project_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """sample_dicoms measured with the shipped model and the readers' calipers, as the README does."""
    folder = project_dir / "sample_dicoms"
    out = tmp_path_factory.mktemp("samples") / "out"
    request = RunRequest(
        input=folder, out=out, calipers=folder / "calipers.csv", model=project_dir / "models" / "liver_us_unet"
    )
    return run(request)


def test_samples_by_model_and_calipers(samples: RunResult, project_dir: Path) -> None:
    assert len(samples.subjects) == 6
    assert outcome(samples) == "NEEDS_REVIEW"
    sources = {m.source for s in samples.subjects for m in s.lesions}
    assert {Source.CALIPER, Source.READER_STATEMENT} <= sources
    seen = [p for s in samples.subjects for m in s.lesions if m.source is Source.CALIPER for p in m.planes]
    assert any(p.prompted for p in seen)  # the shipped network outlines from calipers
    refused = {r.code for s in samples.subjects for r in s.review}
    assert "no_calibration" in refused
    truth = {(r["subject"], r["visit"], r["lesion"]): r for r in csv_rows(project_dir / "sample_dicoms" / "truth.csv")}
    for subject in samples.subjects:
        for measured in subject.lesions:
            row = truth[measured.subject, measured.visit, measured.lesion]
            true_mm = max(float(row[f"{plane}_long_mm"] or 0) for plane in ("transverse", "sagittal"))
            tolerance = 0.15 if measured.source is Source.MODEL else 0.01
            assert measured.longest_diameter_mm.value == pytest.approx(true_mm, rel=tolerance), measured.lesion


def test_with_a_network_the_calipers_lengths_are_those_of_the_calipers_alone(
    samples: RunResult, project_dir: Path, tmp_path: Path
) -> None:
    folder = project_dir / "sample_dicoms"
    alone = run(RunRequest(input=folder, out=tmp_path / "out", calipers=folder / "calipers.csv"))
    drawn = {
        (p.path, p.frame, p.lesion): (p.long_axis_mm, p.short_axis_mm)
        for s in alone.subjects
        for m in s.lesions
        for p in m.planes
    }
    by_reader = [m for s in samples.subjects for m in s.lesions if m.source is Source.CALIPER]
    prompted = [m for m in by_reader if m.way is Way.PROMPTED]
    assert prompted
    for plane in (p for m in by_reader for p in m.planes):
        assert (plane.long_axis_mm, plane.short_axis_mm) == drawn[plane.path, plane.frame, plane.lesion]
        assert (plane.prompted is None) == (plane.area_mm2 is None)
        assert plane.prompted or any("the network's outline is not used" in w for w in plane.warnings)


def test_an_interrupted_run_goes_on_with_what_the_network_already_outlined(
    project_dir: Path, tmp_path: Path, samples: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lesion_measure.image import automatic

    folder = project_dir / "sample_dicoms"
    request = RunRequest(
        input=folder, out=tmp_path / "out", calipers=folder / "calipers.csv", jobs=1,
        model=project_dir / "models/liver_us_unet",
    )  # fmt: skip
    calls: list[str] = []
    outline = automatic.outline

    def stop_at_the_fourth(image: automatic.OpenImage, *rest: object) -> object:
        calls.append(image.instance.path)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return outline(image, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(automatic, "outline", stop_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        run(request)
    assert not (tmp_path / "out" / "report.html").exists()
    done, calls[:] = calls[:3], []

    def count(image: automatic.OpenImage, *rest: object) -> object:
        calls.append(image.instance.path)
        return outline(image, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(automatic, "outline", count)
    result = run(request)
    assert calls
    assert not set(done) & set(calls)
    assert [c.percent for s in result.subjects for c in s.changes] == [
        c.percent for s in samples.subjects for c in s.changes
    ]
