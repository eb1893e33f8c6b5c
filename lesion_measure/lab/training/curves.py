"""The curves of a training: for each stage a CSV, a picture of it, and TensorBoard events where its writer is there."""

from __future__ import annotations

import csv
import importlib.util
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lesion_measure.files.writing import failing, make_folder, remove, replacing, write_bytes
from lesion_measure.lab.evaluation.drawn import INK
from lesion_measure.lab.evaluation.figures import AUTOMATIC, PROMPTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, str]

COLUMNS = ("epoch", "loss", "automatic_dice", "prompted_dice", "learning_rate", "seconds")
PICTURE_EVERY_S = 20.0
"""Least time between two pictures of one stage; drawing one takes a part of a second."""
EVENTS, EVENTS_WORD = "events.out.tfevents.*", "TensorBoard events"
MISSING = (
    "The curves are written as CSV and PNG; for TensorBoard events too: pip install 'lesion-measure[train]' "
    "(it adds tensorboardX)."
)
_TAGS = {
    "loss": "loss",
    "automatic_dice": "dice/automatic",
    "prompted_dice": "dice/prompted",
    "learning_rate": "learning_rate",
}


def has_tensorboard() -> bool:
    """Whether TensorBoard events can be written."""
    return importlib.util.find_spec("tensorboardX") is not None


def picture_of(checkpoint: Path) -> Path:
    """Where the picture of a stage's curves lies."""
    return checkpoint.with_suffix(".png")


class Curves:
    """The curves of one stage, beside its checkpoint: ``NAME.csv``, ``NAME.png`` and the events in ``NAME/``.

    All of them are made from the rows that the checkpoint holds, so a resumed training has no gaps or doubled epochs.
    """

    def __init__(self, checkpoint: Path, title: str, rows: Sequence[Row]) -> None:
        self._csv, self._png = checkpoint.with_suffix(".csv"), picture_of(checkpoint)
        self._folder, self._title = checkpoint.with_suffix(""), title
        self._drawn = -PICTURE_EVERY_S
        self._writer: Any = None
        self._written = 0
        self._restart(rows)

    def show(self, rows: Sequence[Row], *, last: bool = False) -> None:
        """Write what is new: the table always, the picture now and then and at the end.

        Raises
        ------
        OutputError
            A file cannot be written.
        """
        self._write_csv(rows)
        if last or time.monotonic() - self._drawn >= PICTURE_EVERY_S:
            self._write_picture(rows)
        self._write_events(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            with failing(self._folder, EVENTS_WORD):
                self._writer.close()
            self._writer = None

    def _restart(self, rows: Sequence[Row]) -> None:
        """Replace the event files of an earlier process by one with the rows so far."""
        if not has_tensorboard():
            return
        from tensorboardX.event_file_writer import EventsWriter

        make_folder(self._folder)
        for old in self._folder.glob(EVENTS):
            remove(old)
        # Not `SummaryWriter`: a thread of its own writes there, which a full disk ends, and then the training hangs.
        with failing(self._folder, EVENTS_WORD):
            self._writer = EventsWriter(str(self._folder / "events"))
        self._write_events(rows)

    def _write_csv(self, rows: Sequence[Row]) -> None:
        with replacing(self._csv, "table of the curves") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    def _write_picture(self, rows: Sequence[Row]) -> None:
        write_bytes(self._png, draw(rows, self._title), "picture of the curves")
        self._drawn = time.monotonic()

    def _write_events(self, rows: Sequence[Row]) -> None:
        if self._writer is None:
            return
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar

        with failing(self._folder, EVENTS_WORD):
            for row in rows[self._written :]:
                for column, tag in _TAGS.items():
                    if row[column]:
                        summary = scalar(tag, float(row[column]))
                        self._writer.write_event(Event(wall_time=time.time(), step=int(row["epoch"]), summary=summary))
            self._writer.flush()
        self._written = len(rows)


def logged_seconds(checkpoint: Path) -> list[float]:
    """The seconds of the epochs that a stage's table lists; none where there is no table that can be read."""
    try:
        with checkpoint.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
            return [float(row["seconds"]) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # only the time left is estimated from it


def draw(rows: Sequence[Row], title: str) -> memoryview:
    """A PNG with the loss, the Dice and the learning rate over the epochs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    loss, dice, rate = figure.subplots(1, 3)
    _line(loss, rows, "loss", INK, "o", "")
    _line(dice, rows, "automatic_dice", AUTOMATIC, "o", "automatic")
    _line(dice, rows, "prompted_dice", PROMPTED, "s", "prompted by the long axis")
    _line(rate, rows, "learning_rate", INK, "o", "")
    dice.set_ylim(0, 1)
    if dice.lines:
        dice.legend(loc="lower right", frameon=False)
    names = ("Training loss", "Dice of held-back pictures", "Learning rate")
    for axes, name in zip((loss, dice, rate), names, strict=True):
        axes.set_title(name, loc="left", fontsize="medium")
        axes.set_xlabel("Epoch")
        axes.set_xlim(0, max(len(rows), 1) + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color="#e6e8eb", linewidth=0.8)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getbuffer()


def _line(axes: Axes, rows: Sequence[Row], column: str, colour: str, marker: str, label: str) -> None:
    known = [(int(row["epoch"]), float(row[column])) for row in rows if row[column]]
    if known:
        epochs, values = zip(*known, strict=True)
        shown = marker if len(known) <= 60 else ""
        axes.plot(epochs, values, color=colour, marker=shown, markersize=4, linewidth=1.5, label=label)
