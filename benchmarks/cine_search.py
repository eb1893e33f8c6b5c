"""Cines searched coarse to fine against the search of all frames: ``python benchmarks/cine_search.py [INPUT...]``.

INPUT are folders or files with cines; ``--simulated 30`` are made beside them. For each cine with a lesion, the frame
and the long axis of both searches are printed. In the end: how often the frame is the same, the largest difference of
sizes in standard deviations of one size, and how many frames the network saw.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.image.automatic import looked_at, outline
from lesion_measure.image.cine import Masks, best_frame, coarse_to_fine
from lesion_measure.image.scan_area import evenly
from lesion_measure.image.stack import tracks
from lesion_measure.lab.phantom.children import LesionPlan, build_child
from lesion_measure.lab.phantom.samples import samples
from lesion_measure.lab.phantom.scene import Echo
from lesion_measure.lab.phantom.studies import write_exposure
from lesion_measure.lab.phantom.visits import BASELINE, ONE_MONTH
from lesion_measure.measure import measure_mask
from lesion_measure.network import Segmenter
from lesion_measure.records import Instance, LesionMask, Spacing
from lesion_measure.studies import load_studies

PROJECT = Path(__file__).resolve().parent.parent
SD = 0.12
"""Of one long axis of an outline, as a share of it (`config.Uncertainty.automatic_cv`)."""


def best(masks: Masks, *, accepted: bool) -> list[tuple[int, LesionMask]]:
    """Frame and outline of each lesion, the largest first; ``accepted`` or all that is drawn."""
    chosen = {f: [m for m in lesions if m.accepted or not accepted] for f, lesions in masks.items()}
    frames = [(best_frame(track), track) for track in tracks(chosen, gaps=True)]
    found = [(frame, track[frame]) for frame, track in frames]
    return sorted(found, key=lambda one: -one[1].confidence)


def length(mask: LesionMask, spacing_mm: Spacing) -> float:
    return measure_mask(mask.probability, spacing_mm=spacing_mm).long_axis_mm


@dataclass(frozen=True, slots=True)
class Pair:
    """Both searches of one cine: frames that the network saw, and whether the coarse one lost an accepted lesion."""

    all_frames: int
    some_frames: int
    lost: bool
    same_frame: bool | None = None
    apart_sd: float = 0.0


def compared(instance: Instance, segmenter: Segmenter, config: Config) -> list[Pair]:
    """Each picture of a cine, searched both ways."""
    scale = calibrate(instance, config.calibration)
    if instance.frames <= config.segment.frames_per_cine or instance.slice_spacing_mm is not None or scale.refusal:
        return []
    first = evenly(instance.frames, config.segment.frames_per_cine)
    pairs = []
    with OpenImage(instance, config.limits) as image:
        for region in looked_at(scale.regions):
            every = outline(image, range(1, instance.frames + 1), segmenter, region, config)
            some = coarse_to_fine(
                instance.frames,
                first,
                lambda frames, every=every: {f: every[f] for f in frames},
                config.segment.min_proposal_confidence,
            )
            accepted = bool(best(every, accepted=True))
            lost = accepted and not best(some, accepted=True)
            pairs.append(pair(instance, region.spacing_mm, every, some, accepted=accepted, lost=lost))
    return pairs


def pair(instance: Instance, spacing_mm: Spacing, every: Masks, some: Masks, *, accepted: bool, lost: bool) -> Pair:
    """What both searches make of the surest lesion."""
    whole, coarse = best(every, accepted=accepted and not lost), best(some, accepted=accepted and not lost)
    if not whole or not coarse:
        return Pair(instance.frames, len(some), lost)
    (frame, mask), (other, mine) = whole[0], coarse[0]
    sizes = [length(each, spacing_mm) for each in (mask, mine)]
    print(
        f"{instance.path}: {'accepted' if accepted else 'proposed'}; all {instance.frames} frames: frame {frame}, "
        f"{sizes[0]:.2f} mm; {len(some)} frames: frame {other}, {sizes[1]:.2f} mm",
        flush=True,
    )
    return Pair(instance.frames, len(some), lost, frame == other, abs(sizes[1] / sizes[0] - 1) / SD)


def simulate(out: Path, number: int, frames: int) -> None:
    """Cines of lesions of many sizes and contrasts, whose middle the probe passes."""
    rng = np.random.default_rng(5)
    for index in range(number):
        sample = next(each.plan for each in samples(100 * (index + 1)) if each.plan.cine_frames)
        lesion = LesionPlan(
            float(rng.uniform(6, 16)), {BASELINE: 1.0, ONE_MONTH: 0.8}, float(rng.uniform(-12, -2)), Echo.HYPO
        )
        plan = replace(sample, code=f"SIM-{index:02}", lesions=(lesion,), cine_frames=frames)
        child = build_child(plan)
        exposure = next(each for each in child.exposures if each.visit == BASELINE and child.is_cine(each))
        write_exposure(out, f"{plan.code}.dcm", child, exposure, number=1)


def main() -> None:
    """Print one line a cine, then the summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("inputs", type=Path, nargs="*")
    options.add_argument("--simulated", type=int, default=0)
    options.add_argument("--frames", type=int, default=32, help="of a simulated cine")
    options.add_argument("--model", type=Path, default=PROJECT / "models" / "liver_us_unet")
    given = options.parse_args()
    config, segmenter = Config(), Segmenter.from_bundle(given.model)
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder), given.simulated, given.frames)
        inputs = [*given.inputs, *([Path(folder)] if given.simulated else [])]
        pairs = [p for path in inputs for i in load_studies(path).instances for p in compared(i, segmenter, config)]
    drawn = [each for each in pairs if each.same_frame is not None]
    print(
        f"{len(pairs)} cines, {len(drawn)} with a lesion: the same frame in {sum(bool(p.same_frame) for p in drawn)}; "
        f"sizes apart by {max((p.apart_sd for p in drawn), default=0):.2f} SD at most; accepted lesions lost: "
        f"{sum(p.lost for p in pairs)}; the network saw {sum(p.some_frames for p in pairs)} of "
        f"{sum(p.all_frames for p in pairs)} frames"
    )


if __name__ == "__main__":
    main()
