"""Run the network on one image: a probability map on the image's own grid, and the lesions in it with a confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import ModelError
from lesion_measure.measure.insonation import has_signal
from lesion_measure.network import backend as backends
from lesion_measure.network.backend import Computed, Forward
from lesion_measure.network.bundle import REMEDY, BundleSettings, read_bundle
from lesion_measure.network.features import caliper_features, common_features, off_middle, surroundings
from lesion_measure.network.liver import Liver
from lesion_measure.network.parts import LesionPart
from lesion_measure.network.preprocess import clicked_input, logits_of, network_input, sample_window
from lesion_measure.network.seen import Answer, SeenPicture
from lesion_measure.network.segmentation import Segmentation, SegmentedLesion, assembled, judged
from lesion_measure.network.window import (
    CaliperLine,
    Preprocessing,
    Window,
    automatic_window,
    check_insonated,
    check_prompt,
    click_window,
    insonated,
    prompt_window,
    scale_intensity,
)
from lesion_measure.records import Point

Picture = NDArray[np.float32]
Prompt = Sequence[CaliperLine]
Tried = tuple[Answer, LesionPart | None]
"""The network's answer to a prompt, and the lesion under the prompt where there is one."""

SECOND_PASS_AGREEMENT = 0.5
_AUTOMATIC_FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,))
_PROMPTED_FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What computes a network, and its preprocessing."""

    forward: Forward
    preprocessing: Preprocessing


class Segmenter:
    """A bundle ready to outline lesions, automatically or from a caliper.

    Without ``calipers`` its network was never taught them: they choose among what it draws on the whole picture.

    Attributes
    ----------
    name, sha256
        The bundle's name and the SHA-256 of its weights, for the provenance.
    backend
        What computes the networks, with its version and precision, for the provenance.
    threshold
        Least confidence at which the bundle accepts an automatic lesion; above 1, it accepts none.
    """

    def __init__(
        self, networks: Computed, settings: BundleSettings, *, name: str, sha256: str, calipers: bool = True
    ) -> None:
        self.name = name
        self.sha256 = sha256
        self.backend = networks.backend
        self.settings = settings
        self.threshold = settings.confidence.automatic.threshold
        self._calipers = calipers
        self._automatic = self._prompted = _Part(networks.automatic, settings.preprocessing)
        if networks.prompted is not None:
            self._prompted = _Part(networks.prompted, settings.prompted_preprocessing or settings.preprocessing)
        self._load_clicked, self._lock = networks.clicked, Lock()
        self._clicked: _Part | None = None

    @classmethod
    def from_bundle(
        cls, path: Path | str, device: str = "cpu", backend: str = backends.AUTO, threads: int | None = None
    ) -> Self:
        """Verify and load a bundle.

        ``backend`` is one of `network.backend.BACKENDS`. ``threads`` are those of the arithmetic on a CPU, by default
        the processors at hand and 4 at most; the answers do not depend on them.

        Raises
        ------
        ModelError
            The bundle cannot be trusted or does not fit, or the device or backend does not exist here.
        ConfigError
            The backend is not installed.
        """
        bundle = read_bundle(Path(path))
        loaded = backends.load(bundle, backend=backend, device=device, threads=threads)
        return cls(
            loaded,
            bundle.settings,
            name=bundle.name,
            sha256=bundle.sha256,
            calipers=(bundle.prompted or bundle.automatic).definition.in_channels > 1,
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
        parts = self.parts(picture, level=level, flips=flips)
        lesions = [lesion for lesion in self.drawn(picture, parts, level=level, flips=flips) if lesion is not None]
        answer = self._answer(picture, flips)
        return assembled(answer, lesions, level, self._liver(answer))

    def look(self, image: NDArray[np.generic]) -> SeenPicture:
        """A picture (rows, columns) that is to be asked for several times. Raises as `segment`."""
        return SeenPicture(scale_intensity(image, self.settings.preprocessing))

    def parts(self, picture: SeenPicture, *, level: float = 0.5, flips: bool = True) -> Sequence[LesionPart]:
        """What the network takes for lesions without a prompt, largest first; `drawn` makes lesions of them."""
        key = level, flips
        if key not in picture.parts:
            answer = self._answer(picture, flips)
            picture.parts[key] = answer.parts(level)
        return picture.parts[key]

    def seen(self, picture: SeenPicture, *, flips: bool = True) -> Picture:
        """The network's probability of lesion without a prompt, (rows, columns) in 0..1."""
        return self._answer(picture, flips).probability

    def tried(self, picture: SeenPicture, prompts: Sequence[Prompt], *, level: float = 0.5) -> list[Tried]:
        """What lies under each prompt, all at once and not averaged over mirrored copies; prompts are not checked."""
        return self._outlines(picture.scaled, prompts, level, flips=False)

    def clicked(self, picture: SeenPicture, click: Point, *, flips: bool = True) -> Answer | None:
        """What the network for clicks answers at one (row, column); None where the bundle has none.

        It is loaded when it is first asked. Raises as `network.backend.load` then.
        """
        preprocessing = self.settings.clicked_preprocessing
        if self._load_clicked is None or preprocessing is None:
            return None
        with self._lock:
            part = self._clicked = self._clicked or _Part(self._load_clicked(), preprocessing)
        shown = insonated(picture.scaled, part.preprocessing)
        window = click_window(click, shown, part.preprocessing)
        inputs = clicked_input(sample_window(shown[None], window)[0], part.preprocessing)
        passes = _AUTOMATIC_FLIPS if flips else ((),)
        return self._asked(part, [inputs], [window], passes, picture.shape, shift=0.0)[0]

    def drawn(
        self, picture: SeenPicture, parts: Sequence[LesionPart], *, level: float = 0.5, flips: bool = True
    ) -> list[SegmentedLesion | None]:
        """The lesions that parts of this level give, all at once; None where one is none of the liver's, or no echo."""
        new = [part for part in parts if part not in picture.drawn]
        drawn = self._draw(picture.scaled, self._answer(picture, flips), new, level, flips)
        picture.drawn |= zip(new, drawn, strict=True)
        return [picture.drawn[part] for part in parts]

    def _answer(self, picture: SeenPicture, flips: bool) -> Answer:
        if flips not in picture.answers:
            shown = insonated(picture.scaled, self._automatic.preprocessing)
            window = automatic_window(shown, self._automatic.preprocessing)
            picture.answers[flips] = self._run(self._automatic, shown, [(window, ())], flips)[0]
        return picture.answers[flips]

    def _liver(self, answer: Answer) -> Liver | None:
        return None if answer.liver is None else Liver(answer.liver, answer.window, self._automatic.preprocessing)

    def _segment_prompted(self, scaled: Picture, prompt: Prompt, level: float, flips: bool) -> Segmentation:
        answer, part = self._outlines(scaled, [prompt], level, flips)[0]
        if part is None or not has_signal(surroundings(part, scaled)[0]):
            return assembled(answer, [], level)
        known = common_features(answer, part, scaled) | caliper_features(part, prompt)
        return assembled(answer, [judged(part, known, self.settings.confidence.prompted)], level)

    def _draw(
        self, scaled: Picture, answer: Answer, parts: Sequence[LesionPart], level: float, flips: bool
    ) -> list[SegmentedLesion | None]:
        """What becomes of each part: it is looked at again with its own long axis as caliper, all of them at once."""
        known = [self._known(scaled, answer, part) for part in parts]
        axes = [part.long_axis if about else None for part, about in zip(parts, known, strict=True)]
        again = iter(self._outlines(scaled, [[axis] for axis in axes if axis], level, flips))
        drawn: list[SegmentedLesion | None] = []
        for part, about, axis in zip(parts, known, axes, strict=True):
            better = next(again)[1] if axis else None
            drawn.append(self._chosen(part, about, better) if about else None)
        return drawn

    def _known(self, scaled: Picture, answer: Answer, part: LesionPart) -> dict[str, float]:
        """Features of a part before it is looked at again; none where it shows no echo or is none of the liver's."""
        if not has_signal(surroundings(part, scaled)[0]):
            return {}
        window, liver = answer.window, self._liver(answer)
        share = 0.0 if liver is None else liver.share_of(part)
        if liver is not None and liver.excludes(share):
            return {}
        return common_features(answer, part, scaled) | {
            "liver_share": share,
            "log_area_share": float(np.log(part.mask.sum() / (window.scale**2 * window.size**2))),
            "off_middle": off_middle(part, window),
        }

    def _chosen(self, part: LesionPart, known: dict[str, float], again: LesionPart | None) -> SegmentedLesion:
        """The outline that was drawn again where it agrees, with the confidence in it."""
        agreement = 0.0 if again is None else part.dice(again)
        certainty = 0.0 if again is None else float(again.probability[again.mask].mean())
        known |= {"second_pass_agreement": agreement, "second_pass_probability": certainty}
        use = again if self.settings.second_pass and agreement >= SECOND_PASS_AGREEMENT else None
        return judged(use or part, known, self.settings.confidence.automatic)

    def _outlines(self, scaled: Picture, prompts: Sequence[Prompt], level: float, flips: bool) -> list[Tried]:
        """The network's answer to each prompt, and the one part of it that lies under the calipers."""
        found: list[Tried] = []
        for answer, prompt in zip(self._answers(scaled, prompts, flips), prompts, strict=True):
            parts = answer.parts(level)
            shares = [part.share_inside(prompt) for part in parts]
            best = max(range(len(parts)), key=shares.__getitem__, default=None)
            found.append((answer, None if best is None or shares[best] == 0 else parts[best]))
        return found

    def _answers(self, scaled: Picture, prompts: Sequence[Prompt], flips: bool) -> list[Answer]:
        """The network's answer to each prompt; one that was never taught calipers is asked about the whole picture."""
        if not self._calipers and prompts:
            shown = insonated(scaled, self._automatic.preprocessing)
            whole = automatic_window(shown, self._automatic.preprocessing)
            return self._run(self._automatic, shown, [(whole, ())], flips) * len(prompts)
        views = [(prompt_window(prompt, self._prompted.preprocessing), prompt) for prompt in prompts]
        return self._run(self._prompted, scaled, views, flips)

    def _run(self, part: _Part, scaled: Picture, views: Sequence[tuple[Window, Prompt]], flips: bool) -> list[Answer]:
        """The answer to each window with its calipers, all with calipers or none; the network is asked once."""
        if not views:
            return []
        prompted = bool(views[0][1])
        passes = (_PROMPTED_FLIPS if prompted else _AUTOMATIC_FLIPS) if flips else ((),)
        inputs = [network_input(scaled, window, prompt, part.preprocessing) for window, prompt in views]
        shift = 0.0 if prompted else self.settings.lesion_shift
        return self._asked(part, inputs, [window for window, _ in views], passes, scaled.shape, shift)

    def _asked(
        self,
        part: _Part,
        inputs: Sequence[Picture],
        windows: Sequence[Window],
        passes: Sequence[tuple[int, ...]],
        shape: tuple[int, ...],
        shift: float,
    ) -> list[Answer]:
        """The answer to each input, in the mirrored ``passes``; ``shift`` is added to the logit of lesion."""
        batch = np.stack([np.flip(one, axes) for one in inputs for axes in passes])
        logits = logits_of(part.forward, batch)
        if not np.isfinite(logits).all():
            raise ModelError(
                f"The network of the bundle {self.name} computes values that are not finite on this image.",
                remedy=REMEDY,
                code="model_overflow",
            )
        mirrored = logits.reshape(len(windows), len(passes), *logits.shape[1:])
        return [
            _merged(part, list(map(np.flip, several, passes)), window, shape, shift)
            for several, window in zip(mirrored, windows, strict=True)
        ]


def _merged(part: _Part, upright: Sequence[Picture], window: Window, shape: tuple[int, ...], shift: float) -> Answer:
    """One answer of the passes (1 or 2, size, size), which are turned back, for an image of this shape."""
    limit = np.float32(part.preprocessing.logit_limit)
    first, *liver = np.stack(upright, axis=1)
    logits = np.clip(first + np.float32(shift), -limit, limit)
    livers = np.clip(liver[0], -limit, limit).mean(axis=0) if liver else None
    return Answer(window, logits, (shape[0], shape[1]), part.preprocessing, livers)
