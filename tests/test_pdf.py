"""report.pdf: everything that the pages say, drawn to scale, with provenance on each sheet, and the same every time."""

from __future__ import annotations

import base64
import importlib.util
import json
import math
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pypdf
import pytest
from pypdf.generic import ContentStream
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.config import Config, Report
from lesion_measure.errors import ConfigError, InputError
from lesion_measure.report.pdf import write_pdf
from lesion_measure.report.pdf.sheets import MAX_DEPTH, read_page
from lesion_measure.results import read_results
from report_cohort import make_cohort
from test_every_number import WITH_UNIT
from written_runs import write_report

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


class Drawn(HTMLParser):
    """All text of report.html, that of its drawings included."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.silent, self.words = 0, list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


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


def test_no_number_of_the_sheets_is_another_than_the_pages(folder: Path, sheets: list[str]) -> None:
    """Each number with a unit stands there as often as in report.html, plots included; one changed digit is caught."""

    def numbers(text: str) -> Counter[str]:
        return Counter(WITH_UNIT.findall(text))

    page = numbers(" ".join(Drawn((folder / "report.html").read_text(encoding="utf-8")).words))
    told = numbers("\n".join(sheets))
    assert told.total() > 200
    assert not told - page
    assert (page - told).total() < told.total() / 10  # what is for the screen alone
    for number in told:
        changed = number[:-1] + str((int(number[-1]) + 1) % 10)
        assert told - Counter([number]) + Counter([changed]) - page, number


def test_a_run_with_a_page_a_child_makes_the_same_pdf_but_for_the_table_of_all(
    folder: Path, tmp_path: Path, sheets: list[str]
) -> None:
    """The children's own pages are put behind the index; their words and numbers of pictures are the same."""
    result, pictures = make_cohort()
    two = replace(result, subjects=result.subjects[2:4], refusals=())
    write_report(two, tmp_path, config=CONFIG, pictures=pictures, single_file=False)
    words = "".join(sheet.extract_text() for sheet in pypdf.PdfReader(write_pdf(tmp_path).path).pages)
    page = (folder / "children" / f"{two.subjects[0].subject}.html").read_text(encoding="utf-8")
    missing = {word for word in Words(page).words if word.upper() not in re.sub(r"\s", "", words).upper()}
    assert missing == set()
    assert "subject code" not in words  # what sorts and filters is no part of it
    assert "turned off" not in words


def test_codes_in_other_letters_stay_readable(sheets: list[str]) -> None:
    assert any(ODD in words for words in sheets)
    assert any("[U+13000]" in words for words in sheets)  # no font has it: never an empty box
    assert not any(NO_FONT in words for words in sheets)


def test_every_font_is_embedded(document: pypdf.PdfReader) -> None:
    seen = set()
    for sheet in document.pages:
        for font in sheet["/Resources"]["/Font"].values():  # type: ignore[index]
            found = font.get_object()["/DescendantFonts"][0].get_object()
            assert "/FontFile2" in found["/FontDescriptor"].get_object(), found["/BaseFont"]
            seen.add(found["/BaseFont"].split("+")[-1])
    assert {"DejaVu-Sans", "DejaVu-Sans-Bold", "DejaVu-Sans-Mono"} <= seen


def test_every_picture_is_there_as_it_was(folder: Path, document: pypdf.PdfReader) -> None:
    shown = (folder / "report.html").read_text(encoding="utf-8").count("<img ")
    placed = sum(
        operator == b"Do" and _subtype(sheet, operands) == "/Image"
        for sheet in document.pages
        for operands, operator in ContentStream(sheet["/Contents"], document).operations
    )
    assert placed == shown > 10
    filters = {str(image["/Filter"]) for sheet in document.pages for image in _images(sheet)}
    assert filters == {"/DCTDecode"}
    page = (folder / "report.html").read_text(encoding="utf-8")
    encoded = {base64.b64decode(found) for found in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)}
    kept = {image._data for sheet in document.pages for image in _images(sheet)}
    assert kept == encoded  # the JPEG's own bytes, not encoded again


def _subtype(sheet: Any, operands: list[Any]) -> str:
    return str(sheet["/Resources"]["/XObject"][operands[0]].get_object()["/Subtype"])


def _images(sheet: Any) -> list[Any]:
    known = sheet["/Resources"].get("/XObject", {})
    return [image.get_object() for image in known.values() if image.get_object()["/Subtype"] == "/Image"]


def test_axes_are_drawn_to_the_scale_of_their_bars(folder: Path, document: pypdf.PdfReader) -> None:
    """A drawn long axis, measured on paper against the scale bar beside it, has the length that stands beside it."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    shown = [figure for figure in re.findall(r"<figure>.*?</figure>", page, re.S) if "<img " in figure]
    stated = [float(re.findall(r"Long axis</th><td>([\d.]+)", figure)[0]) for figure in shown]
    bars = [int(re.findall(r">(\d+) mm</text>", figure)[0]) for figure in shown]
    yellow, white = [0.941176, 0.894118, 0.258824], [1, 1, 1]
    axes: list[float] = []
    lengths: list[float] = []
    for sheet in document.pages:
        for colour, length in _strokes(sheet, document):
            if colour == pytest.approx(yellow, abs=1e-4):
                axes.append(length)
            elif colour == pytest.approx(white):
                lengths.append(length)
    in_legends = 20 * 0.75  # each lesion's legend has a long axis of its own, 20 CSS pixels wide
    axes = [length for length in axes if not math.isclose(length, in_legends, abs_tol=0.01)]
    measured = [mm * axis / bar for axis, bar, mm in zip(axes, lengths, bars, strict=True)]
    assert len(measured) > 20
    assert measured == pytest.approx(stated, rel=2e-3, abs=0.05)


Matrix = tuple[float, ...]
_UNIT: Matrix = (1, 0, 0, 1, 0, 0)


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    """The transformation by ``inner``, then by ``outer`` (PDF 32000-1, 8.3.4)."""
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def _placed(point: list[float], matrix: Matrix) -> tuple[float, float]:
    *_, across, up = _times((1, 0, 0, 1, *point), matrix)
    return across, up


def _strokes(sheet: Any, document: pypdf.PdfReader) -> list[tuple[list[float], float]]:
    """Colour and length in points of the first line of every stroked path."""
    found: list[tuple[list[float], float]] = []
    _read_strokes(sheet["/Contents"], sheet["/Resources"], _UNIT, document, found)
    return found


def _read_strokes(
    stream: Any, resources: Any, matrix: Matrix, document: pypdf.PdfReader, found: list[tuple[list[float], float]]
) -> None:
    colour, stack = [0.0, 0.0, 0.0], list[tuple[list[float], Matrix]]()
    start, length = (0.0, 0.0), math.nan
    for operands, operator in ContentStream(stream, document).operations:
        numbers = [float(o) for o in operands] if operator in (b"RG", b"m", b"l", b"cm") else []
        if operator == b"q":
            stack.append((colour, matrix))
        elif operator == b"Q":
            colour, matrix = stack.pop()
        elif operator == b"cm":
            matrix = _times(tuple(numbers), matrix)
        elif operator == b"RG":
            colour = numbers
        elif operator in (b"SCN", b"SC") and len(operands) == 3:
            colour = [float(o) for o in operands]
        elif operator == b"m":
            start = _placed(numbers, matrix)
        elif operator == b"l" and math.isnan(length):
            length = math.dist(start, _placed(numbers, matrix))
        elif operator == b"Do":
            form = resources["/XObject"][operands[0]].get_object()
            if form["/Subtype"] == "/Form":
                own = tuple(float(number) for number in form.get("/Matrix", _UNIT))
                _read_strokes(form, form["/Resources"], _times(own, matrix), document, found)
        elif operator in (b"S", b"B", b"n", b"f", b"f*", b"B*", b"s"):
            if operator == b"S" and not math.isnan(length):
                found.append((colour, length))
            length = math.nan


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
        above = "".join("<p>above</p>" for _ in range(28 if parted else 44))
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
    def test_without_weasyprint_it_says_what_to_install(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
            "<img src='http://a/b.jpg'>",
            "<img src='https://127.0.0.1:1/b.jpg'>",
            "<img src='file:///etc/hostname'>",
            "<img src='b.jpg'>",
            "<img src='data:image/jpeg;base64,%'>",
            "<p style='background: url(http://a/b.jpg)'>",
            "<style>@import 'http://a/b.css';</style>",
            "<svg viewBox='0 0 9 9'><image href='http://a/b.jpg' width='9' height='9'/></svg>",
            "<object data='http://a/b.svg'></object>",
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
