"""The learning curve of `ablation_automatic.py` beside the published one, as a plot."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lesion_measure.files.writing import write_bytes
from lesion_measure.lab.evaluation.drawn import INK
from lesion_measure.lab.evaluation.figures import AUTOMATIC, ELLIPSE
from lesion_measure.stats.estimates import Estimate

PUBLISHED = {25: 0.29, 50: 0.36, 100: 0.51, 200: 0.55, 625: 0.65}
"""nnU-Net 2D, mean Dice by number of training pictures: trained on a GPU, measured on 110 other pictures, of a test."""
TICKS = (25, 50, 100, 200, 400, 625)


def plot(points: Mapping[int, Estimate], samples: int, path: Path) -> None:
    """Draw the mean Dice with its interval over the number of liver pictures.

    Parameters
    ----------
    points
        Mean Dice by number of liver pictures.
    samples
        What each network was trained on.
    path
        PNG to write.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.6, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    published = "nnU-Net, published: on a GPU,\n110 other pictures, of a test"
    axes.plot(list(PUBLISHED), list(PUBLISHED.values()), color=ELLIPSE, marker="s", linestyle="--", label=published)
    counts = sorted(points)
    ends = [(point.low, point.value, point.high) for point in map(points.__getitem__, counts)]
    lows, values, highs = np.array([[math.nan if end is None else end for end in each] for each in ends]).T
    measured = f"{points[counts[-1]].count} pictures with a lesion, held back for validation"
    own = f"ours: {samples:,} samples each on a CPU,\n{measured}"
    axes.errorbar(counts, values, (values - lows, highs - values), color=AUTOMATIC, marker="o", capsize=3, label=own)
    axes.set_xscale("log")
    axes.set_xticks(TICKS, [str(tick) for tick in TICKS])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0, 0.8)
    axes.set_xlabel("Liver pictures in training (logarithmic)", color=INK)
    axes.set_ylabel("Mean Dice, missed = 0 (95 % interval)", color=INK)
    axes.grid(color="#e6e8eb", linewidth=0.8)
    axes.legend(loc="upper left", frameon=False, fontsize="small")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    write_bytes(path, stream.getbuffer(), "plot")
