"""What leaves the reading room, and the next run that takes it."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from csv_files import csv_rows
from lesion_measure.cli import app
from lesion_measure.config import Config
from lesion_measure.errors import ReviewError
from lesion_measure.job import folder as results_folder
from lesion_measure.job.readings import readings_file, with_readings
from lesion_measure.job.request import RunRequest
from lesion_measure.pipeline import run
from lesion_measure.records import BASELINE, ONE_MONTH, Axis, Fate, Instance, Plane, RunResult, Source, SubjectResult
from lesion_measure.report.tables import csv_text
from lesion_measure.review import exports
from lesion_measure.review.messages import Draft, Kind, Measured, Role, Size
from lesion_measure.review.store import Kept, Store, beside
from lesion_measure.review.store.drafts import checked
from lesion_measure.studies import load_studies
from lesion_measure.tables.calipers import read_calipers

Rows = list[dict[str, str]]
SURE = Config.model_validate({"segment": {"min_confidence": 0}})
"""Settings with which the network's own outlines count, so that there are some without a reader."""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    results_folder.adopt(tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def store(out: Path) -> Iterator[Store]:
    with Store(beside(out)) as opened:
        yield opened


def draft(lesion: str = "L1", **changes: object) -> Draft:
    known = {"image": "ab" * 8, "frame": 1, "lesion": lesion, "kind": Kind.CALIPER, "long": ((10, 20), (30, 50))}
    return Draft.model_validate({**known, **changes})


def sign(store: Store, subject: str, reader: str, role: Role = Role.READER) -> None:
    store.sign(subject, reader, role, {k.id: k.version for k in store.readings(subject, reader)})


def add(store: Store, subject: str, reader: str, what: Draft, visit: str = "baseline", uid: str = "1.2.3") -> Kept:
    return store.add(subject, visit, f"{uid}.{subject[-1]}", what, reader)


def test_an_adjudicator_who_read_nothing_takes_no_reading_away(store: Store, out: Path) -> None:
    for reader in ("R1", "R2"):
        add(store, "S1", reader, draft())
        sign(store, "S1", reader)
    store.sign("S1", "A", Role.ADJUDICATOR, {}, "Not read: baseline")
    exports.write_calipers(store, out)
    assert {row["reader"] for row in csv_rows(readings_file(out))} == {"R1", "R2"}


def test_the_table_holds_signed_readings_and_those_of_the_adjudicator_where_there_is_one(
    store: Store, out: Path
) -> None:
    for subject in ("S1", "S2", "S3"):
        for reader, end in (("R1", 50.0), ("R2", 60.0)):
            add(store, subject, reader, draft(long=((10, 20), (30, end))))
    add(store, "S2", "A", draft(long=((10, 20), (30, 55.5))))
    assert exports.write_calipers(store, out) == readings_file(out)
    assert not readings_file(out).exists()
    for subject, reader in (("S1", "R1"), ("S1", "R2"), ("S2", "R1"), ("S2", "R2"), ("S3", "R2")):
        sign(store, subject, reader)
    sign(store, "S2", "A", Role.ADJUDICATOR)
    rows = csv_rows(exports.write_calipers(store, out))
    assert [(row["subject"], row["reader"], row["end_col"]) for row in rows] == [
        ("S1", "R1", "50.0"), ("S1", "R2", "60.0"), ("S2", "A", "55.5"), ("S3", "R2", "60.0")
    ]  # fmt: skip
    for subject, reader in (("S1", "R1"), ("S1", "R2"), ("S2", "A"), ("S3", "R2")):
        store.reopen(subject, reader, "Once more.")
    assert {row["reader"] for row in csv_rows(exports.write_calipers(store, out))} == {"R1", "R2"}
    for reader in ("R1", "R2"):
        store.reopen("S2", reader, "Once more.")
    exports.write_calipers(store, out)
    assert not readings_file(out).exists()


def test_each_kind_of_reading_comes_back_as_rows_of_the_caliper_table(store: Store, out: Path) -> None:
    contour = ((10.1234, 20.5), (30.0, -0.25), (-1 / 3, 5.0))
    add(store, "S1", "R1", draft("-1", short=((15, 30), (25, 32.125)), plane=Plane.SAGITTAL, frame=7))
    add(store, "S1", "R1", draft("=L2", kind=Kind.OUTLINE, long=None, contour=contour))
    add(store, "S1", "R1", draft("L3", kind=Kind.RESOLVED, long=None))
    add(store, "S1", "R1", draft("L4", kind=Kind.NOT_FOUND, long=None, reason='=gas,\n"everywhere"'))
    add(store, "S1", "R1", draft("L5", kind=Kind.NOT_ASSESSABLE, long=None, reason="no scale"))
    sign(store, "S1", "R1")
    path = exports.write_calipers(store, out)
    assert not [c for row in csv.reader(path.open(encoding="utf-8")) for c in row if c.startswith(("=", "+", "-", "@"))]
    found = {(row.lesion, row.axis.value): row for row in read_calipers(path)}
    assert set(found) == {
        ("-1", "long"), ("-1", "short"), ("=L2", "outline"), ("L3", "absent"), ("L4", "not_assessable"),
        ("L5", "not_assessable"),
    }  # fmt: skip
    long, short, traced = found["-1", "long"], found["-1", "short"], found["=L2", "outline"]
    assert (long.start, long.end, long.frame, long.plane) == ((10, 20), (30, 50), 7, Plane.SAGITTAL)
    assert (short.start, short.end, short.reader) == ((15, 30), (25, 32.125), "R1")
    np.testing.assert_allclose(traced.contour, contour, atol=0.0005)
    assert found["L4", "not_assessable"].reason == 'looked for and not found: =gas, "everywhere"'
    assert found["L5", "not_assessable"].reason == "not assessable: no scale"
    assert {row.image for row in found.values()} == {"1.2.3.1"}


numbers = st.floats(-9e4, 9e4) | st.sampled_from([0.0, 1.0, 1.0004, 1.02, 5e-324, 1e5, 2e5])
ends = st.tuples(numbers, numbers)
letters = st.sampled_from("aL1 =+-@'\t\n,;\"#.日01F\u200b")
texts = st.text(letters, min_size=1, max_size=9) | st.sampled_from(["L1", "-1", "01. Feb", "#N/A", "why"])
drawings = st.one_of(
    st.fixed_dictionaries({"kind": st.just("caliper"), "long": st.tuples(ends, ends)}),
    st.fixed_dictionaries({"kind": st.just("caliper"), "long": st.tuples(ends, ends), "short": st.tuples(ends, ends)}),
    st.fixed_dictionaries({"kind": st.just("outline"), "contour": st.lists(ends, min_size=3, max_size=6)}),
    st.fixed_dictionaries({"kind": st.sampled_from(["not_found", "not_assessable"]), "reason": texts}),
    st.just({"kind": "resolved"}),
)
drafts = st.builds(
    lambda drawn, lesion, frame: {**drawn, "lesion": lesion, "frame": frame, "image": "ab" * 8},
    drawings, texts, st.integers(1, 1_000_000),
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(drafts)
def test_no_kept_reading_makes_a_table_that_the_next_run_could_not_read(
    tmp_path_factory: pytest.TempPathFactory, said: dict[str, Any]
) -> None:
    """One row that cannot be read stops a whole run; so whatever is kept has to be readable, to 0.001 px."""
    try:
        kept = checked(Draft.model_validate(said))
    except (ReviewError, ValidationError):
        reject()  # too many of these fail the test
    reading = Kept(
        id="a", version=1, subject="S1", visit="baseline", image_uid="1.2.3", reader="R1", draft=kept, signed=True,
        changed=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("table") / "calipers.csv"
    path.write_text(csv_text(exports.calipers_table([reading])), encoding="utf-8")
    rows = read_calipers(path)
    assert rows
    for row in rows:
        assert (row.lesion, row.frame, row.image, row.reader) == (kept.lesion, kept.frame, "1.2.3", "R1")
        if row.start is not None and row.end is not None:
            line = kept.long if row.axis is Axis.LONG else kept.short
            np.testing.assert_allclose([row.start, row.end], line, rtol=1e-6, atol=0.001)


def test_a_subject_code_that_looks_like_a_day_stops_no_run(store: Store, out: Path) -> None:
    store.add("MAR-12", "baseline", "1.2.3", draft(), "R1")
    sign(store, "MAR-12", "R1")
    path = exports.write_calipers(store, out)
    assert csv_rows(path)[0]["subject"] == "MAR-12"
    assert [row.lesion for row in read_calipers(path)] == ["L1"]


def test_the_audit_can_be_checked_from_its_table_alone(store: Store, out: Path) -> None:
    kept = add(store, "S1", "R1", draft())
    store.change(kept.id, draft(long=((10, 20), (31, 50))), 1, "R1", "=too short\nby a pixel")
    store.comment("S1", "R2", "@R1: 为什么?")
    sign(store, "S1", "R1")
    exports.write_exports(store, out, lambda kept: Measured())
    before = "0" * 64
    rows = csv_rows(out / "review" / "audit.csv")
    for row in rows:
        before = hashlib.sha256(f"{before}\n{row['content']}".encode()).hexdigest()
        assert row["chain"] == before
        content = json.loads(row["content"])
        assert (str(content["number"]), content["reader"], content["action"]) == (
            row["number"], row["reader"], row["action"]
        )  # fmt: skip
    assert [row["action"] for row in rows] == ["add", "change", "comment", "sign"]
    assert rows[1]["why"] == "'=too short by a pixel"
    assert json.loads(rows[1]["before"])["long"] == [[10, 20], [30, 50]]
    assert len(rows) == len(store.audit())


def test_the_page_tells_how_to_check_the_audit(
    store: Store, out: Path, project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (project_dir / "docs" / "reading_room_data.md").read_text(encoding="utf-8")
    script = page.partition("```python\n")[2].partition("```")[0]
    wide = tuple((float(row), float(row % 7) + 1 / 3) for row in range(4_000))
    add(store, "S1", "R1", draft(kind=Kind.OUTLINE, long=None, contour=wide))
    add(store, "S2", "R1", draft())
    exports.write_exports(store, out, lambda kept: Measured())
    monkeypatch.chdir(out / "review")
    exec(script, {})
    assert store.audit()[-1].chain in capsys.readouterr().out
    text = Path("audit.csv").read_text(encoding="utf-8")
    Path("audit.csv").write_text(text.replace("S2", "S3"), encoding="utf-8")
    with pytest.raises(AssertionError, match="step 2 does not hold"):
        exec(script, {})


def sized(kept: Kept) -> Measured:
    """Half a millimetre a pixel along the columns."""
    line = kept.draft.long
    return Measured(long_axis_mm=None if line is None else Size(value=0.5 * (line[1][1] - line[0][1])))


def test_agreement_lists_each_lesion_and_states_bias_and_limits(store: Store, out: Path) -> None:
    """Bland and Altman by hand: differences 1, 2, 3 mm: bias 2, SD 1, limits 2 -+ 1.96."""
    for number, (first, second) in enumerate([(20, 22), (30, 34), (40, 46)], start=1):
        for reader, pixels in (("R1", first), ("R2", second)):
            add(store, f"S{number}", reader, draft(long=((0, 0), (0, pixels))))
    add(store, "S1", "R1", draft("L2", kind=Kind.RESOLVED, long=None))
    add(store, "S1", "R2", draft("L2", long=((0, 0), (0, 8))))
    add(store, "S2", "R2", draft("L3", long=((0, 0), (0, 8))))
    add(store, "S3", "A", draft(long=((0, 0), (0, 100))))
    for subject in ("S1", "S2", "S3"):
        for reader in ("R1", "R2"):
            sign(store, subject, reader)
    sign(store, "S3", "A", Role.ADJUDICATOR)
    exports.write_exports(store, out, sized)
    *lesions, overall = csv_rows(out / "review" / "agreement.csv")
    assert [(r["subject"], r["lesion"], r["first_says"], r["second_says"], r["difference"]) for r in lesions] == [
        ("S1", "L1", "measured", "measured", "1.0"),
        ("S1", "L2", "resolved", "measured", ""),
        ("S2", "L1", "measured", "measured", "2.0"),
        ("S2", "L3", "nothing", "measured", ""),
        ("S3", "L1", "measured", "measured", "3.0"),
    ]
    assert float(lesions[0]["difference_percent"]) == pytest.approx(100 * 1 / 10.5, rel=1e-4)
    assert (overall["level"], overall["pairs"], overall["first_reader"], overall["second_reader"]) == (
        "all", "3", "R1", "R2"
    )  # fmt: skip
    found = [float(overall[name]) for name in ("bias", "sd", "lower_limit", "upper_limit")]
    assert found == pytest.approx([2, 1, 2 - 1.96, 2 + 1.96], abs=1e-3)


# --- the next run -----------------------------------------------------------------------------------------------------


@pytest.fixture
def scans(project_dir: Path, tmp_path: Path) -> Path:
    for code in ("SIM-01", "SIM-03"):
        shutil.copytree(project_dir / "sample_dicoms" / code, tmp_path / "scans" / code)
    return tmp_path / "scans"


def of(result: RunResult, code: str) -> SubjectResult:
    return next(subject for subject in result.subjects if subject.subject == code)


def read_as_the_samples_are(store: Store, scans: Path, project_dir: Path, code: str) -> dict[str, Instance]:
    """The sample's calipers as readings of the room; its images by path."""
    images = {f"{i.path}": i for i in load_studies(scans).instances}
    lines: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for row in csv_rows(project_dir / "sample_dicoms" / "calipers.csv"):
        if row["image"].startswith(code):
            lines.setdefault((row["image"], row["lesion"]), {})[row["axis"]] = row
    for (path, lesion), axes in lines.items():
        ends = {
            axis: tuple((float(row[f"{end}_row"]), float(row[f"{end}_col"])) for end in ("start", "end"))
            for axis, row in axes.items()
        }
        plane = next(iter(axes.values()))["plane"]
        store.add(code, path.split("/")[1], images[path].sop_instance_uid, draft(lesion, plane=plane, **ends), "R1")
    return images


def test_the_next_run_takes_signed_readings_and_computes_nothing_else_again(
    store: Store, out: Path, scans: Path, project_dir: Path
) -> None:
    request = RunRequest(input=scans, out=out, config=SURE, overwrite=True)
    first = run(with_readings(request)).read()
    made = first.provenance.outlines["made"]
    assert made == len(first.instances)
    assert first.provenance.readings_sha256 is None
    read_as_the_samples_are(store, scans, project_dir, "SIM-01")
    sign(store, "SIM-01", "R1")
    path = exports.write_calipers(store, out)
    content = path.read_bytes()
    second = run(with_readings(request))
    assert second.provenance.outlines == {"made": 0, "reused": made}
    assert second.provenance.readings_sha256 == hashlib.sha256(content).hexdigest()
    assert json.loads((out / "run.json").read_text())["readings_sha256"] == second.provenance.readings_sha256
    assert {(m.source, m.reader) for m in of(second, "SIM-01").lesions if m.lesion == "L1"} == {(Source.CALIPER, "R1")}
    assert {m.source for m in of(first, "SIM-01").lesions if m.lesion == "L1"} == {Source.MODEL}
    assert of(second, "SIM-03").lesions
    assert of(second, "SIM-03").changes == of(first, "SIM-03").changes
    # the readings are there, whatever was overwritten
    assert path.read_bytes() == content
    assert store.readings("SIM-01")
    assert (out / "review" / "review.sqlite").is_file()


def test_a_lesion_that_was_read_at_one_visit_keeps_that_reading_and_the_networks_at_the_other(
    store: Store, out: Path, scans: Path, project_dir: Path
) -> None:
    read_as_the_samples_are(store, scans, project_dir, "SIM-01")
    for kept in store.readings("SIM-01"):
        if kept.visit == ONE_MONTH:
            store.remove(kept.id, kept.version, "R1")
    sign(store, "SIM-01", "R1")
    exports.write_calipers(store, out)
    found = of(run(with_readings(RunRequest(input=scans, out=out, config=SURE))), "SIM-01")
    sources = {m.visit: (m.source, m.reader) for m in found.lesions if m.lesion == "L1"}
    assert sources == {BASELINE: (Source.CALIPER, "R1"), ONE_MONTH: (Source.MODEL, "liver_us_unet")}


def test_the_run_reports_what_was_signed_though_it_has_a_network(
    store: Store, out: Path, scans: Path, project_dir: Path, tmp_path: Path
) -> None:
    """Sizes, volumes and verdicts are those of the same calipers alone: the reader saw no others."""
    config = Config()
    samples = project_dir / "sample_dicoms" / "calipers.csv"
    by_table = run(RunRequest(input=scans, out=tmp_path / "table", calipers=samples, config=config))
    for code in ("SIM-01", "SIM-03"):
        read_as_the_samples_are(store, scans, project_dir, code)
        sign(store, code, "R1")
    exports.write_calipers(store, out)
    by_readings = run(with_readings(RunRequest(input=scans, out=out, config=config)))
    assert by_readings.provenance.model is not None
    sizes = [[(m.lesion, m.visit, m.longest_diameter_mm, m.volume_ml) for m in s.lesions] for s in by_readings.subjects]
    assert sizes == [
        [(m.lesion, m.visit, m.longest_diameter_mm, m.volume_ml) for m in s.lesions] for s in by_table.subjects
    ]
    assert [s.changes for s in by_readings.subjects] == [s.changes for s in by_table.subjects]
    assert [s.response for s in by_readings.subjects] == [s.response for s in by_table.subjects]
    assert all(s.changes for s in by_readings.subjects)


def test_a_lesion_that_was_not_found_is_held_in_the_next_run(
    store: Store, out: Path, scans: Path, project_dir: Path
) -> None:
    read_as_the_samples_are(store, scans, project_dir, "SIM-01")
    for kept in store.readings("SIM-01"):
        if kept.visit == ONE_MONTH:
            said = draft(kept.draft.lesion, kind=Kind.NOT_FOUND, long=None, reason="hidden by gas")
            store.change(kept.id, said, kept.version, "R1", "Nothing to be seen.")
    sign(store, "SIM-01", "R1")
    exports.write_calipers(store, out)
    held = of(run(with_readings(RunRequest(input=scans, out=out, config=SURE))), "SIM-01")
    assert held.response is None
    (status,) = (s for s in held.statuses if s.lesion == "L1")
    assert status.fate is Fate.NOT_EVALUABLE
    assert "looked for and not found: hidden by gas" in status.explanation


def test_the_command_says_which_readings_it_takes_and_calipers_go_before_them(
    store: Store, out: Path, scans: Path, project_dir: Path
) -> None:
    read_as_the_samples_are(store, scans, project_dir, "SIM-01")
    sign(store, "SIM-01", "R1")
    exports.write_calipers(store, out)
    words = ["run", str(scans / "SIM-01"), "-o", str(out), "--overwrite"]
    done = CliRunner().invoke(app, words)
    assert "those signed in the reading room are taken (review/calipers.csv)" in done.output
    assert {row["reader"] for row in csv_rows(out / "calipers.csv")} == {"R1"}
    assert {row["source_path"] for row in csv_rows(out / "calipers.csv")} == {"calipers.csv"}
    done = CliRunner().invoke(app, [*words, "--calipers", str(project_dir / "sample_dicoms" / "calipers.csv")])
    assert "are not used: --calipers is given" in done.output
    assert json.loads((out / "run.json").read_text())["readings_sha256"] is None
