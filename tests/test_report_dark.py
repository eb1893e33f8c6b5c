"""The report and cohort pages on a dark screen: every text can be read, and paper stays white."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, expect

from contrast import contrast
from lesion_measure.report.pages import page_environment

TEMPLATES = files("lesion_measure.report").joinpath("templates")
COLOUR = re.compile(r"--([\w-]+): (#[0-9a-f]{3}(?:[0-9a-f]{3})?)[;\s]")


def colours(sheet: str) -> dict[str, str]:
    return dict(COLOUR.findall(TEMPLATES.joinpath(sheet).read_text(encoding="utf-8")))


@pytest.mark.parametrize("sheet", ["style.css", "dark.css"])
def test_text_can_be_read_on_every_ground(sheet: str) -> None:
    own = colours(sheet)
    for ground in ("paper", "soft", "good-soft", "bad-soft", "same-soft", "none-soft", "review-soft", "look-soft"):
        assert contrast(own["ink"], own[ground]) >= 7, ground
    for ground in ("paper", "soft", "accent-soft"):
        assert contrast(own["quiet"], own[ground]) >= 4.5, ground
        assert contrast(own["accent"], own[ground]) >= 4.5, ground
    assert contrast(own["out"], own["paper"]) >= 4.5


def test_the_dark_screen_has_every_colour_of_the_white_page() -> None:
    assert colours("dark.css").keys() == colours("style.css").keys()


def test_only_a_screen_is_dark() -> None:
    """Every rule of the dark sheet stands within the one block for screens, so that paper never sees it."""
    sheet = re.sub(r"/\*.*?\*/", "", TEMPLATES.joinpath("dark.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.fullmatch(
        r"\s*@media screen \{\s*@media \(prefers-color-scheme: dark\) \{(\s*[^{}]+\{[^{}]*\})+\s*\}\s*\}\s*", sheet
    )


@pytest.mark.parametrize("package", ["lesion_measure.report", "lesion_measure.cohort"])
def test_both_pages_have_it_last(package: str) -> None:
    assert str(page_environment(package).globals["styles"]).endswith(TEMPLATES.joinpath("dark.css").read_text())


def test_a_browser_shows_it_dark_on_a_dark_screen_and_white_on_paper(chromium: Browser) -> None:
    page = chromium.new_page(color_scheme="dark")
    page.set_content(f"<style>{page_environment('lesion_measure.cohort').globals['styles']}</style><p>text</p>")
    for media, ground, ink in (
        ("screen", "rgb(17, 22, 27)", "rgb(230, 235, 240)"),
        ("print", "rgb(255, 255, 255)", "rgb(27, 31, 36)"),
    ):
        page.emulate_media(media=media, color_scheme="dark")
        expect(page.locator("body")).to_have_css("background-color", ground)
        expect(page.locator("p")).to_have_css("color", ink)
    page.close()
