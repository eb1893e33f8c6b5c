"""The pages of a results folder as one HTML document for paper, which WeasyPrint sets. Nothing is fetched."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from matplotlib import font_manager, get_data_path
from matplotlib.ft2font import FT2Font
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from lesion_measure.errors import InputError
from lesion_measure.files.reading import read_regular
from lesion_measure.report.environment import css_string

MAX_BYTES = 500_000_000
MAX_DEPTH = 100
FRAME_MM = {1: 52.0, 2: 52.0, 3: 54.0}
"""Width of an image by the number of columns; beside it, or with 3 and more below it, stands what was measured."""
TALLEST_MM = 95.0
KEPT_WHOLE = 10
"""Rows of the longest table that is not parted between sheets."""
MM = 72 / 25.4
"""Points of a millimetre."""
_SVG = "{http://www.w3.org/2000/svg}"
_RATIO = re.compile(r"aspect-ratio: (\d+) / (\d+)")
_POINTS = re.compile(r"([\d.]+)pt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What the title and every sheet say: the report's title, the run's facts, and one line of provenance."""

    title: str
    facts: Mapping[str, str]
    provenance: str
    started: datetime
    producer: str


@dataclass(frozen=True, slots=True)
class Page:
    """One of our pages: its title, its styles, and the sections of its main part.

    ``is_index``: it is the index of a large run, whose children have pages of their own.
    """

    title: str
    styles: tuple[str, ...]
    sections: tuple[Element, ...]
    is_index: bool = False


def read_page(path: Path) -> Page:
    """Read a page of ours, without its navigation.

    Raises
    ------
    InputError
        The file cannot be read, is too large, or its elements are nested too deeply.
    """
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8")
    except (OSError, ValueError) as error:
        raise InputError("The page cannot be read.", code="results", path=path.name) from error
    root = _parsed(text, path.name)
    main = root.find(".//main")
    sections = () if main is None else tuple(main.iterfind("section"))
    styles = tuple("".join(style.itertext()) for style in root.iterfind("head/style"))
    return Page(
        root.findtext("head/title") or "Report", styles, sections, root.find(".//script[@id='rows']") is not None
    )


def with_children(page: Page, sections: Iterable[str]) -> Page:
    """The index of a large run with these sections of children behind their table, which is shown as without scripts.

    Raises
    ------
    InputError
        The page is none of ours.
    """
    place = next((n for n, section in enumerate(page.sections, 1) if section.get("id") == "subjects"), None)
    if place is None:
        raise InputError("The page lacks its table of subjects.", code="results", path="report.html")
    for parent in page.sections[place - 1].iter():
        for child in list(parent):
            if child.get("hidden") is not None:
                parent.remove(child)
            elif child.tag == "noscript":
                child.tag = "div"
    parsed = (_parsed(text, "children") for text in sections)
    children = [section for root in parsed for section in root.iterfind("body/section")]
    return replace(page, sections=(*page.sections[:place], *children, *page.sections[place:]))


def _parsed(text: str, name: str) -> Element:
    root: Element = HTML(string=text, url_fetcher=_Fetcher()).etree_element
    _check_depth(root, name)
    return root


def _check_depth(root: Element, name: str) -> None:
    level, depth = list(root), 1
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise InputError("The page is nested too deeply.", code="results", path=name)
        level = [child for element in level for child in element]


def typeset(front: Front, pages: Sequence[Page], paper: str) -> bytes:
    """The document as bytes: the title, then each page on a new sheet; the same input gives the same bytes.

    Raises
    ------
    InputError
        A page asks for a file or an address, or one of its images or drawings cannot be drawn.
    """
    html = HTML(string="<!doctype html><html lang=en><head></head><body></body></html>", url_fetcher=_Fetcher())
    head, body = html.etree_element
    _fill_head(head, front, pages, paper)
    _fill_body(body, front, pages)
    for element in body.iter():
        if element.tag in ("h1", "h2", "h3"):
            element.set("data-mark", " ".join("".join(element.itertext()).split()))
        element.text, element.tail = _legible(element.text), _legible(element.tail)
    with _errors_raised():
        data: bytes = html.write_pdf(pdf_identifier=front.provenance.encode())
    return data


def _fill_head(head: Element, front: Front, pages: Sequence[Page], paper: str) -> None:
    SubElement(head, "title").text = front.title
    told = {"author": "lesion_measure", "generator": front.producer, "dcterms.created": front.started.isoformat()}
    for name, content in told.items():
        SubElement(head, "meta", {"name": name, "content": content})
    words = {"PAPER": paper, "TITLE": _quoted(front.title), "PROVENANCE": _quoted(front.provenance)}
    own = _shipped("pdf.css").replace("FONTS", _FONTS.as_uri())
    own = re.sub(r"\b(PAPER|TITLE|PROVENANCE)\b", lambda found: words[found[0]], own)
    for text in dict.fromkeys([*(style for page in pages for style in page.styles), own]):
        SubElement(head, "style").text = text


def _fill_body(body: Element, front: Front, pages: Sequence[Page]) -> None:
    SubElement(body, "h1", {"class": "front"}).text = front.title
    facts = SubElement(body, "dl", {"class": "facts"})
    for name, value in front.facts.items():
        SubElement(facts, "dt").text, SubElement(facts, "dd").text = name, value
    for page in pages:
        part = SubElement(body, "div", {"class": "part"})
        part.extend(page.sections)
        for table in part.iter("table"):
            if len(table.findall("tbody/tr")) <= KEPT_WHOLE:
                table.set("class", f"{table.get('class', '')} short")
        for pictures in part.iterfind(".//div[@class='pictures']"):
            columns = int(pictures.get("data-columns", "2"))
            for frame in pictures.iterfind("figure/div[@class='frame']"):
                _size_frame(frame, FRAME_MM[min(columns, 3)])
        for drawing in part.iter(f"{_SVG}svg"):
            _style_drawing(drawing)


def _size_frame(frame: Element, width: float) -> None:
    """Give an image and what is drawn on it one size, by its own ratio: pixels need not be square."""
    found = _RATIO.search(frame.get("style", ""))
    if found is None:
        raise InputError("An image of the page has no size.", code="results")
    ratio = int(found[2]) / max(int(found[1]), 1)
    width = min(width, TALLEST_MM / max(ratio, 0.01))
    size = f"width: {width:.3f}mm; height: {width * ratio:.3f}mm"
    for element in (frame, *frame):
        element.set("style", size)
    for drawing in frame.iterfind(f"{_SVG}svg"):
        drawing.set("data-unit", str(int(found[1]) / (width * MM)))


def _style_drawing(drawing: Element) -> None:
    """Put the styles into a drawing, which sees no others; widths of lines are those on paper."""
    unit = float(drawing.attrib.pop("data-unit", "1"))
    style = Element(f"{_SVG}style")
    style.text = _POINTS.sub(lambda found: f"{float(found[1]) * unit:.4g}", _shipped("pdf_drawing.css"))
    drawing.insert(0, style)


@cache
def _shipped(name: str) -> str:
    return files("lesion_measure.report").joinpath("templates", name).read_text(encoding="utf-8")


def _quoted(text: str) -> str:
    return css_string(_legible(text) or "")


_FONTS = Path(get_data_path()) / "fonts" / "ttf"


def _legible(text: str | None) -> str | None:
    """The text, in which a letter that no font has is its number in Unicode, as [U+13000]: never an empty box."""
    if text is None or text.isascii():
        return text
    return "".join(letter if letter.isspace() or _has_font(letter) else f"[U+{ord(letter):04X}]" for letter in text)


@cache
def _has_font(letter: str) -> bool:
    own = _FONTS / "DejaVuSans.ttf"
    return ord(letter) in _letters(own) or any(ord(letter) in _letters(path) for path in _system_fonts())


@cache
def _system_fonts() -> tuple[Path, ...]:
    return tuple(Path(path) for path in sorted(font_manager.findSystemFonts()))


@cache
def _letters(font: Path) -> frozenset[int]:
    try:
        return frozenset(FT2Font(str(font)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()  # not a font that can be used


class _Fetcher(URLFetcher):  # type: ignore[misc]
    """Opens what is in the page itself and our own fonts; anything else ends the work."""

    def fetch(self, url: str, headers: Any = None) -> Any:
        if not url.startswith(("data:", f"{_FONTS.as_uri()}/")):
            raise FatalURLFetchingError(url[:100])
        return super().fetch(url, headers)


@contextmanager
def _errors_raised() -> Iterator[None]:
    """What WeasyPrint would leave out of the document, and only log, is an error."""
    found: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("weasyprint")
    logger.addHandler(handler)
    try:
        yield
    except FatalURLFetchingError as error:
        raise InputError("The page asks for something outside itself.", code="results", path=str(error)) from error
    finally:
        logger.removeHandler(handler)
    if found:
        raise InputError(f"The page cannot be drawn: {found[0][:200]}", code="results")
