"""The page of pictures, before and after: it names patients, and lies beside the key, for its owner alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.deidentify.screen import Screen
from lesion_measure.files.writing import replacing
from lesion_measure.image.text_finder import BurntText
from lesion_measure.report.pictures import data_uri, encode

WIDTH_PX = 560
_HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>De-identification: before and after</title>
<style>
body { font: 15px/1.4 sans-serif; margin: 24px; color: #1a1a1a; max-width: 1180px }
figure { margin: 0 0 28px } figcaption { margin: 0 0 6px } img { width: 49.5%; vertical-align: top }
.held { border-left: 6px solid #c03a00; padding-left: 12px } b { color: #a03000 }
</style>
<h1>Before and after</h1>
<p>This page shows patients' names. Keep it where the key is; never send it along.
Left: the frame as it was. Right: as it is written. What is held back was not written.</p>
"""


class Page:
    """The page while it grows; use it as a context manager. It takes its name when it is complete."""

    def __init__(self, path: Path) -> None:
        self._writing = replacing(path, "page", private=True)

    def __enter__(self) -> Self:
        self._stream = self._writing.__enter__()
        self._stream.write(_HEAD)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._writing.__exit__(kind, error, tb)

    def add(self, source: str, name: str, screen: Screen) -> None:
        """One image: the frame that showed most text. ``name`` is that of the new file, empty where it is held back."""
        after = screen.picture.copy()
        after[~screen.keep] = 0
        said = f"{screen.held.reason} {screen.held.remedy}" if screen.held is not None else ""
        became = f"&rarr; {escape(name)}" if name else "<b>held back</b>"
        parts = [f"{escape(source)} {became}"]
        parts += [str(escape(said))] if said else []
        parts += [f"Found on the scan and blanked: {escape(_listed(screen.texts))}"] if screen.texts else []
        parts += [f"May be text, and stays: {escape(_listed(screen.doubtful))}"] if screen.doubtful else []
        self._stream.write(
            f"<figure{'' if name else ' class=held'}><figcaption>{'<br>'.join(parts)}</figcaption>"
            f'<img alt="before" src="{_uri(screen.picture)}"> <img alt="after" src="{_uri(after)}"></figure>\n'
        )


def _listed(texts: Iterable[BurntText]) -> str:
    return ", ".join(f"'{each.text}' ({each.score:.2f})" for each in texts)


def _uri(pixels: NDArray[np.uint8]) -> str:
    picture = Image.fromarray(pixels)
    picture.thumbnail((WIDTH_PX, 4 * WIDTH_PX))
    return data_uri(encode(picture))
