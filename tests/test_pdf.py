"""report.pdf: everything that the pages say, drawn to scale, with provenance on each sheet, and the same every time."""

from __future__ import annotations

import importlib.util
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest
from matplotlib.bezier import BezierSegment
from matplotlib.path import Path as Outline
from matplotlib.transforms import Affine2D
from pypdf.generic import ContentStream
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.config import Config, Report
from lesion_measure.errors import ConfigError, InputError
from lesion_measure.report import write_report
from lesion_measure.report.pdf import fonts, write_pdf
from lesion_measure.report.pdf.drawing import segments, transform
from lesion_measure.report.pdf.inline import markup
from lesion_measure.report.pdf.tree import MAX_DEPTH, Node, read_page
from lesion_measure.results import read_results
from report_cohort import make_cohort

CONFIG = Config(report=Report(image_width_px=200))
ODD = "Größe-Ω-\N{MINUS SIGN}1"
NO_FONT = "\U00013000"  # an Egyptian hieroglyph
COHORT_PAGE = """<!doctype html><html><head><title>Cohort</title></head><body><nav><ul><li>Contents</li></ul></nav>
<main>
<section id="answer"><h1>Did the lesions shrink?</h1><p class="answer">By <b>−25.0 %</b>.</p>
<figure class="plot"><div><svg viewBox="0 0 100 50"><g><path d="M 0 0 L 100 50" style="stroke: #009e73; fill: none"/>
<text style="font: 10px sans-serif; text-anchor: middle" x="50" y="20">in the plot</text></g></svg></div>
<figcaption>Its caption</figcaption></figure></section></main></body></html>"""


class Words(HTMLParser):
    """The visible text of report.html's main part."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.skip, self.main, self.words = 0, False, list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.main |= tag == "main"
        self.skip += tag in ("style", "svg", "label", "footer")

    def handle_endtag(self, tag: str) -> None:
        self.skip -= tag in ("style", "svg", "label", "footer")

    def handle_data(self, data: str) -> None:
        if self.main and not self.skip:
            self.words += re.findall(r"[\w.]+", data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    result, pictures = make_cohort()
    first, second, *others = result.subjects
    renamed = replace(first, subject=ODD), replace(second, subject=NO_FONT)
    write_report(replace(result, subjects=(*renamed, *others)), out, config=CONFIG, pictures=pictures)
    return out


@pytest.fixture(scope="module")
def document(folder: Path) -> pypdf.PdfReader:
    written = write_pdf(folder)
    assert written.path == folder / "report.pdf"
    assert "run 'lesion-measure cohort' first" in written.notes[0]
    return pypdf.PdfReader(written.path)


@pytest.fixture(scope="module")
def sheets(document: pypdf.PdfReader) -> list[str]:
    return [sheet.extract_text() for sheet in document.pages]


def test_every_sheet_says_where_it_comes_from_and_which_it_is(folder: Path, sheets: list[str]) -> None:
    results, run = read_results(folder), json.loads((folder / "run.json").read_text())
    assert len(sheets) > len(results.subjects)
    for number, words in enumerate(sheets, 1):
        assert f"Page {number} of {len(sheets)}" in words
        assert f"run {results.sha256[:12]} · configuration {results.config_sha256[:12]}" in words
        assert results.model is not None
        assert results.model_sha256 is not None
        assert f"model {results.model} {results.model_sha256[:12]}" in words
        assert run["started"] in words
        assert "Research use only; not a medical device" in words
    assert results.sha256 in sheets[0].replace("\n", "")


def test_the_words_of_the_page_are_all_there_and_can_be_selected(folder: Path, sheets: list[str]) -> None:
    page = Words((folder / "report.html").read_text(encoding="utf-8")).words
    assert len(page) > 1000
    # words that are broken over lines, or set in capitals
    there = re.sub(r"\s", "", "".join(sheets)).upper()
    missing = {word for word in page if word.upper() not in there} - {NO_FONT}
    assert missing == set()


def test_codes_in_other_letters_stay_readable(sheets: list[str]) -> None:
    assert any(ODD in words for words in sheets)
    assert any("[U+13000]" in words for words in sheets)  # no font has it: never an empty box
    assert [*fonts.runs("a\U00013000b")] == [(None, "a"), (None, "[U+13000]"), (None, "b")]


def test_every_font_is_embedded(document: pypdf.PdfReader) -> None:
    seen = set()
    for sheet in document.pages:
        for font in sheet["/Resources"]["/Font"].values():  # type: ignore[index]
            found = font.get_object()
            assert "/FontFile2" in found["/FontDescriptor"].get_object(), found["/BaseFont"]
            seen.add(found["/BaseFont"].split("+")[-1])
    assert {"DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"} <= seen


def test_every_picture_is_there_as_it_was(folder: Path, document: pypdf.PdfReader) -> None:
    shown = (folder / "report.html").read_text(encoding="utf-8").count("<img ")
    placed = sum(
        operator == b"Do"
        for sheet in document.pages
        for _, operator in ContentStream(sheet["/Contents"], document).operations
    )
    assert placed == shown > 10
    filters = {str(image["/Filter"]) for sheet in document.pages for image in _images(sheet)}
    assert filters == {"['/DCTDecode']"}  # the JPEG's own bytes, not encoded again


def _images(sheet: Any) -> list[Any]:
    known = sheet["/Resources"].get("/XObject", {})
    return [image.get_object() for image in known.values()]


def test_axes_are_drawn_to_the_scale_of_their_bars(folder: Path, document: pypdf.PdfReader) -> None:
    """A drawn long axis, measured on paper against the scale bar beside it, has the length that stands beside it."""
    page = read_page(folder / "report.html")
    shown = [figure for figure in page.all("figure") if figure.first("img")]
    stated = [float(figure.all("td")[0].text().split()[0]) for figure in shown]
    bars = [int(drawing.text().split()[0]) for figure in shown if (drawing := figure.first("svg"))]
    yellow, white = [0.941176, 0.894118, 0.258824], [1, 1, 1]
    axes: list[float] = []
    lengths: list[float] = []
    for sheet in document.pages:
        for colour, length in _strokes(sheet, document):
            if colour == pytest.approx(yellow, abs=1e-4):
                axes.append(length)
            elif colour == pytest.approx(white):
                lengths.append(length)
    in_legends = (
        20 * 20 / 26
    )  # each lesion's legend has a long axis of its own, 20 of 26 units wide, drawn 20 points wide
    axes = [length for length in axes if not math.isclose(length, in_legends, abs_tol=0.01)]
    measured = [mm * axis / bar for axis, bar, mm in zip(axes, lengths, bars, strict=True)]
    assert len(measured) > 20
    assert measured == pytest.approx(stated, rel=2e-3, abs=0.05)


def _strokes(sheet: Any, document: pypdf.PdfReader) -> list[tuple[list[float], float]]:
    """Colour and length in points of the first line of every stroked path."""
    found, colour, stack = list[tuple[list[float], float]](), [0.0, 0.0, 0.0], list[list[float]]()
    start: tuple[float, float] | None = None
    length: float | None = None
    for operands, operator in ContentStream(sheet["/Contents"], document).operations:
        numbers = [float(o) for o in operands] if operator in (b"RG", b"m", b"l") else []
        if operator == b"q":
            stack.append(colour)
        elif operator == b"Q":
            colour = stack.pop()
        elif operator == b"RG":
            colour = numbers
        elif operator == b"m":
            start = start or (numbers[0], numbers[1])
        elif operator == b"l" and length is None and start is not None:
            length = math.dist(start, numbers)
        elif operator in (b"S", b"B", b"n", b"f", b"f*", b"B*", b"s"):
            if operator == b"S" and length is not None:
                found.append((colour, length))
            start = length = None
    return found


@pytest.mark.parametrize(("paper", "size"), [("a4", (595.28, 841.89)), ("letter", (612, 792))])
def test_paper(folder: Path, paper: str, size: tuple[float, float]) -> None:
    sheet = pypdf.PdfReader(write_pdf(folder, paper=paper).path).pages[0]
    assert (sheet.mediabox.width, sheet.mediabox.height) == pytest.approx(size, abs=0.01)


def test_the_same_results_give_the_same_bytes_and_the_time_is_the_runs(folder: Path) -> None:
    first = write_pdf(folder).path.read_bytes()
    assert write_pdf(folder).path.read_bytes() == first
    made = pypdf.PdfReader(folder / "report.pdf").metadata
    run = json.loads((folder / "run.json").read_text())
    assert made is not None
    assert made.creation_date is not None
    assert made.creation_date.isoformat() == run["started"]
    assert not list(folder.glob(".*.partial"))


def test_a_subject_can_be_found_in_the_outline(folder: Path, document: pypdf.PdfReader) -> None:
    def titles(entries: Any) -> list[str]:
        return [t for e in entries for t in (titles(e) if isinstance(e, list) else [e["/Title"]])]

    found = titles(document.outline)
    assert {s.subject for s in read_results(folder).subjects} <= set(found)
    assert "Refused and skipped" in found


class TestCohort:
    def write(self, folder: Path, sha256: str) -> Path:
        (folder / "cohort").mkdir(exist_ok=True)
        (folder / "cohort" / "cohort.html").write_text(COHORT_PAGE, encoding="utf-8")
        (folder / "cohort" / "cohort.json").write_text(json.dumps({"results": {"sha256": sha256}}))
        return folder

    @pytest.fixture
    def copy(self, folder: Path, tmp_path: Path) -> Path:
        for name in ("report.html", "results.json", "run.json"):
            (tmp_path / name).write_bytes((folder / name).read_bytes())
        return tmp_path

    def test_its_answer_comes_first(self, copy: Path) -> None:
        written = write_pdf(self.write(copy, read_results(copy).sha256))
        assert written.notes == ()
        first, second, *_ = (sheet.extract_text() for sheet in pypdf.PdfReader(written.path).pages)
        assert "Did the lesions shrink?" in first
        assert "−25.0 %" in first
        assert "in the plot" in first
        assert "Its caption" in first
        assert "Contents" not in first
        assert "Did the lesions shrink?" not in second

    @pytest.mark.parametrize(("rows", "parted"), [(20, True), (7, False)])
    def test_a_heading_stays_with_the_first_rows_of_a_long_table_and_with_the_whole_of_a_short_one(
        self, copy: Path, rows: int, parted: bool
    ) -> None:
        """A long table begins on the sheet that it still has room on, and is not taken to the next with its heading."""
        above = "".join("<p>above</p>" for _ in range(28))
        body = "".join(f"<tr><td>row {n} of the table<br>second line<br>third line</td></tr>" for n in range(rows))
        table = f"<table><thead><tr><th>head</th></tr></thead><tbody>{body}</tbody></table>"
        running = "" if parted else "<p class='running'>of the rule</p>"
        page = (
            f"<html><head><title>Cohort</title></head><body><main><section id='answer'>{above}<h2>A table</h2>"
            f"{running}{table}</section></main></body></html>"
        )
        self.write(copy, read_results(copy).sha256)
        (copy / "cohort" / "cohort.html").write_text(page, encoding="utf-8")
        first, second, *_ = (sheet.extract_text() for sheet in pypdf.PdfReader(write_pdf(copy).path).pages)
        assert "above" in first
        assert ("A table" in first) == ("row 0 of" in first) == parted
        assert "of the rule" not in first
        assert ("of the rule" in second) == (not parted)
        assert f"row {rows - 1} of" in second
        if parted:
            assert "row 2 of" in first  # the first rows come along
            assert first.count("head\n") == second.count("head\n") == 1  # the head of the table is repeated

    def test_one_of_other_results_is_left_out(self, copy: Path) -> None:
        written = write_pdf(self.write(copy, "0" * 64))
        assert "of other results" in written.notes[0]
        assert "Did the lesions shrink?" not in pypdf.PdfReader(written.path).pages[0].extract_text()


class TestRefusals:
    def test_without_reportlab_it_says_what_to_install(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(ConfigError) as caught:
            write_pdf(folder)
        assert "pip install 'lesion-measure[pdf]'" in caught.value.remedy

    def test_paper_that_is_not_known(self, folder: Path) -> None:
        with pytest.raises(ConfigError, match="foolscap"):
            write_pdf(folder, paper="foolscap")

    def test_a_folder_without_a_run(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"results\.json"):
            write_pdf(tmp_path)

    @pytest.mark.parametrize(
        "inner",
        [
            "<svg viewBox='0 0 9 9'><foreignobject>no</foreignobject></svg>",
            "<svg viewBox='0 0 9 9'><path d='M 0 0 A 1 1 0 0 1 2 2'/></svg>",
            "<svg><path d='M 0 0'/></svg>",
            "<svg viewBox='0 0 9 9'><path transform='skewX(9)' d='M0 0L1 1'/></svg>",
            "<div class=pictures><figure><div class=frame><img src='http://a/b.jpg'></div></figure></div>",
            "<div class=pictures><figure><div class=frame><img src='data:image/jpeg;base64,%'></div></figure></div>",
        ],
    )
    def test_a_page_that_is_none_of_ours(self, folder: Path, tmp_path: Path, inner: str) -> None:
        for name in ("results.json", "run.json"):
            (tmp_path / name).write_bytes((folder / name).read_bytes())
        (tmp_path / "report.html").write_text(f"<main><section>{inner}</section></main>")
        with pytest.raises(InputError):
            write_pdf(tmp_path)
        assert not (tmp_path / "report.pdf").exists()

    def test_a_page_that_is_nested_too_deeply(self, tmp_path: Path) -> None:
        page = tmp_path / "a.html"
        page.write_text("<div>" * (MAX_DEPTH + 1))
        with pytest.raises(InputError, match="nested"):
            read_page(page)


class TestCommand:
    def test_it_says_where_the_pdf_is_and_that_there_is_no_cohort(self, folder: Path) -> None:
        done = CliRunner().invoke(app, ["report", str(folder), "--pdf", "--paper", "Letter"])
        assert done.exit_code == 0
        assert f"PDF: {folder / 'report.pdf'}" in done.stdout
        assert "lesion-measure cohort" in done.stderr

    @pytest.mark.parametrize("options", [[], ["--pdf", "--paper", "foolscap"]])
    def test_what_is_not_understood(self, folder: Path, options: list[str]) -> None:
        assert CliRunner().invoke(app, ["report", str(folder), *options]).exit_code == 2

    def test_a_folder_without_results(self, tmp_path: Path) -> None:
        assert CliRunner().invoke(app, ["report", str(tmp_path), "--pdf"]).exit_code == 1


def test_text_is_text_and_never_markup() -> None:
    assert markup(["<b>&amp; <font color=red>"], 9) == "&lt;b&gt;&amp;amp; &lt;font color=red&gt;"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("matrix(1 2 3 4 5 6)", Affine2D.from_values(1, 2, 3, 4, 5, 6)),
        ("translate(3 4)", Affine2D().translate(3, 4)),
        ("translate(3) scale(2)", Affine2D().scale(2).translate(3, 0)),
        ("rotate(30 5 7)", Affine2D().rotate_deg_around(5, 7, 30)),
        ("scale(2, 3) rotate(90)", Affine2D().rotate_deg(90).scale(2, 3)),
    ],
)
def test_transforms_are_those_of_matplotlib(text: str, expected: Affine2D) -> None:
    values = expected.get_matrix()
    assert transform(text) == pytest.approx([values[r, c] for c in range(3) for r in range(2)])


def test_a_quadratic_curve_is_the_same_as_a_cubic_one() -> None:
    curve = Outline([(0, 0), (4, 9), (10, 2)], [Outline.MOVETO, Outline.CURVE3, Outline.CURVE3])
    (_, (start,)), (_, points) = segments(Node("path", {"d": "M0 0Q4 9 10 2"}))
    cubic = Outline([start, *points], [Outline.MOVETO, *[Outline.CURVE4] * 3])
    assert cubic.get_extents().extents == pytest.approx(curve.get_extents().extents)


def test_a_circle_is_round() -> None:
    (_, (start,)), *curves, (_, _) = segments(Node("circle", {"cx": "3", "cy": "4", "r": "2"}))
    assert len(curves) == 4
    for _, points in curves:
        curve = BezierSegment(np.array([start, *points]))
        distances = [math.dist(curve(t), (3, 4)) for t in np.linspace(0, 1, 21)]
        assert distances == pytest.approx([2.0] * 21, rel=3e-4)  # the best that one cubic curve can do
        start = points[-1]


def test_path_data_may_be_relative_and_repeat_its_command() -> None:
    absolute = segments(Node("path", {"d": "M1 1L3 1L3 4L1 4Z"}))
    assert segments(Node("path", {"d": "m1 1h2v3h-2z"})) == absolute
    assert segments(Node("path", {"d": "M1 1 3 1 3 4 1 4Z"})) == absolute
