"""The reader of text: rapidocr finds lines on a frame, and its network for single lines reads one anew.

Both come with the extra ``read``, are imported when first used, and run on one thread. The models lie in rapidocr's
wheel and are named by path, so that rapidocr never looks for them on the network. There is one reader a process: it
takes half a gigabyte of memory and a second to load.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.errors import ConfigError, check_extra

PACKAGES = ("rapidocr", "onnxruntime")
LEAST_SIDE_PX, MOST_PIXELS, MOST_SHAPE = 16, 16_000_000, 8.0
"""Frames with a smaller side, more pixels or a longer shape are not read: rapidocr enlarges the short side to 736."""
MOST_LINE_PX = 4000
"""Columns of a line, once it is as high as the network wants it, beyond which it is not read."""
_HEIGHT = 48
"""Rows of the network's input (PP-OCR's recognition)."""

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TextBox:
    """Where a line of text stands: first and last rows and columns."""

    row_min: int
    row_max: int
    col_min: int
    col_max: int

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """First and last row, first and last column."""
        return self.row_min, self.row_max, self.col_min, self.col_max

    @property
    def height(self) -> int:
        """Rows."""
        return self.row_max - self.row_min + 1

    def part(self, frame: Gray, rows: int = 0, left: int = 0, right: int = 0) -> Gray:
        """That part of a frame (rows, columns, ...), with so many rows above and below, and columns beside it."""
        return frame[
            max(0, self.row_min - rows) : self.row_max + 1 + rows,
            max(0, self.col_min - left) : self.col_max + 1 + right,
        ]

    def beside(self, other: TextBox) -> bool:
        """Whether it stands in the same line: more than half of the lower one's rows are the other's, too."""
        shared = min(self.row_max, other.row_max) - max(self.row_min, other.row_min) + 1
        return 2 * shared > min(self.height, other.height)

    def left_of(self, other: TextBox, heights: float) -> bool:
        """Whether it ends left of another in the same line, so many of its heights away at most."""
        return self.beside(other) and 0 <= other.col_min - self.col_max <= heights * other.height

    def near(self, other: TextBox, heights: float) -> bool:
        """Whether they meet, or one is left of the other."""
        return self.meets(other) or self.left_of(other, heights) or other.left_of(self, heights)

    def meets(self, other: TextBox) -> bool:
        """Whether both stand in the same line and share columns: neighbouring lines may touch."""
        return self.beside(other) and self.col_min <= other.col_max and other.col_min <= self.col_max


@dataclass(frozen=True, slots=True)
class FoundLine:
    """Text as rapidocr reads it on the whole frame, its score (0 to 1), and where it stands."""

    text: str
    score: float
    box: TextBox


@dataclass(frozen=True, slots=True)
class ReadLine:
    """What stands in the picture of one line.

    ``signs`` are its characters without blanks. ``blanks[i]`` is the highest probability (0 to 1) of a blank between
    sign ``i`` and the next one. ``places`` are the signs' middles, in columns of the picture.
    """

    signs: str
    blanks: tuple[float, ...]
    places: tuple[float, ...]

    def before(self, other: ReadLine) -> ReadLine:
        """Both as one line; the places are no longer those of one picture."""
        blanks = (*self.blanks, 1.0, *other.blanks) if self.signs and other.signs else self.blanks + other.blanks
        return ReadLine(self.signs + other.signs, blanks, self.places + other.places)


class Reader:
    """Finds and reads lines of text. `reader` gives the one of this process.

    Raises
    ------
    ConfigError
        rapidocr's models are not where its wheel has them.
    """

    def __init__(self) -> None:
        from onnxruntime import InferenceSession, SessionOptions
        from rapidocr import RapidOCR

        models = {part: _model(part) for part in ("det", "cls", "rec")}
        settings: dict[str, Any] = {
            "Global.log_level": "critical",
            "Global.text_score": 0.0,  # what is doubtful is said, not dropped
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # more of them wait for one another
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
        settings |= {f"{part.capitalize()}.model_path": str(path) for part, path in models.items()}
        self._finder: Any = RapidOCR(params=settings)
        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # lines of all lengths would keep gigabytes
        options.log_severity_level = 4
        self._network: Any = InferenceSession(str(models["rec"]), options, providers=["CPUExecutionProvider"])
        listed = str(self._network.get_modelmeta().custom_metadata_map["character"])
        self._signs = ["", *listed.splitlines(), " "]
        self._one_at_a_time = Lock()

    def lines(self, rgb: Gray) -> tuple[FoundLine, ...]:
        """Every line of text on a frame (rows, columns, 3), RGB, read; none where its size is out of bounds."""
        found = self._found(rgb, read=True)
        texts = zip(found.boxes, found.txts, found.scores, strict=True) if found is not None else ()
        return tuple(FoundLine(str(text), float(score), _box(corners, rgb)) for corners, text, score in texts)

    def boxes(self, rgb: Gray) -> tuple[TextBox, ...]:
        """Where lines of text stand on a frame (rows, columns, 3), RGB; none where its size is out of bounds."""
        found = self._found(rgb, read=False)
        return tuple(_box(corners, rgb) for corners in found.boxes) if found is not None else ()

    def _found(self, rgb: Gray, read: bool) -> Any:
        """What rapidocr finds; None where that is nothing."""
        rows, columns = rgb.shape[:2]
        if min(rows, columns) < LEAST_SIDE_PX or rows * columns > MOST_PIXELS:
            return None
        if max(rows, columns) > MOST_SHAPE * min(rows, columns):
            return None
        with self._one_at_a_time:  # it keeps what it is told from call to call
            found = self._finder(np.ascontiguousarray(rgb[..., ::-1]), use_det=True, use_cls=read, use_rec=read)
        return found if getattr(found, "boxes", None) is not None else None

    def read(self, rgb: Gray) -> ReadLine:
        """One line of text in a picture (rows, columns, 3), RGB, that holds nothing else."""
        rows, columns = rgb.shape[:2]
        width = max(1, round(columns * _HEIGHT / max(rows, 1)))
        if min(rows, columns) < 1 or width > MOST_LINE_PX:
            return ReadLine("", (), ())
        resized = Image.fromarray(rgb).resize((width, _HEIGHT), Image.Resampling.BILINEAR)
        levels = np.asarray(resized, np.float32)[..., ::-1].transpose(2, 0, 1) / 127.5 - 1
        padded = np.zeros((1, 3, _HEIGHT, max(width, 320)), np.float32)
        padded[0, :, :, :width] = levels
        name = self._network.get_inputs()[0].name
        with self._one_at_a_time:
            likely = np.asarray(self._network.run(None, {name: padded})[0][0], np.float32)
        return self._decoded(likely, padded.shape[3] / len(likely) * columns / width)

    def _decoded(self, likely: Floats, step_px: float) -> ReadLine:
        """The likeliest sign of each step, those repeated once (CTC), with what speaks for blanks between them."""
        best = likely.argmax(axis=1)
        new = np.concatenate([[True], best[1:] != best[:-1]])
        blank = len(self._signs) - 1
        steps = [int(i) for i in np.nonzero(new & (best > 0) & (best < blank))[0]]
        return ReadLine(
            signs="".join(self._signs[best[i]] for i in steps),
            blanks=tuple(float(likely[i:j, blank].max()) for i, j in pairwise(steps)),
            places=tuple((i + 0.5) * step_px for i in steps),
        )


def reader() -> Reader:
    """The reader of this process, loaded when it is first asked for.

    Raises
    ------
    ConfigError
        The extra ``read`` is not installed, or its models are not where its wheel has them.
    """
    check_reader()
    return _loaded()


def check_reader() -> None:
    """Refuse where the extra ``read`` is missing; nothing of it is loaded.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    check_extra("read", PACKAGES, "The reader of text")


@cache
def _loaded() -> Reader:
    return Reader()


def available() -> bool:
    """Whether the extra ``read`` is installed; nothing of it is loaded."""
    return all(find_spec(name) is not None for name in PACKAGES)


def _box(corners: NDArray[np.float32], frame: Gray) -> TextBox:
    """Around four corners (4, 2) as (column, row), within the frame."""
    rows, columns = frame.shape[:2]
    return TextBox(
        row_min=max(0, int(np.floor(corners[:, 1].min()))),
        row_max=min(rows - 1, int(np.ceil(corners[:, 1].max()))),
        col_min=max(0, int(np.floor(corners[:, 0].min()))),
        col_max=min(columns - 1, int(np.ceil(corners[:, 0].max()))),
    )


def _model(part: str) -> Path:
    """The network of one part (``det``, ``cls``, ``rec``) in rapidocr's wheel."""
    found = find_spec("rapidocr")
    folder = Path(str(found.origin)).parent / "models" if found else Path()
    models = sorted(folder.glob(f"*_{part}_*.onnx"))
    if len(models) != 1:
        raise ConfigError(
            f"rapidocr's model '{part}' is not in its package.",
            remedy="pip install --force-reinstall 'lesion-measure[read]'",
            code="read_not_installed",
        )
    return models[0]
