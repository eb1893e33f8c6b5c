"""The page of one child: ``children/NAME.html``, and its pictures as files in ``children/NAME``.

It is made from the child's result alone, right after the child is measured, in whatever process that was. Everything
that comes from files goes through jinja2's autoescape; the page forbids itself scripts and everything that is not a
picture beside it (its Content-Security-Policy). Pictures are written as they are made: one is in memory at a time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from lesion_measure import __version__
from lesion_measure.config import Config
from lesion_measure.files.writing import (
    failing,
    make_folder,
    remove,
    remove_if_empty,
    replacing,
    replacing_folder,
    streaming,
)
from lesion_measure.records import Instance, Refusal, SubjectResult
from lesion_measure.report.burnt_in import BurntInCell, burnt_in_cells
from lesion_measure.report.cells import Pictures
from lesion_measure.report.checks import Check, checks
from lesion_measure.report.environment import environment, of_config
from lesion_measure.report.lesion_views import LesionView, lesion_views
from lesion_measure.report.rows import ChildRow, child_row
from lesion_measure.report.sights import Sights, sights
from lesion_measure.report.views import SubjectView, subject_view

FOLDER = "children"
_OURS = re.compile(r"\.?(?P<name>[A-Za-z0-9][A-Za-z0-9.-]*?)(?P<page>\.html)?(\.partial|\.old)?")
_PICTURE = re.compile(r"[0-9]+\.jpg")
BEGIN, END = "<!--child-->", "<!--/child-->"
"""What stands around the child's own section on its page; what comes from files cannot hold it."""


def write_child(
    subject: SubjectResult,
    refused: tuple[Refusal, ...],
    images: Mapping[str, Instance],
    pictures: Pictures,
    out: Path,
    config: Config,
) -> ChildRow:
    """Write the page of one child and its pictures, in the place of earlier ones; gives its row for `write_index`.

    Parameters
    ----------
    subject
        The child's result.
    refused
        What was refused of this child, beside what needs review (`overview.refused_of`).
    images
        The child's images by SOP instance UID.
    pictures
        ``pictures(sop_instance_uid, frame)`` gives the display RGB of a frame, uint8 (rows, columns, 3), frame 1-based;
        where it raises `PixelError` the page says so in place of the picture.
    out
        The results folder.
    config
        The run's configuration.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    row, view = child_row(subject, config), subject_view(subject, refused, config)
    folder = out / FOLDER
    make_folder(folder)
    template = environment().get_template("child.html.j2")
    with replacing(folder / f"{row.page}.html", "page") as stream, replacing_folder(folder / row.page) as stage:
        makers = _makers(view, images, pictures, config)
        made = {"package_version": __version__, "config_sha256": config.sha256()}
        for piece in template.generate(of_config(config), view=view, made=made, src=_Shots(stage, row.page), **makers):
            stream.write(piece)
    remove_if_empty(folder / row.page)
    return row


class _Shots:
    """Writes pictures into a folder, one after the other, and says where the page finds each."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._number = folder, name, 0

    def __call__(self, jpeg: bytes) -> str:
        """The address of a picture, which is written now."""
        self._number += 1
        file = f"{self._number}.jpg"
        with streaming(self._folder / file, "picture") as stream:
            stream.write(jpeg)
        return f"{self._name}/{file}"


def _makers(view: SubjectView, images: Mapping[str, Instance], pictures: Pictures, config: Config) -> dict[str, object]:
    """What makes pictures when the template reaches them, by its name there."""

    def lesions(_: SubjectView) -> Iterator[LesionView]:
        return lesion_views(view, images, pictures, config)

    def questions(_: SubjectView) -> Iterator[Check]:
        return checks(view, images, pictures, config)

    def seen(_: SubjectView) -> Sights:
        return sights(view, images, pictures, config)

    def burnt_in(_: SubjectView) -> Iterator[BurntInCell]:
        return burnt_in_cells(view, images, pictures)

    return {"lesions": lesions, "questions": questions, "sights": seen, "burnt_in": burnt_in}


def clear_children(out: Path, kept: Collection[str] = ()) -> None:
    """Take our pages of children and their pictures out of a results folder, but those of ``kept`` (`ChildRow.page`).

    What is none of ours stays, and with it the folder that it is in.

    Raises
    ------
    OutputError
        A file cannot be removed.
    """
    folder = out / FOLDER
    if not folder.is_dir() or folder.is_symlink():
        return
    with failing(folder, "pages of children"):
        for path in list(folder.iterdir()):
            found = _OURS.fullmatch(path.name)
            if found is None or found["name"] in kept:
                continue
            if path.is_dir() and not path.is_symlink():
                _clear_pictures(path)
            elif found["page"]:
                remove(path)
        remove_if_empty(folder)


def _clear_pictures(folder: Path) -> None:
    for file in list(folder.iterdir()):
        if _PICTURE.fullmatch(file.name) and not file.is_dir():
            remove(file)
    remove_if_empty(folder)
