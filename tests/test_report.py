"""report.html and the terminal summary: complete, quiet, safe, and the same every time."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from lesion_measure.config import Comparison, Config, Report
from lesion_measure.records import Metric, Refusal, Response, RunResult, SubjectResult
from lesion_measure.report import Pictures, summary_lines, write_report
from lesion_measure.report.figures import waterfall, waterfall_bars
from lesion_measure.report.html import css_string, strip, write_html
from lesion_measure.report.overview import subject_change
from lesion_measure.report.words import amount, fixed, percent
from report_cohort import make_cohort

CONFIG = Config(report=Report(image_width_px=200))
FILES = {"report.html", "measurements.csv", "changes.csv", "refusals.csv", "results.json", "run.json"}
NASTY = "</script><img src=x onerror=alert(1)>&\"'"


@pytest.fixture(scope="module")
def cohort() -> tuple[RunResult, Pictures]:
    return make_cohort()


@pytest.fixture(scope="module")
def page(cohort: tuple[RunResult, Pictures], tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("out")
    write_report(cohort[0], out, config=CONFIG, pictures=cohort[1])
    assert {path.name for path in out.iterdir()} == FILES
    return (out / "report.html").read_text(encoding="utf-8")


def plain(cohort_pictures: str, _frame: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.zeros((480, 640, 3), np.uint8)


class Reader(HTMLParser):
    """Tags with their attributes, balanced elements, visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "input", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attrs for name, attrs in self.tags if name == tag)


def section(page: str, subject: str) -> str:
    parts = (part.partition("</section>")[0] for part in page.split("<section")[1:])
    return next(f"<section{part}</section>" for part in parts if f"<h2>{subject}</h2>" in part)


def test_page_is_well_formed_and_asks_for_nothing(page: str) -> None:
    reader = Reader(page)
    assert reader.open == []
    assert page.startswith("<!doctype html>")
    assert not re.search(r"(https?:)?//[a-z]", re.sub(r"base64,[\w+/=]+", "", page))
    assert not list(reader.all("script"))
    assert not list(reader.all("link"))
    assert all((image["src"] or "").startswith("data:image/jpeg;base64,") for image in reader.all("img"))
    assert "default-src 'none'" in page
    targets = {attrs["id"] for _, attrs in reader.tags if attrs.get("id")}
    links = [attrs["href"] for attrs in reader.all("a") if attrs.get("href")]
    assert {link for link in links if link and link[1:] not in targets} == set()


def test_every_picture_has_words_and_an_overlay(page: str, cohort: tuple[RunResult, Pictures]) -> None:
    reader = Reader(page)
    images = list(reader.all("img"))
    planes = [p for s in cohort[0].subjects for m in s.lesions for p in m.planes]
    broken = 3  # the one frame that cannot be decoded shows three lesions
    assert len(images) == len(planes) - broken
    assert all("long axis" in (image["alt"] or "") for image in images)
    assert page.count('class="drawn"') == len(images)
    assert page.count("This frame was measured but cannot be shown") == broken
    assert "The JPEG data of frame 1 are cut short. Export the image again." in page
    for plane in planes:
        assert plane.path in page


def test_every_refusal_appears_with_reason_and_remedy(page: str, cohort: tuple[RunResult, Pictures]) -> None:
    text = Reader(page).text
    everything = [*cohort[0].refusals, *(r for s in cohort[0].subjects for r in s.review)]
    for refusal in everything:
        assert refusal.reason in text
        assert refusal.remedy in text
        assert (refusal.path or "") in text


def test_size_and_rule_stand_in_every_section(page: str, cohort: tuple[RunResult, Pictures]) -> None:
    for subject in cohort[0].subjects:
        part = section(page, subject.subject)
        assert "Primary size: sum of longest diameters" in part
        assert "Rule ‘trial’" in part
        assert "effective at −30 % or less" in part
    assert "Research use only; not a medical device" in Reader(page).text


def test_numbers_of_a_subject(page: str) -> None:
    text = Reader(section(page, "S01")).text
    for words in ("41.5 ± 3.7 mm", "34.3 to 48.7", "21.2 ± 1.9 mm", "−48.9 %", "−86.2 %", "exceeds error"):
        assert words in text
    assert "effective · certain" in text
    assert "model us-liver-unet (confidence 0.93)" in text
    assert "calipers of R1" in text
    assert "−1.4 mm" in text
    assert "0.24 × 0.24 mm per pixel" in text
    assert "ellipsoid, three diameters of two orthogonal planes" in text


def test_absent_screening_and_unmeasured(page: str) -> None:
    assert "absent (statement of reader R2)" in section(page, "S04")
    assert "no interval" in section(page, "S04")
    assert "Screening" in section(page, "S07")
    assert "Screening" not in section(page, "S01")
    assert "not certain" in section(page, "S07")
    assert "volume from one plane assumes rotation symmetry" in section(page, "S06")
    assert "no verdict" in section(page, "S05")
    assert "Two studies are equally near" in section(page, "S08")
    assert "no millimetres per pixel" in section(page, "S02")


def test_calipers_only_run_says_so(cohort: tuple[RunResult, Pictures], tmp_path: Path) -> None:
    made = replace(cohort[0].provenance, model=None, model_sha256=None)
    write_html(replace(cohort[0], provenance=made), tmp_path, CONFIG, plain)
    assert "calipers only" in html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_pictures_without_a_region_say_that_they_may_hold_text(
    page: str, cohort: tuple[RunResult, Pictures], tmp_path: Path
) -> None:
    assert "text within the picture cannot be ruled out" not in page
    bare = tuple(replace(image, regions=(), pixel_spacing=(0.24, 0.24)) for image in cohort[0].instances)
    write_html(replace(cohort[0], instances=bare), tmp_path, CONFIG, cohort[1])
    again = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert again.count("text within the picture cannot be ruled out") == page.count("data:image/jpeg")


def test_text_from_files_stays_text(cohort: tuple[RunResult, Pictures], tmp_path: Path) -> None:
    def spoil(subject: SubjectResult) -> SubjectResult:
        lesions = tuple(
            replace(
                m,
                lesion=NASTY + m.lesion,
                reader=NASTY,
                warnings=(NASTY,),
                planes=tuple(replace(p, path=NASTY + p.path, calibration_source=NASTY) for p in m.planes),
            )
            for m in subject.lesions
        )
        verdict = subject.response and replace(subject.response, category=NASTY, explanation=NASTY)
        return replace(subject, subject=NASTY + subject.subject, lesions=lesions, warnings=(NASTY,), response=verdict)

    result = replace(
        cohort[0],
        subjects=tuple(map(spoil, cohort[0].subjects)),
        refusals=(Refusal(code=NASTY, reason=NASTY, remedy=NASTY, path=NASTY, subject=NASTY, lesion=NASTY),),
        provenance=replace(cohort[0].provenance, model=NASTY, command=NASTY, versions={NASTY: NASTY}),
    )
    config = Config(report=Report(title=NASTY + "\\ } </style>", image_width_px=200))
    write_report(result, tmp_path, config=config, pictures=cohort[1])
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    reader = Reader(text)
    assert reader.open == []
    assert not list(reader.all("script"))
    assert all("onerror" not in attrs for _, attrs in reader.tags)
    assert text.count("<style") == text.count("</style") == 1 + text.count("<defs>\n  <style")
    assert "</script>" in reader.text


def test_page_is_the_same_each_time(page: str, cohort: tuple[RunResult, Pictures], tmp_path: Path) -> None:
    write_html(cohort[0], tmp_path, CONFIG, cohort[1])
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page


def test_an_empty_run_has_a_page_too(cohort: tuple[RunResult, Pictures], tmp_path: Path) -> None:
    empty = replace(cohort[0], subjects=(), instances=())
    write_report(empty, tmp_path, config=CONFIG, pictures=plain)
    text = Reader((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "nothing to plot" in text
    assert "Nothing needs review." in text
    assert summary_lines(replace(empty, refusals=()))[-1] == "Response      none could be stated"


def test_a_failed_page_leaves_the_old_one(cohort: tuple[RunResult, Pictures], tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")

    def fails(uid: str, frame: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        raise RuntimeError("defect")

    with pytest.raises(RuntimeError, match="defect"):
        write_html(cohort[0], tmp_path, CONFIG, fails)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "old"


def test_waterfall_runs_from_growth_to_fall(cohort: tuple[RunResult, Pictures]) -> None:
    metric = CONFIG.comparison.primary_metric
    bars = waterfall_bars(cohort[0], metric)
    values = [bar.change.percent for bar in bars]
    assert values == sorted(values, reverse=True)
    assert [bar.subject for bar in bars] == ["S02", "S06", "S03", "S07", "S01", "S04"]
    rule = CONFIG.comparison.applied_rule
    drawn = waterfall(cohort[0], metric, rule)
    assert drawn is not None
    assert drawn.missing == ("S05", "S08")
    for bar in bars:
        assert fixed(bar.change.percent, 1, signed=True) in drawn.svg
    assert "−30 % or less" in drawn.svg
    volume = waterfall(cohort[0], Metric.VOLUME, rule)
    assert volume is not None
    assert "−30 % or less" not in volume.svg


def test_rule_on_another_size_gets_its_own_plot(cohort: tuple[RunResult, Pictures], tmp_path: Path) -> None:
    config = Config(comparison=Comparison(rule="volume"), report=Report(image_width_px=200))
    write_html(cohort[0], tmp_path, config, plain)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count('class="plot"') == 2
    assert "so its limits are not drawn here" in text
    assert "progressive disease" in text


def test_strip_has_the_scale_it_says(cohort: tuple[RunResult, Pictures]) -> None:
    by_name = {s.subject: s for s in cohort[0].subjects}
    shrunk = subject_change(by_name["S01"], Metric.SUM_OF_DIAMETERS)
    grown = subject_change(by_name["S02"], Metric.VOLUME)
    gone = subject_change(by_name["S04"], Metric.SUM_OF_DIAMETERS)
    assert shrunk
    assert grown
    assert gone
    drawn = strip(shrunk, CONFIG)
    assert drawn
    assert (drawn.value - drawn.zero) / (drawn.limits[0] - drawn.zero) == pytest.approx(shrunk.percent / -30, rel=1e-3)
    far, statement = strip(grown, CONFIG), strip(gone, CONFIG)
    assert far
    assert statement
    assert far.beyond == 1
    assert statement.low is None


def test_summary_for_the_terminal(cohort: tuple[RunResult, Pictures]) -> None:
    lines = summary_lines(cohort[0])
    assert lines[0].endswith("6 of 8 subjects (change from baseline to 1 month)")
    assert "3 items in 3 subjects" in lines[1]
    assert "1, and 4 files skipped" in lines[2]
    assert "not_dicom 3" in lines[3]
    assert "3 not effective (2 certain), 2 effective (1 certain), 1 complete response (1 certain)" in lines[4]
    assert "rule 'trial' on sum of longest diameters" in lines[4]


def test_words() -> None:
    assert percent(-30) == "−30.0 %"
    assert percent(float("inf")) == "not defined"
    assert fixed(-0.0001, 2) == "0.00"
    assert amount(None, "mm") == "–"
    assert css_string('a"} b</style>') == '"a\\22 \\7d \\20 b\\3c \\2f style\\3e "'


def test_a_verdict_that_is_not_certain_is_hatched(cohort: tuple[RunResult, Pictures]) -> None:
    def sure(verdict: Response | None) -> Response | None:
        return verdict and replace(verdict, certain=True)

    rule, metric = CONFIG.comparison.applied_rule, CONFIG.comparison.primary_metric
    certain = replace(cohort[0], subjects=tuple(replace(s, response=sure(s.response)) for s in cohort[0].subjects))
    before, after = waterfall(cohort[0], metric, rule), waterfall(certain, metric, rule)
    assert before
    assert after
    assert "<pattern" in before.svg
    assert "<pattern" not in after.svg


def test_matplotlib_waits_until_a_figure_is_drawn() -> None:
    code = "import sys, lesion_measure.report; print([m for m in ('matplotlib', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"
