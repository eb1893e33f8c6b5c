"""The network's outline of what a reader clicks, boxes or measures; one inference at a time, the newest asked first.

The network loads in the background. It looks at a frame when a page has shown it for a moment, so that a click need
not wait for that.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Lock, Timer
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lesion_measure.calibration import calibrate
from lesion_measure.config import Config
from lesion_measure.errors import InputError, LesionMeasureError, MeasurementError, ModelError
from lesion_measure.image.network_frame import network_frame
from lesion_measure.image.prompted import common_region, unsure_of
from lesion_measure.records import CalibratedRegion, ImageLabel, Instance, LesionMask, Location, Point
from lesion_measure.review.images import OpenImages, surface
from lesion_measure.review.measuring import Measurer
from lesion_measure.review.messages import MOST_POINTS, Line, Measure, Outlined, Prompt
from lesion_measure.review.polyline import fewer_points

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter
    from lesion_measure.network.seen import SeenPicture

CONTOUR_WITHIN_PX = 0.05
"""How far the contour that the page gets may lie off the network's."""
DWELL_S = 0.25
"""How long a frame has been shown when the network looks at it."""
MOST_SEEN = 6
"""Pictures of which the network's answer is kept: those on one screen."""
FROM_A_CLICK = "It comes from one click: check its size."
NOTHING_THERE = "The network finds no lesion there."
OVERTAKEN = "Something newer was asked for."

_ANY_SIDE, _ANY_LINE = 64, ((32.0, 16.0), (32.0, 48.0))
"""A picture and a caliper that show nothing, to warm up with."""

_Place = tuple[Location, int, int, int, int, int]
"""File, frame, and first and last row and column of the region."""


class Outliner:
    """Outlines by a network; any number of threads may ask.

    Parameters
    ----------
    load
        Loads the network; called once, in the background.
    config
        The settings of the run.
    images, measurer
        The open images, and what measures on them.
    """

    def __init__(self, load: Callable[[], Segmenter], config: Config, images: OpenImages, measurer: Measurer) -> None:
        self._config = config
        self._images = images
        self._measurer = measurer
        self._lock = Lock()
        self._segmenter: Segmenter | None = None
        self._failure: ModelError | None = None
        self._newest: dict[str, int] = {}
        self._waiting = 0
        self.idle = Event()
        """Set while nobody waits for an outline: then there is time for what nobody has asked for yet."""
        self.idle.set()
        self._shown: OrderedDict[Location, tuple[Instance, int]] = OrderedDict()
        self._timer: Timer | None = None
        self._steps: Iterator[None] = iter(())
        self._seen: OrderedDict[_Place, SeenPicture] = OrderedDict()
        self._closed = False
        self._pool = ThreadPoolExecutor(1, "network")
        self._later(lambda: self._load(load))

    def close(self) -> None:
        """Stop; what was asked for last is still answered."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
        self._pool.shutdown(cancel_futures=True)

    @property
    def network(self) -> str | None:
        """Name of the network; None as long as it is not loaded, and where it cannot be."""
        return None if self._segmenter is None else self._segmenter.name

    def outline(self, instance: Instance, prompt: Prompt, asker: str = "") -> Outlined:
        """Outline the lesion that is clicked, boxed or measured.

        What stands in the way is the answer's ``reason``. The answer waits until the network is loaded. Where the same
        ``asker`` asks again before it is that one's turn, the older answer is none.
        """
        with self._lock:
            turn = self._newest[asker] = self._newest.get(asker, 0) + 1
        with self._waited_for():
            return self._pool.submit(self._outlined, instance, prompt, asker, turn).result()

    @contextmanager
    def _waited_for(self) -> Iterator[None]:
        with self._lock:
            self._waiting += 1
            self.idle.clear()
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                if self._waiting == 0:
                    self.idle.set()

    def prepare(self, instance: Instance, frame: int) -> None:
        """Tell that a page shows a frame: the network looks at it soon, unless another frame follows at once."""
        with self._lock:
            self._shown.pop(instance.location, None)
            self._shown[instance.location] = instance, frame
            while len(self._shown) > MOST_SEEN:
                self._shown.popitem(last=False)
            self._steps = iter(())  # of frames shown before: they would be in the way of those that are being shown
            if self._timer is not None:
                self._timer.cancel()
            self._timer = Timer(DWELL_S, self._begin)
            self._timer.daemon = True
            self._timer.start()

    def _load(self, load: Callable[[], Segmenter]) -> None:
        try:
            segmenter = load()
            # The first answers take the longest, and all the memory there is to take.
            for prompt in (None, [_ANY_LINE]):
                segmenter.segment(np.full((_ANY_SIDE, _ANY_SIDE), 100, np.uint8), prompt)
            segmenter.clicked(segmenter.look(np.full((_ANY_SIDE, _ANY_SIDE), 100, np.uint8)), _ANY_LINE[0])
            self._segmenter = segmenter
        except ModelError as error:
            self._failure = error

    def _outlined(self, instance: Instance, prompt: Prompt, asker: str, turn: int) -> Outlined:
        if self._newest[asker] != turn:
            return Outlined(contour=None, reason=OVERTAKEN)
        if self._segmenter is None:  # which was tried before, in this very thread
            return Outlined(contour=None, reason=f"There is no network: {self._failure}")
        try:
            mask = self._mask(self._segmenter, instance, prompt)
        except LesionMeasureError as error:
            return Outlined(contour=None, reason=f"{error.reason} {error.remedy}".rstrip())
        if mask is None:
            return Outlined(contour=None, reason=NOTHING_THERE)
        contour = simplified(mask.outline_px)
        drawing = Measure(image=prompt.image, frame=prompt.frame, contour=contour)
        sure, doubt = self._trust(self._segmenter, mask, prompt.click is not None)
        return Outlined(
            contour=contour,
            confidence=sure,
            accepted=not doubt,
            measured=self._measurer.measure(instance, ImageLabel(), drawing),
            reason=doubt or None,
        )

    def _trust(self, segmenter: Segmenter, mask: LesionMask, by_click: bool) -> tuple[float | None, str]:
        """How sure an outline is, where that is known, and why it is not accepted; empty where it is."""
        if by_click:
            return (mask.confidence if segmenter.settings.confidence.click else None), FROM_A_CLICK
        doubt = unsure_of(mask, segmenter, self._config.segment)
        return mask.confidence, f"The network is not sure: {doubt}." if doubt else ""

    def _mask(self, segmenter: Segmenter, instance: Instance, prompt: Prompt) -> LesionMask | None:
        """What the network draws for a prompt; None where that is nothing."""
        from lesion_measure.network.click import segment_click  # which loads torch
        from lesion_measure.network.segment import in_region, prompted_masks, segment_frame

        settings = self._config.segment
        points = [prompt.click] if prompt.click else [end for line in _lines(prompt) for end in line]
        region = common_region(instance, points, self._config)
        if prompt.click is None:
            luminance = self._luminance(instance, prompt.frame)
            masks = segment_frame(segmenter, luminance, region, settings, _lines(prompt))
        else:
            picture, click = self._look(segmenter, instance, prompt.frame, region), in_region(prompt.click, region)
            found = segment_click(segmenter, picture, click, level=settings.threshold, flips=settings.test_time_flips)
            masks = prompted_masks(found.lesions, region, settings)
        return next(iter(masks), None)

    def _look(self, segmenter: Segmenter, instance: Instance, frame: int, region: CalibratedRegion) -> SeenPicture:
        from lesion_measure.network.segment import shown_part

        key = instance.location, frame, region.row_min, region.row_max, region.col_min, region.col_max
        picture = self._seen.pop(key, None)
        if picture is None:
            picture = segmenter.look(shown_part(self._luminance(instance, frame), region))
        self._seen[key] = picture  # at the end: the one used last
        while len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        return picture

    def _luminance(self, instance: Instance, frame: int) -> NDArray[np.uint8]:
        with self._images.use(instance) as opened:
            return network_frame(opened.image, frame, self._config.segment)

    def _begin(self) -> None:
        with self._lock:
            shown = list(reversed(self._shown.values()))
        segmenter = self._segmenter
        if segmenter is not None:
            self._steps = self._looks(segmenter, shown)
            self._later(self._step)

    def _step(self) -> None:
        """One step of looking ahead; what was asked for meanwhile comes before the next one."""
        if next(self._steps, self) is None:
            self._later(self._step)

    def _later(self, work: Callable[[], None]) -> None:
        with self._lock:
            if not self._closed:
                self._pool.submit(work).add_done_callback(surface)

    def _looks(self, segmenter: Segmenter, shown: Sequence[tuple[Instance, int]]) -> Iterator[None]:
        """Look at frames, the last shown first, as a click on them will need it."""
        from lesion_measure.network.click import LEVELS

        for instance, frame in shown:
            region = calibrate(instance, self._config.calibration).region
            if region is None:
                continue
            try:
                picture = self._look(segmenter, instance, frame, region)
                for level in LEVELS:
                    yield
                    segmenter.parts(picture, level=level)
            except (InputError, MeasurementError, ModelError):
                continue  # whoever clicks there is told
            yield


def simplified(outline_px: NDArray[np.float64]) -> tuple[Point, ...]:
    """A closed outline (n, 2) by fewer points, the first not repeated; off it by `CONTOUR_WITHIN_PX` at most.

    Only where that takes more points than a message may hold, it is off by more.
    """
    within = CONTOUR_WITHIN_PX
    while len(points := fewer_points(outline_px, within)) > MOST_POINTS:
        within *= 2
    return tuple((float(row), float(col)) for row, col in points[:-1])


def _lines(prompt: Prompt) -> list[Line]:
    """The calipers that a prompt stands for.

    Raises
    ------
    MeasurementError
        It is none: neither a click nor a box nor a long axis.
    """
    from lesion_measure.network.box import box_lines

    if prompt.box is not None:
        top, left, bottom, right = prompt.box
        return box_lines((min(top, bottom), min(left, right), max(top, bottom), max(left, right)))
    if prompt.long is None:
        raise MeasurementError(
            "Nothing was drawn that the network could outline.",
            remedy="Click in the lesion, draw a box around it, or draw its long axis.",
            code="no_prompt",
        )
    return [prompt.long] if prompt.short is None else [prompt.long, prompt.short]
