"""The index of a large run and the children's pages: small, safe, and of use in a real browser."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect

from lesion_measure.config import Config, Report
from lesion_measure.report import Overview, write_index
from lesion_measure.report.child import FOLDER, clear_children
from lesion_measure.report.row_data import index_document
from lesion_measure.report.rows import child_rows, page_name
from report_cohort import make_cohort
from written_runs import write_pages

CONFIG = Config(report=Report(image_width_px=200))
NASTY = "</script><!--<img src=x onerror=alert(1)>-->&\"'\u2028"
LARGE = 3600


def written(out: Path, *, nasty: bool = False, broken: bool = False) -> Path:
    """The index and pages of the report's test cohort, whose first child may have a code of a hostile file."""
    result, pictures = make_cohort()
    first, *others = result.subjects
    if nasty:
        result = replace(result, subjects=(replace(first, subject=NASTY), *others))
    write_pages(result, out, CONFIG, pictures, single_file=False)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("out"))


@pytest.fixture
def page(chromium: Browser, folder: Path) -> Iterator[Page]:
    yield from opened(chromium, folder / "report.html")


def opened(chromium: Browser, path: Path) -> Iterator[Page]:
    """A page in a browser, on which nothing may go wrong: no error of a script, and nothing that its policy refuses."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    yield page
    page.close()
    assert wrong == []


def large(children: int) -> Overview:
    """A run of many children, made of the rows of a few."""
    result, _ = make_cohort()
    rows = child_rows(result.subjects, CONFIG)
    many = (replace(rows[n % len(rows)], subject=f"SIM-{n:05}", page=f"SIM-{n:05}") for n in range(children))
    return Overview(rows=tuple(many), refusals=())


def codes(page: Page) -> list[str]:
    return page.locator("#body th").evaluate_all("cells => cells.map(cell => cell.firstChild.textContent)")


def test_an_index_of_3600_children_is_below_a_megabyte(tmp_path: Path, chromium: Browser) -> None:
    run = large(LARGE)
    write_index(run, tmp_path, CONFIG, make_cohort()[0].provenance)
    assert (tmp_path / "report.html").stat().st_size < 1_000_000
    for page in opened(chromium, tmp_path / "report.html"):
        expect(page.locator("#shown")).to_have_text("3,600 subjects")
        expect(page.locator("#body tr")).to_have_count(100)
        page.get_by_label("Find").fill("SIM-0359")
        assert codes(page) == [f"SIM-0359{n}" for n in range(10)]
        page.get_by_role("button", name="Clear").click()
        page.get_by_role("button", name="Show 100 more").click()
        expect(page.locator("#body tr")).to_have_count(200)


def test_rows_say_what_the_other_tables_say(page: Page, folder: Path) -> None:
    expect(page.locator("#subject-S01")).to_contain_text("effective")
    row = page.locator("#subject-S01").inner_text()
    for words in ("41.5 ± 3.7", "21.2 ± 1.9", "−48.9 %", "exceeds error", "▼ effective", "certain", "1 lesion"):
        assert words in row
    assert "no interval" in page.locator("#subject-S04").inner_text()
    assert "no verdict" in page.locator("#subject-S05").inner_text()
    shown = page.locator("#body tr").count()
    assert shown == len(make_cohort()[0].subjects)


def test_sorting_by_change_goes_both_ways_and_keeps_who_has_none_last(page: Page) -> None:
    change = page.get_by_role("button", name="Change, %")
    change.click()
    assert codes(page) == ["S04", "S01", "S07", "S03", "S06", "S02", "S05", "S08"]
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    change.click()
    assert codes(page) == ["S02", "S06", "S03", "S07", "S01", "S04", "S05", "S08"]
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")


def test_filters_narrow_the_table_and_say_how_far(page: Page) -> None:
    page.get_by_label("Show").select_option("review")
    assert codes(page) == ["S05", "S07", "S08"]
    expect(page.locator("#shown")).to_have_text("3 of 8 subjects")
    page.get_by_label("Find").fill("s08")
    assert codes(page) == ["S08"]
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Response").select_option("effective")
    assert set(codes(page)) == {"S01", "S07"}


def test_a_reason_for_review_shows_its_children_in_the_table(page: Page) -> None:
    page.locator("#review").get_by_role("button", name="Show in the table").first.click()
    assert len(codes(page)) < 8
    expect(page.locator("#reason")).not_to_have_value("")


def test_a_link_opens_the_child_whose_pictures_load_and_back_leads_to_its_row(page: Page) -> None:
    page.get_by_role("link", name="S03", exact=True).first.click()
    expect(page.get_by_role("heading", level=2)).to_have_text("S03")
    pictures = page.locator("img")
    assert pictures.count() >= 2
    for number in range(pictures.count()):
        expect(pictures.nth(number)).to_have_attribute("loading", "lazy")
        pictures.nth(number).scroll_into_view_if_needed()
        expect(pictures.nth(number)).to_have_js_property("naturalWidth", 200)
    page.get_by_role("link", name="All subjects").click()
    expect(page.locator("#subject-S03")).to_have_class("here")


def test_a_code_from_a_hostile_file_is_a_text_everywhere(tmp_path: Path, chromium: Browser) -> None:
    out = written(tmp_path, nasty=True)
    for page in opened(chromium, out / "report.html"):
        page.get_by_role("link", name=NASTY.replace("\u2028", " ")).first.click()
        expect(page.get_by_role("heading", level=2)).to_contain_text("<img src=x onerror=alert(1)>")
        assert page.locator("img[src='x']").count() == 0
    made = [path.relative_to(out).as_posix() for path in out.rglob("*")]
    assert all(set(name) <= {*string.ascii_letters, *string.digits, *"-./"} for name in made)


def test_a_script_that_is_not_ours_does_not_run(chromium: Browser, folder: Path, tmp_path: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    (tmp_path / "report.html").write_text(text.replace("</main>", "<script>document.title = 'ran'</script></main>"))
    page = chromium.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.locator("#body tr")).to_have_count(8)
    assert page.title() == CONFIG.report.title
    page.close()


def test_without_scripts_there_is_a_list_with_links(chromium: Browser, folder: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "report.html").as_uri())
    expect(page.locator("noscript a")).to_have_count(8)
    expect(page.locator("noscript tr").nth(1)).to_contain_text("−48.9 %")
    expect(page.locator("#tools")).to_be_hidden()
    page.close()
    context.close()


def test_paper_gets_every_row(tmp_path: Path, chromium: Browser) -> None:
    write_index(large(250), tmp_path, CONFIG, make_cohort()[0].provenance)
    for page in opened(chromium, tmp_path / "report.html"):
        expect(page.locator("#body tr")).to_have_count(100)
        page.pdf()
        expect(page.locator("#body tr")).to_have_count(250)


def test_names_of_pages_are_safe_unique_and_depend_on_the_code_alone() -> None:
    odd = [
        "a",
        "A",
        "ä",
        "Ä",
        "../x",
        "..",
        ".",
        "CON",
        "COM1",
        "x" * 300,
        "病",
        "a b",
        "a_b",
        "a/b",
        "-",
        "A.html",
        "NUL",
    ]
    names = [page_name(code) for code in [*odd, "SIM-01", "SIM-1"]]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}(\.[0-9a-f]{12})?", name) for name in names)
    assert not any(re.fullmatch(r"(?i)con|nul|com\d", name) for name in names)
    assert page_name("SIM-01") == "SIM-01"


def test_a_childs_page_says_the_same_wherever_it_is_made(folder: Path, tmp_path: Path) -> None:
    result, pictures = make_cohort()
    last = replace(result, subjects=result.subjects[-1:])
    write_pages(last, tmp_path, CONFIG, pictures, single_file=False)
    name = f"{page_name(last.subjects[0].subject)}.html"
    assert (tmp_path / FOLDER / name).read_bytes() == (folder / FOLDER / name).read_bytes()


def test_pages_of_children_that_are_gone_go_and_foreign_files_stay(tmp_path: Path) -> None:
    out = written(tmp_path)
    (out / FOLDER / "notes.txt").write_text("mine")
    (out / FOLDER / "S02" / "notes.txt").write_text("mine")
    result, pictures = make_cohort()
    write_pages(replace(result, subjects=result.subjects[:1]), out, CONFIG, pictures, single_file=False)
    assert {path.name for path in (out / FOLDER).iterdir()} == {"S01", "S01.html", "S02", "notes.txt"}
    assert [path.name for path in (out / FOLDER / "S02").iterdir()] == ["notes.txt"]
    clear_children(out)
    assert {path.name for path in (out / FOLDER).iterdir()} == {"S02", "notes.txt"}


def test_few_children_are_one_file_and_many_are_not(tmp_path: Path) -> None:
    result, _ = make_cohort()

    def black(uid: str, frame: int) -> NDArray[np.uint8]:
        return np.zeros((480, 640, 3), np.uint8)

    write_pages(result, tmp_path, CONFIG, black)
    assert "data:image/jpeg" in (tmp_path / "report.html").read_text(encoding="utf-8")
    more = [replace(result.subjects[n % 8], subject=f"X{n}") for n in range(13)]
    write_pages(replace(result, subjects=tuple(more)), tmp_path, CONFIG, black)
    assert "data:image/jpeg" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_data_hold_no_number_that_python_did_not_round() -> None:
    document = index_document(large(20), CONFIG)
    rows = json.loads(json.dumps(document))["rows"]
    assert len(rows) == 20
    numbers = [value for row in rows for value in row if isinstance(value, float)]
    assert numbers == []
