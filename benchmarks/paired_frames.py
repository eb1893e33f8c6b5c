"""Pairing from rendered pictures to named measurements: the whole program, with true outlines and without names.

``python benchmarks/paired_frames.py [--children N] [--seed S] [--keep DIR]`` simulates children with 3 to 5 lesions as
``lesion-measure simulate`` does: two planes of each lesion at each visit, the probe put down anew for each picture. In
the place of the network stand the true outlines of every lesion that a picture cuts. An outline counts as right where
its name is that of the same lesion at baseline (or, where baseline does not show it, a name that baseline has not).
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from lesion_measure import pipeline
from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.job.request import RunRequest
from lesion_measure.lab.phantom.children import Child, LesionPlan, build_child
from lesion_measure.lab.phantom.studies import StoredImage, write_child
from lesion_measure.lab.phantom.trial import random_plan
from lesion_measure.pipeline import run
from lesion_measure.records import BASELINE, ONE_MONTH, SCREENING, RunResult
from lesion_measure.studies import load_studies

LEAST_MM = 4.0
Outlines = dict[str, NDArray[np.float64]]
"""True outline (n, 2) in pixels of every lesion that a picture cuts, by the lesion's true name."""


def true_outlines(image: StoredImage) -> Outlines:
    """What a network without error would outline on a picture."""
    child, exposure = image.child, image.exposure
    screen = child.view(exposure).screen
    found = {}
    for index, lesion in enumerate(child.lesions):
        shape = child.shape(index, exposure.visit)
        outline = None if shape is None else shape.outline(exposure.scan, 360)
        if outline is not None and np.ptp(outline, axis=0).max() >= LEAST_MM:
            found[lesion.name] = screen.to_pixels(outline)
    return found


@dataclass
class TruthNetwork:
    """Stands where the network stands; knows each picture by its pixels."""

    known: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    name: str = "truth"
    sha256: str = "0" * 64
    backend: str = "truth"
    threshold: float = 0.5

    @property
    def settings(self) -> Any:
        """What is read of a bundle's settings."""
        return SimpleNamespace(
            confidence=SimpleNamespace(prompted=SimpleNamespace(threshold=0.5)), model_dump=lambda mode: {"truth": True}
        )

    def learn(self, folder: Path, images: Mapping[str, Outlines]) -> None:
        """Read every picture below ``folder`` as the program will."""
        for instance in load_studies(folder).instances:
            for region in calibrate(instance, Config().calibration).regions:
                with FrameReader(instance, Config().limits) as reader:
                    gray = reader.luminance(1)
                part = gray[region.row_min : region.row_max + 1, region.col_min : region.col_max + 1]
                corner = np.array([region.row_min, region.col_min])
                self.known[_key(part)] = [outline - corner for outline in images[instance.path].values()]

    def segment(
        self, image: NDArray[np.uint8], prompt: object = None, *, level: float = 0.5, flips: bool = True
    ) -> Any:
        """As `network.Segmenter.segment`."""
        lesions = [_lesion(outline, image.shape) for outline in self.known[_key(image)]]
        return SimpleNamespace(lesions=tuple(lesion for lesion in lesions if lesion.probability.any()))


def _key(part: NDArray[np.uint8]) -> str:
    return hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()


def _lesion(outline: NDArray[np.float64], shape: tuple[int, ...]) -> Any:
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 2, shape)
    inside = polygon2mask(tuple(np.maximum(high - low, 1)), outline - low)
    return SimpleNamespace(
        probability=np.where(inside, 0.98, 0.0).astype(np.float32), origin=tuple(low), confidence=0.95, accepted=True
    )


def multifocal(index: int, seed: int) -> Child:
    """A child of a simulated trial with 3 to 5 lesions, some of which vanish."""
    plan = random_plan(index, seed)
    rng = np.random.default_rng([seed, index, 5])
    change = float(rng.uniform(0.5, 1.1))
    lesions = []
    for _ in range(int(rng.integers(3, 6))):
        factor = 0.0 if rng.random() < 0.12 else change * float(np.exp(rng.normal(0, 0.12)))
        factors = {v: factor if v == ONE_MONTH else 1.0 for v in plan.dates if v != SCREENING}
        lesions.append(LesionPlan(float(np.exp(rng.uniform(np.log(4), np.log(10)))), factors))
    dates = {v: d for v, d in plan.dates.items() if v != SCREENING}
    return build_child(
        replace(plan, lesions=tuple(lesions), dates=dates, name_visits=True, burnt_calipers=False, bar_region=False)
    )


@dataclass
class Score:
    """Outlines by what became of them; ``wrong_flagged`` of those with a wrong name, ``flagged`` of all named."""

    named: int = 0
    right: int = 0
    flagged: int = 0
    wrong_flagged: int = 0
    refused: int = 0


def judge(result: RunResult, truth: Mapping[str, Outlines], limit: float) -> dict[str, Score]:
    """Scores of baseline (one lesion, one name) and of one month (the name of baseline)."""
    scores = {visit: Score() for visit in (BASELINE, ONE_MONTH)}
    for subject in result.subjects:
        planes = {
            visit: [(_true_name(p.outline_px, truth[p.path]), m.lesion, p.naming.confidence)
                    for m in subject.lesions if m.visit == visit for p in m.planes]
            for visit in (BASELINE, ONE_MONTH)
        }  # fmt: skip
        names = _names(planes[BASELINE])
        for visit, seen in planes.items():
            score = scores[visit]
            for true, name, confidence in seen:
                right = names.get(true) == name if true in names else name not in names.values()
                flagged = confidence is not None and confidence < limit
                score.named += 1
                score.right += right
                score.flagged += flagged
                score.wrong_flagged += flagged and not right
            score.refused += sum(r.code == "lesion_not_named" and r.visit == visit for r in subject.review)
    return scores


def _true_name(outline: NDArray[np.float64], known: Outlines) -> str:
    return min(known, key=lambda name: float(np.hypot(*(known[name].mean(axis=0) - outline.mean(axis=0)))))


def _names(seen: Sequence[tuple[str, str, float | None]]) -> dict[str, str]:
    """The name that most outlines of each true lesion have at baseline."""
    counts: dict[str, Counter[str]] = {}
    for true, name, _ in seen:
        counts.setdefault(true, Counter())[name] += 1
    return {true: names.most_common(1)[0][0] for true, names in counts.items()}


def measure(folder: Path, children: Sequence[Child], out: Path) -> tuple[RunResult, dict[str, Outlines]]:
    """Write the children's pictures, and run the whole program on them with their true outlines."""
    truth = {image.path: true_outlines(image) for child in children for image in write_child(folder, "", child)}
    network = TruthNetwork()
    network.learn(folder, truth)
    with patch.object(pipeline, "load_model", lambda bundle, request: network):
        return run(RunRequest(input=folder, out=out, jobs=1, overwrite=True)), truth


def main() -> None:
    """Simulate, run, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--children", type=int, default=20)
    options.add_argument("--seed", type=int, default=2)
    options.add_argument("--keep", type=Path, help="folder for pictures and results")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        children = [multifocal(index, chosen.seed) for index in range(chosen.children)]
        result, truth = measure(folder / "dicom", children, folder / "out")
    for visit, score in judge(result, truth, Config().pairing.min_confidence).items():
        wrong = score.named - score.right
        print(
            f"{visit}: {score.named} outlines named, right {100 * score.right / max(score.named, 1):.1f} %, "
            f"flagged {100 * score.flagged / max(score.named, 1):.1f} %, wrong {wrong} "
            f"of which flagged {score.wrong_flagged}; "
            f"refused as not to be told {score.refused}"
        )
    print("fates:", dict(Counter(s.fate.value for subject in result.subjects for s in subject.statuses)))


if __name__ == "__main__":
    main()
