"""report.pdf: the pages of a results folder, set one after the other, with where they come from on every sheet."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    PageBreak,
    PageTemplate,
    Paragraph,
    Table,
)

from lesion_measure.report.pdf import fonts
from lesion_measure.report.pdf.blocks import MM, SIZE, Mark, block, flow, style
from lesion_measure.report.pdf.inline import QUIET, plain
from lesion_measure.report.pdf.tables import room_to_begin
from lesion_measure.report.pdf.tree import Node

SIDE, TOP, BOTTOM = 13 * MM, 17 * MM, 19 * MM
NOTICE = "Research use only; not a medical device"


class Paper(StrEnum):
    """Sizes of paper."""

    A4 = "a4"
    LETTER = "letter"


_SHEETS = {Paper.A4: A4, Paper.LETTER: LETTER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What the title and every sheet say: the report's title, the run's facts, and one line of provenance."""

    title: str
    facts: Mapping[str, str]
    provenance: str
    started: datetime
    producer: str


def typeset(front: Front, parts: Sequence[Sequence[Node]], paper: Paper) -> bytes:
    """The document as bytes: the title, then each part's sections; the same input gives the same bytes.

    Parameters
    ----------
    front
        Title and provenance.
    parts
        Sections of the pages, in order; a part begins a new sheet, and so does a section of class ``page``.
    paper
        Size of the sheets.
    """
    fonts.register()
    rl_config.useA85 = 0  # pictures as the bytes they are, not a quarter longer as text
    sheet = _SHEETS[paper]
    width = sheet[0] - 2 * SIDE
    stream = io.BytesIO()
    document = BaseDocTemplate(
        stream, pagesize=sheet, title=front.title, author="lesion_measure", creator=front.producer,
        subject="Lesion size on ultrasound, baseline to 1 month", invariant=1, pageCompression=1,
    )  # fmt: skip
    frame = Frame(SIDE, BOTTOM, width, sheet[1] - TOP - BOTTOM, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate(frames=[frame])])

    def canvas(*known: Any, **more: Any) -> _Canvas:
        return _Canvas(front, *known, **more)

    document.build([*_title(front, width), *_story(parts, width)], canvasmaker=canvas)
    return stream.getvalue()


def _title(front: Front, width: float) -> list[Flowable]:
    facts = Node("dl", {"class": "facts"})
    for name, value in front.facts.items():
        facts.children += [Node("dt", {}, [name]), Node("dd", {}, [value])]
    large = style(21, fontName=f"{fonts.BODY}-Bold", spaceAfter=5)
    return [Mark(front.title, 0), Paragraph(plain(front.title), large), *block(facts, width)]


def _story(parts: Sequence[Sequence[Node]], width: float) -> list[Flowable]:
    story: list[Flowable] = []
    for number, part in enumerate(parts):
        for place, section in enumerate(part):
            first = number == 0 and place == 0
            if not first and (place == 0 or "page" in section.classes):
                story.append(PageBreak())
            story += _begun_here(flow(section.children, width, SIZE), width)
    return story


def _begun_here(parts: Sequence[Flowable], width: float) -> list[Flowable]:
    """The parts, of which a heading stays with the first rows of a long table, and not with the whole of it.

    A heading that is kept with a table takes the table to the next sheet; where the table may be parted, that leaves
    half a sheet empty.
    """
    story: list[Flowable] = []
    heads: list[Flowable] = []
    for part in parts:
        room = room_to_begin(part, width) if heads and isinstance(part, Table) else None
        if room is not None:
            room += sum(head.wrap(width, 1e6)[1] + head.getSpaceBefore() + head.getSpaceAfter() for head in heads)
            story.append(CondPageBreak(room))
            for head in heads:
                head.keepWithNext = 0
        if part.getKeepWithNext():
            heads.append(part)
            continue
        story += [*heads, part]
        heads = []
    return [*story, *heads]


class _Canvas(Canvas):  # type: ignore[misc]
    """A canvas that knows the number of sheets before it writes the first one."""

    def __init__(self, front: Front, *known: Any, **more: Any) -> None:
        super().__init__(*known, **(more | {"initialFontName": fonts.BODY}))
        self.front = front
        self.sheets: list[dict[str, Any]] = []
        self.running_words, self.marks = "", 0
        stamp = self._doc._timeStamp
        started = front.started.astimezone(UTC)
        stamp.t, stamp.lt, stamp.YMDhms = started.timestamp(), started.timetuple(), tuple(started.timetuple())[:6]

    def mark(self, words: str, level: int) -> None:
        """An entry of the outline; the head of the sheet says the words from here on."""
        self.marks += 1
        self.bookmarkPage(f"mark{self.marks}")
        self.addOutlineEntry(words, f"mark{self.marks}", level=level)
        self.running_words = words

    def showPage(self) -> None:  # noqa: N802  reportlab's name
        """Keep the sheet until the number of all is known."""
        self.sheets.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write every sheet with its number."""
        sheets = self.sheets
        for number, sheet in enumerate(sheets, 1):
            self.__dict__.update(sheet)
            self._margins(number, len(sheets))
            super().showPage()
        super().save()

    def _margins(self, number: int, count: int) -> None:
        width, height = self._pagesize
        self.setFillColor(HexColor(QUIET))
        self._line(self.front.title, SIDE, height - 11 * MM, bold=True)
        if self.running_words != self.front.title:
            self._line(self.running_words, width - SIDE, height - 11 * MM, right=True)
        self._line(f"Page {number} of {count}", width - SIDE, 9 * MM, right=True)
        self._line(NOTICE, SIDE, 9 * MM)
        self._line(self.front.provenance, SIDE, 12.6 * MM, size=6.2)

    def _line(
        self, words: str, at: float, up: float, *, right: bool = False, bold: bool = False, size: float = 7.2
    ) -> None:
        face = f"{fonts.BODY}-Bold" if bold else fonts.BODY
        parts = [(other or face, part) for other, part in fonts.runs(words)]
        if right:
            at -= sum(fonts.width(part, name, size) for name, part in parts)
        for name, part in parts:
            self.setFont(name, size)
            self.drawString(at, up, part)
            at += fonts.width(part, name, size)
