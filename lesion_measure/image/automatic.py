"""What the network says of one image: its accepted lesions in mm, and what it is not sure of. Part of the pipeline.

Every measurable picture of the image is looked at (both halves of a dual image). In a cine a lesion is followed from
frame to frame; it is measured on a reader's frame where there is one, else on the frame with the greatest confidence x
extent (`cine`), and that frame is named in every output.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lesion_measure.calibration import calibrate_at
from lesion_measure.config import Config, Segment
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import CalibrationError
from lesion_measure.image.beam import MOSTLY, Beam
from lesion_measure.image.cine import Masks, best_frame, coarse_to_fine, surest_frame
from lesion_measure.image.measured import measured_by_network, outline_points, touches_edge
from lesion_measure.image.network_frame import network_frame
from lesion_measure.image.outline_file import Keep
from lesion_measure.image.outlines import Outlines, kept_name
from lesion_measure.image.scan_area import evenly
from lesion_measure.image.stack import LEAST_SLICES, Track, apart_from, measure_body, tracks
from lesion_measure.records import CalibratedRegion, Calibration, Instance, LesionMask, Plane, PlaneMeasurement

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposal:
    """A lesion that was proposed and not accepted, on the frame where the network is surest of it."""

    frame: int
    confidence: float
    outline_px: NDArray[np.float64]


@dataclass(slots=True)
class Findings:
    """Measured lesions, lesions that have no scale, what was proposed and not accepted, and frames looked at.

    ``shown`` is the frame that stands for those looked at, in their middle. ``drawn`` counts the network's outlines on
    all frames, whatever became of them.
    """

    planes: list[PlaneMeasurement] = field(default_factory=list)
    errors: list[CalibrationError] = field(default_factory=list)
    unsure: list[Proposal] = field(default_factory=list)
    frames: int = 0
    shown: int = 1
    drawn: int = 0


def look(
    image: OpenImage,
    scale: Calibration,
    segmenter: Segmenter,
    *,
    sha256: str,
    plane: Plane,
    drawn: Sequence[int],
    beam: Beam,
    config: Config,
    outlines: Outlines,
) -> Findings:
    """Outline and measure the lesions of one image.

    Parameters
    ----------
    image, scale
        The image and its calibration (`calibration.calibrate`), not a refusal.
    segmenter
        The loaded model bundle.
    sha256
        Of the file's bytes; outlines that an earlier, interrupted run kept for it are used.
    plane
        Scan plane of the image.
    drawn
        Frames on which a reader drew calipers; where there are any, only these are measured.
    beam
        Where the beam has reached on the image.
    config, outlines
        Settings; the outlines that are kept in the results folder.

    Raises
    ------
    PixelError
        A frame cannot be decoded.
    """
    instance = image.instance
    slice_mm = instance.slice_spacing_mm if instance.frames > 1 else None
    frames = _frames(instance, [] if slice_mm else drawn, config.segment)
    findings = Findings(frames=len(frames), shown=frames[len(frames) // 2] if frames else 1)
    for region in looked_at(scale.regions):
        with _masks(image, frames, drawn, segmenter, region, sha256, config, outlines) as kept:
            masks = _in_beam(kept, region, beam)
            findings.frames = max(findings.frames, len(masks))
            findings.drawn += sum(map(len, masks.values()))
            accepted = tracks(
                {frame: [m for m in lesions if m.accepted] for frame, lesions in masks.items()}, gaps=slice_mm is None
            )
            for track in accepted:
                for frame in [f for f in drawn if f in track] if drawn else [best_frame(track)]:
                    try:
                        findings.planes.append(_measure(instance, track, frame, slice_mm, segmenter, plane, config))
                    except CalibrationError as error:
                        findings.errors.append(error)
            findings.unsure += _unsure(masks, accepted, config.segment.min_proposal_confidence)
    return findings


def _in_beam(masks: Masks, region: CalibratedRegion, beam: Beam) -> Masks:
    """Without the outlines that lie mostly where the beam has not reached: there is nothing to outline."""
    return {
        frame: [m for m in lesions if beam.share_outside(outline_points(m), region) <= MOSTLY]
        for frame, lesions in masks.items()
    }


def looked_at(regions: Sequence[CalibratedRegion]) -> list[CalibratedRegion]:
    """The measurable regions that the network is shown, each by itself: those that lie in no other one.

    A colour flow box is seen with the tissue around it.
    """

    def holds(outer: CalibratedRegion, inner: CalibratedRegion) -> bool:
        corners = [(inner.row_min, inner.col_min), (inner.row_max, inner.col_max)]
        return outer is not inner and all(outer.contains(corner) for corner in corners)

    return [region for region in regions if not any(holds(other, region) for other in regions)]


def _frames(instance: Instance, drawn: Sequence[int], settings: Segment) -> list[int]:
    """1-based frames to look at first: a reader's, else all of them or some, as the settings say.

    A volume's slices are looked at all.
    """
    if drawn:
        return sorted({frame for frame in drawn if frame <= instance.frames})
    some = settings.cine_frames == "coarse_to_fine" and instance.slice_spacing_mm is None
    return evenly(instance.frames, settings.frames_per_cine if some else instance.frames)


def _masks(
    image: OpenImage,
    frames: Sequence[int],
    drawn: Sequence[int],
    segmenter: Segmenter,
    region: CalibratedRegion,
    sha256: str,
    config: Config,
    outlines: Outlines,
) -> AbstractContextManager[Masks]:
    """The network's lesions, kept from an earlier run or outlined now."""
    name = kept_name(
        image=sha256,
        model=segmenter.sha256,
        backend=segmenter.backend,
        model_settings=segmenter.settings.model_dump(mode="json"),
        settings=config.segment.model_dump(mode="json"),
        region=[region.row_min, region.row_max, region.col_min, region.col_max, region.spacing_mm],
        frames=frames,
    )

    def make(keep: Keep) -> None:
        def draw(some: Sequence[int]) -> Masks:
            return keep(outline(image, some, segmenter, region, config))

        if drawn or len(frames) == image.instance.frames:
            draw(frames)
        else:
            coarse_to_fine(image.instance.frames, frames, draw, config.segment.min_proposal_confidence)

    return outlines.kept_or_made(name, make)


def outline(
    image: OpenImage, frames: Sequence[int], segmenter: Segmenter, region: CalibratedRegion, config: Config
) -> Iterator[tuple[int, Sequence[LesionMask]]]:
    """Run the network on the region of each frame; gives its number and lesions, one frame after the other.

    Parameters
    ----------
    image
        The open image.
    frames
        Numbers of the frames, from 1.
    segmenter
        The network.
    region
        The calibrated region that the network is shown.
    config
        All settings; the section ``segment`` counts.
    """
    from lesion_measure.network.segment import segment_frame  # here, since few runs need it

    for frame in frames:
        yield frame, segment_frame(segmenter, network_frame(image, frame, config.segment), region, config.segment)


def _measure(
    instance: Instance,
    track: Track,
    frame: int,
    slice_mm: float | None,
    segmenter: Segmenter,
    plane: Plane,
    config: Config,
) -> PlaneMeasurement:
    scale = calibrate_at(instance, outline_points(track[frame]), config.calibration)
    measured = measured_by_network(
        instance, frame, track[frame], scale, plane=plane, model=segmenter.name, settings=config.uncertainty
    )
    if slice_mm is None:
        return measured
    if doubt := _no_body(instance, track, scale):
        return replace(measured, warnings=(*measured.warnings, f"no 3D size: {doubt}"))
    body = measure_body(track, measured, slice_spacing_mm=slice_mm, settings=config.uncertainty)
    return replace(measured, volume_ml=body.volume_ml, body=body)


def _no_body(instance: Instance, track: Track, scale: Calibration) -> str:
    """Why a lesion that was followed through slices is not measured in 3D; empty where it is.

    A body that the volume's edge cuts off goes on beyond it by nobody knows how much: its sizes would be no sizes.
    """
    if min(track) == 1 or max(track) == instance.frames:
        return "the lesion reaches the first or last slice of the volume and goes on beyond it"
    if scale.region is not None and any(touches_edge(mask.outline_px, scale.region) for mask in track.values()):
        return "the lesion reaches the edge of the image region on a slice and goes on beyond it"
    if len(track) < LEAST_SLICES:
        return f"only {len(track)} of its slices cut the lesion, and a body needs {LEAST_SLICES}"
    return ""


def _unsure(masks: Masks, accepted: Sequence[Track], least: float) -> list[Proposal]:
    """The lesions that were proposed and not accepted on any frame, those above a floor of confidence."""
    proposals = tracks({frame: [m for m in lesions if not m.accepted] for frame, lesions in masks.items()}, gaps=True)
    apart = apart_from(proposals, accepted)
    best = [surest_frame(track) for track in apart]
    proposed = [
        Proposal(frame=frame, confidence=track[frame].confidence, outline_px=track[frame].outline_px)
        for frame, track in zip(best, apart, strict=True)
    ]
    return [one for one in proposed if one.confidence >= least]
