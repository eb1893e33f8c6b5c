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
from lesion_measure.records import (
    Metric,
    PlaneMeasurement,
    PromptedOutline,
    Refusal,
    Response,
    RunResult,
    Source,
    SubjectResult,
)
from lesion_measure.report import Pictures, overview_of, summary_lines
from lesion_measure.report.environment import css_string
from lesion_measure.report.overview import readers_named, way_counts
from lesion_measure.report.strips import strip
from lesion_measure.report.waterfall import waterfall, waterfall_bars
from lesion_measure.report.words import amount, fixed, percent, percent_interval
from report_cohort import make_cohort, quantity
from written_runs import write_pages, write_report

CONFIG = Config(report=Report(image_width_px=200))
PRIMARY = CONFIG.comparison.primary_metric
VOLUMES = Config(comparison=Comparison(primary_metric=Metric.VOLUME))
FILES = {
    "children",
    "report.html",
    "measurements.csv",
    "lesions.csv",
    "changes.csv",
    "calipers.csv",
    "refusals.csv",
    "results.json",
    "run.json",
}
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
    looked_at = {"To review: ultrasound image with numbered columns and rows; nothing is drawn on it"}
    review = [image for image in images if image["alt"] in looked_at]
    assert len(review) == 1  # of the one refusal whose image is not measured and can be shown
    assert len(images) == len(planes) - broken + len(review)
    assert all("long axis" in (image["alt"] or "") for image in images if image not in review)
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
    for words in ("41.5 ± 3.7 mm", "34.9 to 49.4", "21.2 ± 1.9 mm", "−48.9 %", "−86.2 %", "exceeds error"):
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
    write_pages(replace(cohort[0], provenance=made), tmp_path, CONFIG, plain)
    assert "calipers only" in html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_pictures_without_a_region_say_that_they_may_hold_text(
    page: str, cohort: tuple[RunResult, Pictures], tmp_path: Path
) -> None:
    assert "text within the picture cannot be ruled out" not in page
    bare = tuple(replace(image, regions=(), pixel_spacing=(0.24, 0.24)) for image in cohort[0].instances)
    write_pages(replace(cohort[0], instances=bare), tmp_path, CONFIG, cohort[1])
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
    write_pages(cohort[0], tmp_path, CONFIG, cohort[1])
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page


def test_an_empty_run_has_a_page_too(cohort: tuple[RunResult, Pictures], tmp_path: Path) -> None:
    empty = replace(cohort[0], subjects=(), instances=())
    write_report(empty, tmp_path, config=CONFIG, pictures=plain)
    text = Reader((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "nothing to plot" in text
    assert "Nothing needs review." in text
    assert (
        summary_lines(overview_of(replace(empty, refusals=()), CONFIG), PRIMARY)[-1]
        == "Response      none could be stated"
    )


def test_a_failed_page_leaves_the_old_one(cohort: tuple[RunResult, Pictures], tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")

    def fails(uid: str, frame: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        raise RuntimeError("defect")

    with pytest.raises(RuntimeError, match="defect"):
        write_pages(cohort[0], tmp_path, CONFIG, fails)
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "children"}
    assert not list((tmp_path / "children").iterdir())
    assert (tmp_path / "report.html").read_text() == "old"


def test_waterfall_runs_from_growth_to_fall(cohort: tuple[RunResult, Pictures]) -> None:
    metric = CONFIG.comparison.primary_metric
    bars = waterfall_bars(overview_of(cohort[0], CONFIG), metric)
    values = [bar.change.percent for bar in bars]
    assert values == sorted(values, reverse=True)
    assert [bar.subject for bar in bars] == ["S02", "S06", "S03", "S07", "S01", "S04"]
    rule = CONFIG.comparison.applied_rule
    drawn = waterfall(overview_of(cohort[0], CONFIG), metric, rule)
    assert drawn is not None
    assert drawn.missing == ("S05", "S08")
    for bar in bars:
        assert fixed(bar.change.percent, 1, signed=True) in drawn.svg
    assert "−30 % or less" in drawn.svg
    volume = waterfall(overview_of(cohort[0], VOLUMES), Metric.VOLUME, rule)
    assert volume is not None
    assert "−30 % or less" not in volume.svg


def test_rule_on_another_size_gets_its_own_plot(cohort: tuple[RunResult, Pictures], tmp_path: Path) -> None:
    config = Config(comparison=Comparison(rule="volume"), report=Report(image_width_px=200))
    write_pages(cohort[0], tmp_path, config, plain)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count('class="plot"') == 2
    assert "so its limits are not drawn here" in text
    assert "progressive disease" in text


def test_strip_has_the_scale_it_says(cohort: tuple[RunResult, Pictures]) -> None:
    by_name = {s.subject: s for s in cohort[0].subjects}
    shrunk = by_name["S01"].change(Metric.SUM_OF_DIAMETERS)
    grown = by_name["S02"].change(Metric.VOLUME)
    gone = by_name["S04"].change(Metric.SUM_OF_DIAMETERS)
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
    lines = summary_lines(overview_of(cohort[0], CONFIG), PRIMARY)
    assert lines[0].endswith("8 subjects: 6 measured, 0 excluded, 2 not measured (change of sum of longest diameters)")
    assert "3 items in 3 subjects" in lines[1]
    assert "1, and 4 files skipped" in lines[2]
    assert "not_dicom 3" in lines[3]
    assert "3 not effective (2 certain), 2 effective (1 certain), 1 complete response (1 certain)" in lines[4]
    assert "rule 'trial' on sum of longest diameters" in lines[4]


def test_a_change_is_never_rounded_onto_a_limit_that_it_misses(
    cohort: tuple[RunResult, Pictures], tmp_path: Path
) -> None:
    assert percent(-29.97, (-30, 20)) == "−29.97 %"
    assert percent(-30.004, (-30,)) == "−30.004 %"
    assert percent(19.96, (-30, 20)) == "+19.96 %"
    assert percent_interval((-50.04, -30.02), (-30,)) == "−50.0 to −30.02 %"
    for same in (-30, -29.9, 0, 12.34, -30 + 1e-12):  # nothing to tell apart
        assert percent(same, (-30, None)) == percent(same)
    result = cohort[0]
    first = result.subjects[0]
    near = tuple(
        replace(c, percent=-29.97, percent_ci95=(-45.0, -5.0)) if c.lesion is None and c.metric is PRIMARY else c
        for c in first.changes
    )
    page = rendered(replace(result, subjects=(replace(first, changes=near),)), tmp_path)
    own = page.split('id="method"')[0]
    assert own.count("−29.97") >= 4  # contents, plot, table of subjects, the subject's own table
    assert "−30.0" not in own


def test_a_limit_of_another_size_gives_a_change_no_more_digits(
    cohort: tuple[RunResult, Pictures], tmp_path: Path
) -> None:
    """-50 % is WHO's limit for products, and no limit of a diameter; the other way round -30 %."""
    result = cohort[0]
    first = result.subjects[0]
    shown = {PRIMARY: -50.04, Metric.SUM_OF_PRODUCTS: -50.03, Metric.VOLUME: -29.96}
    near = tuple(
        replace(c, percent=shown[c.metric], percent_ci95=(-60.0, -5.0)) if c.metric in shown else c
        for c in first.changes
    )
    assert {c.metric for c in near} >= {PRIMARY, Metric.VOLUME}
    own = rendered(replace(result, subjects=(replace(first, changes=near),)), tmp_path).split('id="method"')[0]
    assert "−50.0 %" in own
    assert "−50.04" not in own
    assert "−29.96" not in own
    assert ("−50.03" in own) is (Metric.SUM_OF_PRODUCTS in {c.metric for c in near})


def test_words() -> None:
    assert percent(-30) == "−30.0 %"
    assert percent(float("inf")) == "not defined"
    assert fixed(-0.0001, 2) == "−0.0001"  # what is not 0 never reads 0
    assert fixed(-1e-12, 2) == "0.00"
    assert amount(None, "mm") == "–"
    assert css_string('a"} b</style>') == '"a\\22 \\7d \\20 b\\3c \\2f style\\3e "'


def test_a_verdict_that_is_not_certain_is_hatched(cohort: tuple[RunResult, Pictures]) -> None:
    def sure(verdict: Response | None) -> Response | None:
        return verdict and replace(verdict, certain=True)

    rule, metric = CONFIG.comparison.applied_rule, CONFIG.comparison.primary_metric
    certain = replace(cohort[0], subjects=tuple(replace(s, response=sure(s.response)) for s in cohort[0].subjects))
    before, after = (waterfall(overview_of(run, CONFIG), metric, rule) for run in (cohort[0], certain))
    assert before
    assert after
    assert "<pattern" in before.svg
    assert "<pattern" not in after.svg


def test_matplotlib_waits_until_a_figure_is_drawn() -> None:
    code = "import sys, lesion_measure.report; print([m for m in ('matplotlib', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"


def outlined(plane: PlaneMeasurement, *, drawn: bool) -> PlaneMeasurement:
    """A caliper's plane with a network's outline: a box of the axes."""
    (r0, c0), (r1, c1) = plane.long_axis_px
    assert plane.short_axis_px
    (r2, c2), (r3, c3) = plane.short_axis_px
    outline = PromptedOutline(
        model="us-liver",
        long_axis_mm=1.05 * plane.long_axis_mm.value,
        width_mm=quantity(19.5),
        width_px=plane.short_axis_px,
    )
    return replace(
        plane,
        prompted=outline,
        outline_px=np.array([(r0, c0), (r2, c2), (r1, c1), (r3, c3), (r0, c0)]),
        area_mm2=quantity(437.0, 0.13),
        perimeter_mm=quantity(80.0),
        confidence=0.88,
        short_axis_mm=plane.short_axis_mm if drawn else outline.width_mm,
        short_axis_prompted=not drawn,
    )


def with_outlines(result: RunResult, *, drawn: bool) -> RunResult:
    """The cohort whose S06, measured by calipers, has outlines prompted by them at baseline."""

    def change(subject: SubjectResult) -> SubjectResult:
        if subject.subject != "S06":
            return subject
        first, *later = subject.lesions
        planes = tuple(outlined(plane, drawn=drawn) for plane in first.planes)
        origin = Source.CALIPER if drawn else Source.PROMPTED
        first = replace(
            first, planes=planes, short_axis_source=origin, volume_sources=(Source.CALIPER, origin),
            warnings=(), short_axis_mm=planes[0].short_axis_mm,
        )  # fmt: skip
        return replace(subject, lesions=(first, *later))

    return replace(result, subjects=tuple(map(change, result.subjects)))


def rendered(result: RunResult, folder: Path) -> str:
    write_pages(result, folder, CONFIG, plain)
    return (folder / "report.html").read_text(encoding="utf-8")


def test_a_prompted_lesion_says_what_is_the_readers_and_what_the_networks(
    cohort: tuple[RunResult, Pictures], tmp_path: Path
) -> None:
    part = section(rendered(with_outlines(cohort[0], drawn=False), tmp_path), "S06")
    text = Reader(part).text
    assert "How measured Baseline 1 month Lesion L1 prompted by calipers" in text
    assert "outlined by model us-liver" in text
    assert "calipers alone" in text  # at one month
    assert "Prompted by calipers: calipers of" in text
    assert "outline by model us-liver (confidence 0.88)" in text
    assert "The outline's own long axis is 29.8 mm, +5.0 % against the caliper" in text
    assert re.search(r"Long axis 28\.4 ± [\d.]+ mm [\d. to]+ caliper", text)
    assert re.search(r"Short axis 19\.5 ± [\d.]+ mm [\d. to]+ outline", text)
    assert re.search(r"Area 437 ± 57 mm² [\d. to]+ outline", text)
    assert "caliper and network's outline" in text  # the volume
    key = part[part.index('class="key"') : part.index("show outline and axes")]
    assert re.findall(r'class="(outline|long|short|width)"', key) == ["outline", "long", "short", "width"]
    assert part.count('class="halo width"') == 1
    assert part.count('class="halo short"') == 1


def test_a_drawn_short_axis_stands_beside_the_outlines_width(
    cohort: tuple[RunResult, Pictures], tmp_path: Path
) -> None:
    part = section(rendered(with_outlines(cohort[0], drawn=True), tmp_path), "S06")
    text = Reader(part).text
    assert re.search(r"Short axis 19\.9 ± [\d.]+ mm [\d. to]+ caliper", text)
    assert "its width across the caliper is 19.5 ±" in text
    assert "−1.9 % against the short axis" in text
    assert "width" not in re.findall(r'<path class="(\w+)"', part)


def test_the_legend_names_what_is_drawn_and_nothing_else(page: str) -> None:
    by_calipers, by_network = section(page, "S06"), section(page, "S01")
    keys = [part[part.index('class="key"') :].partition("<input")[0] for part in (by_calipers, by_network)]
    assert [re.findall(r'class="(outline|long|short|width)"', key) for key in keys] == [
        ["long", "short"],
        ["outline", "long", "short"],
    ]
    assert "show axes" in by_calipers
    assert "show outline and axes" in by_network


def test_what_it_was_measured_with_names_the_calipers_too(
    page: str, cohort: tuple[RunResult, Pictures], tmp_path: Path
) -> None:
    text = Reader(page).text
    assert readers_named(overview_of(cohort[0], CONFIG)) == "R1 and R2"
    assert re.search(r"Measured with model us-liver\S* \(weights \w+\) and calipers of R1 and R2 ·", text)
    model_only = tuple(s for s in cohort[0].subjects if s.subject == "S02")
    only = Reader(rendered(replace(cohort[0], subjects=model_only), tmp_path)).text
    assert re.search(r"Measured with model us-liver\S* \(weights \w+\) ·", only)
    made = replace(cohort[0].provenance, model=None, model_sha256=None)
    assert (
        "Measured with readers' calipers only ·" in Reader(rendered(replace(cohort[0], provenance=made), tmp_path)).text
    )


def test_every_lesion_is_counted_by_its_way(cohort: tuple[RunResult, Pictures]) -> None:
    result = with_outlines(cohort[0], drawn=False)
    lesions = [m for s in result.subjects for m in s.lesions]
    counts = way_counts(overview_of(result, CONFIG))
    assert counts["prompted by calipers"] == 1
    assert counts["calipers alone"] == 1
    assert counts["reader statement"] == 1
    assert counts["automatic"] == len(lesions) - 3
    assert counts["refused"] == 2  # S05 L1 at one month, and S07 L2, which is new there
    assert summary_lines(overview_of(result, CONFIG), PRIMARY)[-1].startswith(
        f"Lesions       {counts['automatic']} automatic, 1 prompted by calipers"
    )


def test_a_refused_lesion_has_its_place_among_the_ways(page: str) -> None:
    text = Reader(section(page, "S05")).text
    assert "Lesion L1 automatic model us-liver" in text
    assert "refused model unsure" in text
    new = Reader(section(page, "S07")).text
    assert "Lesion L2 not measured not measured refused not found at baseline" in new
