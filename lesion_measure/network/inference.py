"""Run the network on one image: a probability map on the image's own grid, and the lesions in it with a confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lesion_measure.errors import ModelError
from lesion_measure.measure.insonation import has_signal
from lesion_measure.network import confidence as features
from lesion_measure.network.bundle import REMEDY, BundleSettings, read_bundle
from lesion_measure.network.liver import Liver
from lesion_measure.network.parts import LesionPart, caliper_length, lesion_parts
from lesion_measure.network.preprocess import logits_of, network_input, sample_window, to_native
from lesion_measure.network.seen import Answer, SeenPicture
from lesion_measure.network.threads import Passes, whole_batch
from lesion_measure.network.window import (
    CaliperLine,
    Preprocessing,
    Window,
    automatic_window,
    check_insonated,
    check_prompt,
    insonated,
    prompt_window,
    scale_intensity,
)

SECOND_PASS_AGREEMENT = 0.5
_AUTOMATIC_FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,))
_PROMPTED_FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedLesion:
    """One lesion of an image.

    Attributes
    ----------
    probability
        The map restricted to this lesion and its soft rim, cut out of the image.
    mask
        The same cut-out at the level asked for (0.5), holes filled.
    origin
        The cut-out's upper left pixel (row, column) in the image.
    confidence
        Estimated probability, in 0..1, that the outline is right (Dice at least 0.75).
    accepted
        Whether the confidence reaches the bundle's own threshold.
    features
        What the confidence was computed from.
    """

    probability: NDArray[np.float32]
    mask: NDArray[np.bool_]
    origin: tuple[int, int]
    confidence: float
    accepted: bool
    features: dict[str, float]

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the cut-out in the image."""
        (row, col), (rows, cols) = self.origin, self.mask.shape
        return slice(row, row + rows), slice(col, col + cols)


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """``probability`` (rows, columns) float32 in 0..1 on the image's grid, and its lesions, most confident first.

    ``liver`` is what the network takes for liver; None where it was asked with a prompt or does not know livers.
    """

    probability: NDArray[np.float32]
    lesions: tuple[SegmentedLesion, ...]
    liver: Liver | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A network on its device, and its preprocessing."""

    network: nn.Module
    preprocessing: Preprocessing


class Segmenter:
    """A bundle ready to outline lesions, automatically or from a caliper.

    Attributes
    ----------
    name, sha256
        The bundle's name and the SHA-256 of its weights, for the provenance.
    threshold
        Least confidence at which the bundle accepts an automatic lesion; above 1, it accepts none.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: BundleSettings,
        *,
        name: str,
        sha256: str,
        prompted: nn.Module | None = None,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        self.name = name
        self.sha256 = sha256
        self.settings = settings
        self.threshold = settings.confidence.automatic.threshold
        self._device = torch_device(device)
        self._forward = Passes(threads) if self._device.type == "cpu" else whole_batch
        self._automatic = _Part(network.to(self._device).eval(), settings.preprocessing)
        self._prompted = self._automatic
        if prompted is not None:
            self._prompted = _Part(
                prompted.to(self._device).eval(), settings.prompted_preprocessing or settings.preprocessing
            )

    @classmethod
    def from_bundle(
        cls, path: Path | str, device: str = "cpu", backend: str = "torch", threads: int | None = None
    ) -> Segmenter:
        """Verify and load a bundle.

        ``threads`` are those of the arithmetic on a CPU, by default the processors at hand and 4 at most; the answers
        do not depend on them.

        Raises
        ------
        ModelError
            The bundle cannot be trusted or does not fit, or the device or backend does not exist here.
        """
        if backend != "torch":
            raise ModelError(
                f"The backend '{backend}' is not known.", remedy="Use 'torch'.", code="model_backend", path=str(path)
            )
        bundle = read_bundle(Path(path))
        return cls(
            bundle.automatic.network,
            bundle.settings,
            name=bundle.name,
            sha256=bundle.sha256,
            prompted=None if bundle.prompted is None else bundle.prompted.network,
            device=device,
            threads=threads,
        )

    def segment(
        self,
        image: NDArray[np.generic] | SeenPicture,
        prompt: Sequence[CaliperLine] | None = None,
        *,
        level: float = 0.5,
        flips: bool = True,
    ) -> Segmentation:
        """Outline the lesions of one picture.

        Parameters
        ----------
        image
            (rows, columns), uint8 or float at any scale with black at 0: the B-mode area at native resolution. What was
            found on a picture that `look` gave is not looked for again.
        prompt
            The calipers of one lesion, its long axis or both axes, in any order, each ((row, column), (row, column))
            in pixels of the image: the lesion that they span is outlined. Without it (None, or an empty list), every
            lesion that the network finds.
        level
            Probability at which a lesion ends.
        flips
            Average the network over mirrored copies (2 without, 4 with a prompt).

        Raises
        ------
        MeasurementError
            The image is no 2D array of finite numbers; a caliper is none, too short or outside it; there are more than
            two, or the two lie too far apart to be of one lesion.
        ModelError
            The weights overflow: the network's answer holds values that are not finite.
        """
        picture = image if isinstance(image, SeenPicture) else self.look(image)
        if prompt:
            check_prompt(prompt, picture.shape)
            check_insonated(prompt, picture.area)
            return self._segment_prompted(picture.scaled, prompt, level, flips)
        lesions = [
            lesion
            for part in self.parts(picture, level=level, flips=flips)
            if (lesion := self.drawn(picture, part, level=level, flips=flips)) is not None
        ]
        answer = self._answer(picture, flips)
        return replace(_assemble(answer.probability, lesions, level), liver=self._liver(answer))

    def look(self, image: NDArray[np.generic]) -> SeenPicture:
        """A picture (rows, columns) that is to be asked for several times. Raises as `segment`."""
        return SeenPicture(scale_intensity(image, self.settings.preprocessing))

    def parts(self, picture: SeenPicture, *, level: float = 0.5, flips: bool = True) -> Sequence[LesionPart]:
        """What the network takes for lesions without a prompt, largest first; `drawn` makes lesions of them."""
        key = level, flips
        if key not in picture.parts:
            answer = self._answer(picture, flips)
            picture.parts[key] = lesion_parts(answer.probability, level, answer.window.scale)
        return picture.parts[key]

    def reach(self, picture: SeenPicture, part: LesionPart) -> tuple[slice, slice]:
        """Rows and columns beyond which a lesion that is drawn from a part cannot lie."""
        axis = part.long_axis()
        return part.box if axis is None else prompt_window([axis], self._prompted.preprocessing).bounds(picture.shape)

    def drawn(
        self, picture: SeenPicture, part: LesionPart, *, level: float = 0.5, flips: bool = True
    ) -> SegmentedLesion | None:
        """The lesion that a part of this level gives; None where it is none of the liver's, or shows no echo."""
        if part not in picture.drawn:
            picture.drawn[part] = self._draw(picture.scaled, self._answer(picture, flips), part, level, flips)
        return picture.drawn[part]

    def _answer(self, picture: SeenPicture, flips: bool) -> Answer:
        if flips not in picture.answers:
            shown = insonated(picture.scaled, self._automatic.preprocessing)
            window = automatic_window(shown, self._automatic.preprocessing)
            picture.answers[flips] = self._run(self._automatic, shown, window, (), flips)
        return picture.answers[flips]

    def _liver(self, answer: Answer) -> Liver | None:
        return None if answer.liver is None else Liver(answer.liver, answer.window, self._automatic.preprocessing)

    def _segment_prompted(
        self, scaled: NDArray[np.float32], prompt: Sequence[CaliperLine], level: float, flips: bool
    ) -> Segmentation:
        answer, part = self._outline(scaled, prompt, level, flips)
        if part is None or not has_signal(_surroundings(part, scaled)[0]):
            return _assemble(answer.probability, [], level)
        known = _common_features(answer, part, scaled)
        known |= _caliper_features(part, prompt)
        return _assemble(answer.probability, [_lesion(part, known, self.settings.confidence.prompted)], level)

    def _draw(
        self, scaled: NDArray[np.float32], answer: Answer, part: LesionPart, level: float, flips: bool
    ) -> SegmentedLesion | None:
        if not has_signal(_surroundings(part, scaled)[0]):
            return None
        window, liver = answer.window, self._liver(answer)
        known = _common_features(answer, part, scaled)
        known["liver_share"] = 0.0 if liver is None else liver.share_of(part)
        if liver is not None and liver.excludes(known["liver_share"]):
            return None
        known["log_area_share"] = float(np.log(part.mask.sum() / (window.scale**2 * window.size**2)))
        known["off_middle"] = _off_middle(part, window)
        better, agreement, certainty = self._second_pass(scaled, part, level, flips)
        known["second_pass_agreement"], known["second_pass_probability"] = agreement, certainty
        use = better if self.settings.second_pass and agreement >= SECOND_PASS_AGREEMENT else None
        return _lesion(use or part, known, self.settings.confidence.automatic)

    def _second_pass(
        self, scaled: NDArray[np.float32], part: LesionPart, level: float, flips: bool
    ) -> tuple[LesionPart | None, float, float]:
        """A lesion outlined again with its own long axis as caliper, its Dice with the first, its mean probability."""
        axis = part.long_axis()
        if axis is None:
            return None, 0.0, 0.0
        _, again = self._outline(scaled, [axis], level, flips)
        if again is None:
            return None, 0.0, 0.0
        agreement = features.dice(part.on_image(scaled.shape), again.on_image(scaled.shape))
        return again, agreement, float(again.probability[again.mask].mean())

    def _outline(
        self, scaled: NDArray[np.float32], prompt: Sequence[CaliperLine], level: float, flips: bool
    ) -> tuple[Answer, LesionPart | None]:
        """The network's answer to a prompt, and the one part of it that lies under the calipers."""
        window = prompt_window(prompt, self._prompted.preprocessing)
        answer = self._run(self._prompted, scaled, window, prompt, flips)
        parts = lesion_parts(answer.probability, level, window.scale)
        shares = [part.share_inside(prompt) for part in parts]
        best = max(range(len(parts)), key=shares.__getitem__, default=None)
        return answer, None if best is None or shares[best] == 0 else parts[best]

    def _run(
        self,
        part: _Part,
        scaled: NDArray[np.float32],
        window: Window,
        prompt: Sequence[CaliperLine],
        flips: bool,
    ) -> Answer:
        tensor = network_input(scaled, window, prompt, part.preprocessing)
        passes = (_PROMPTED_FLIPS if prompt else _AUTOMATIC_FLIPS) if flips else ((),)
        batch = torch.stack([tensor.flip(axes) for axes in passes]).to(self._device)
        answers = self._forward(partial(logits_of, part.network), batch).float().cpu()
        if not torch.isfinite(answers).all():
            raise ModelError(
                f"The network of the bundle {self.name} computes values that are not finite on this image.",
                remedy=REMEDY,
                code="model_overflow",
            )
        limit = part.preprocessing.logit_limit
        upright = [one.flip(axes) for one, axes in zip(answers, passes, strict=True)]
        first, *liver = torch.stack(upright, dim=1)
        logits = (first if prompt else first + self.settings.lesion_shift).clamp(-limit, limit)
        native = to_native(logits.mean(dim=0), window, scaled.shape, part.preprocessing)
        return Answer(window, logits.numpy(), native, liver[0].clamp(-limit, limit).mean(dim=0) if liver else None)


def torch_device(name: str) -> torch.device:
    """A device by its name, such as ``cpu`` or ``cuda:0``, after making sure that it works.

    Raises
    ------
    ModelError
        It does not exist or cannot be used here.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"The device '{name}' cannot be used here.", remedy="Use 'cpu'.", code="model_device"
        ) from error
    return device


def _lesion(part: LesionPart, known: dict[str, float], model: features.ConfidenceModel) -> SegmentedLesion:
    confidence = model.confidence(known)
    return SegmentedLesion(
        probability=part.probability,
        mask=part.mask,
        origin=(part.box[0].start, part.box[1].start),
        confidence=confidence,
        accepted=confidence >= model.threshold,
        features=known,
    )


def _assemble(probability: NDArray[np.float32], lesions: list[SegmentedLesion], level: float) -> Segmentation:
    """The map in which exactly the lesions reach the level: what was dropped is blanked, what was redrawn replaced."""
    whole = np.where(probability < level, probability, np.float32(0))
    for lesion in lesions:
        whole[lesion.box] = np.maximum(whole[lesion.box], lesion.probability)
    return Segmentation(whole, tuple(sorted(lesions, key=lambda lesion: -lesion.confidence)))


def _common_features(answer: Answer, part: LesionPart, scaled: NDArray[np.float32]) -> dict[str, float]:
    zone = np.zeros(scaled.shape, dtype=np.float32)
    zone[part.box] = part.probability > 0
    seen = sample_window(zone[None], answer.window)[0].numpy() > 0.5
    return {
        "mean_probability": float(part.probability[part.mask].mean()),
        "blur": features.blur(part.probability, part.mask, answer.window.scale),
        "flip_agreement": features.flip_agreement(answer.logits, seen),
        "contrast": features.contrast(*_surroundings(part, scaled)),
    }


def _off_middle(part: LesionPart, window: Window) -> float:
    """How far a lesion's centroid lies beside the middle line of the picture, in halves of the window's side."""
    middle = part.box[1].start + float(np.nonzero(part.mask)[1].mean())
    return float(abs(middle - window.centre[1]) / (window.scale * window.size / 2))


def _surroundings(part: LesionPart, scaled: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The picture and the mask around a lesion, with a quarter of its extent on every side."""
    margin = max(3, round(0.25 * max(part.mask.shape)))
    rows, cols = (
        slice(max(side.start - margin, 0), min(side.stop + margin, length))
        for side, length in zip(part.box, scaled.shape, strict=True)
    )
    return scaled[rows, cols], part.on_image(scaled.shape)[rows, cols]


def _caliper_features(part: LesionPart, prompt: Sequence[CaliperLine]) -> dict[str, float]:
    axis = part.long_axis()
    length = 0.0 if axis is None else caliper_length(axis)
    longest = max(caliper_length(line) for line in prompt)
    return {
        "log_length_error": abs(float(np.log(max(length, 1.0) / longest))),
        "caliper_inside": part.share_inside(prompt),
    }
