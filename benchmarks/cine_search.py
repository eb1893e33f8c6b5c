"""Cines searched coarse to fine against the search of all frames: ``python benchmarks/cine_search.py [INPUT...]``.

INPUT are folders or files with cines; ``--simulated 30`` are made beside them. Of each cine the lesion counts that is
surest in the search of all frames: the frame and the long axis that both searches give it are printed. In the end: how
often the frame is the same, the largest difference of sizes in standard deviations of one size, and how many frames the
network saw.
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
from lesion_measure.image.cine import Masks, best_frame, coarse_to_fine, surest_frame
from lesion_measure.image.scan_area import evenly
from lesion_measure.image.stack import Track, shared_pixels, tracks
from lesion_measure.lab.phantom.children import LesionPlan, build_child
from lesion_measure.lab.phantom.samples import samples
from lesion_measure.lab.phantom.scene import Echo
from lesion_measure.lab.phantom.studies import write_exposure
from lesion_measure.lab.phantom.visits import BASELINE, ONE_MONTH
from lesion_measure.measure import measure_mask
from lesion_measure.network import Segmenter
from lesion_measure.records import DrawnLesion, Instance, Spacing
from lesion_measure.studies import load_studies

PROJECT = Path(__file__).resolve().parent.parent
SD = 0.12
"""Of one long axis of an outline, as a share of it (`config.Uncertainty.automatic_cv`)."""


def lesions(masks: Masks, least: float, *, accepted: bool) -> list[tuple[int, Track]]:
    """Each lesion with the frame that a run tells of it, the surest first.

    Of an accepted one that is the frame on which it is measured. Of one that is proposed, with a confidence of at least
    ``least``, it is the frame on which the network is surest.
    """
    chosen = {f: [m for m in found if m.accepted or not accepted] for f, found in masks.items()}
    frame_of = best_frame if accepted else surest_frame
    found = [(frame_of(track), track) for track in tracks(chosen, gaps=True)]
    told = [(frame, track) for frame, track in found if accepted or track[frame].confidence >= least]
    return sorted(told, key=lambda one: -one[1][one[0]].confidence)


def same_lesion(lesion: tuple[int, Track], others: list[tuple[int, Track]]) -> tuple[int, Track] | None:
    """The lesion of another search that lies where this one does; None where none does."""
    frame, track = lesion

    def shared(other: tuple[int, Track]) -> int:
        return max(shared_pixels(track[frame], mask) for mask in other[1].values())

    likest = max(others, key=shared, default=None)
    return likest if likest is not None and shared(likest) else None


def length(mask: DrawnLesion, spacing_mm: Spacing) -> float:
    return measure_mask(mask.probability, spacing_mm=spacing_mm).long_axis_mm


@dataclass(frozen=True, slots=True)
class Pair:
    """Both searches of one cine: frames that the network saw, and whether the coarse one lost the lesion."""

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
            every = dict(outline(image, range(1, instance.frames + 1), segmenter, region, config))
            some = coarse_to_fine(
                instance.frames,
                first,
                lambda frames, every=every: {f: every[f] for f in frames},
                config.segment.min_proposal_confidence,
            )
            least = config.segment.min_proposal_confidence
            accepted = bool(lesions(every, least, accepted=True))
            found = [lesions(masks, least, accepted=accepted) for masks in (every, some)]
            pairs.append(pair(instance, region.spacing_mm, found[0], found[1], len(some), accepted=accepted))
    return pairs


def pair(
    instance: Instance,
    spacing_mm: Spacing,
    whole: list[tuple[int, Track]],
    coarse: list[tuple[int, Track]],
    looked_at: int,
    *,
    accepted: bool,
) -> Pair:
    """What both searches make of the surest lesion.

    Parameters
    ----------
    instance, spacing_mm
        The cine and its scale.
    whole, coarse
        Lesions of both searches.
    looked_at
        Frames that the coarse one saw.
    accepted
        Whether they are accepted ones.
    """
    if not whole:
        return Pair(instance.frames, looked_at, False)
    mine = same_lesion(whole[0], coarse)
    if mine is None:
        return Pair(instance.frames, looked_at, True)
    sizes = [length(track[frame], spacing_mm) for frame, track in (whole[0], mine)]
    first, what = "" if mine is coarse[0] else ", where another is surer", "accepted" if accepted else "proposed"
    print(
        f"{instance.path}: {what}; all {instance.frames} frames: frame {whole[0][0]}, "
        f"{sizes[0]:.2f} mm; {looked_at} frames: frame {mine[0]}, {sizes[1]:.2f} mm{first}",
        flush=True,
    )
    return Pair(instance.frames, looked_at, False, whole[0][0] == mine[0], abs(sizes[1] / sizes[0] - 1) / SD)


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
        f"sizes apart by {max((p.apart_sd for p in drawn), default=0):.2f} SD at most; lesions lost: "
        f"{sum(p.lost for p in pairs)}; the network saw {sum(p.some_frames for p in pairs)} of "
        f"{sum(p.all_frames for p in pairs)} frames"
    )


if __name__ == "__main__":
    main()
