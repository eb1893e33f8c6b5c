"""Frames for the page, as lossless pictures: decoded and packed before the page asks, within a bound of memory."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

import numpy as np
from skimage.measure import find_contours

from lesion_measure.errors import InputError
from lesion_measure.image.cover import Cover
from lesion_measure.image.scan_area import scan_area
from lesion_measure.image.shown import without_colour
from lesion_measure.records import Instance, Location, Point
from lesion_measure.review import png
from lesion_measure.review.images import OpenImages, surface
from lesion_measure.review.polyline import fewer_points

KEPT_BYTES = 16 << 20
"""Packed frames that stay: some 100 grey ones of 768 x 1024 pixels. The page keeps those that it has shown."""
AHEAD = 4
"""Frames that are packed ahead, in the direction in which the page goes through the image."""
MOST_IDLE_S = 2.0
"""How long frames ahead wait at most: as long as the network takes for a few outlines."""
AREA_WITHIN_PX = 0.5
"""How far the line around the insonated area may lie off its pixels."""

_Key = tuple[Location, int]


class FrameServer:
    """Frames by image and number; any number of threads may ask.

    Parameters
    ----------
    images
        The open images.
    cover
        What of a frame may be shown; all of it where None.
    told
        Is told of every frame that a page asked for, and returns at once.
    prepare
        Is told in the background of every image that a page begins to show.
    idle
        Is not set while somebody waits for something more urgent than frames that nobody has asked for yet.
    """

    def __init__(
        self,
        images: OpenImages,
        cover: Cover | None = None,
        told: Callable[[Instance, int], None] = lambda instance, frame: None,
        prepare: Callable[[Instance], None] = lambda instance: None,
        idle: Event | None = None,
    ) -> None:
        self._idle = idle
        self._images = images
        self._cover = cover or Cover("nothing")
        self._told = told
        self._prepare = prepare
        self._lock = Lock()
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._bytes = 0
        self._last: _Key | None = None
        self._begun: Instance | None = None
        self._wanted: deque[tuple[Instance, int]] = deque()
        self._ahead = ThreadPoolExecutor(1, "frames-ahead")

    def close(self) -> None:
        """Stop looking ahead, and let all frames go."""
        self._wanted.clear()
        self._ahead.shutdown()
        self._kept.clear()

    def png(self, instance: Instance, frame: int) -> bytes:
        """One frame (1-based) as PNG: 8-bit grey where it has no colour, else RGB.

        Raises
        ------
        PixelError
            There is no such frame, or it cannot be decoded.
        InputError
            The file cannot be opened.
        """
        packed = self._packed(instance, frame)
        self._look_ahead(instance, frame)
        self._told(instance, frame)
        return packed

    def area(self, instance: Instance) -> list[list[Point]]:
        """Closed lines (row, column) around the insonated area; none where it is not known.

        Raises
        ------
        InputError
            A frame cannot be decoded.
        """
        with self._images.use(instance) as opened:
            area = scan_area(opened.image)
        if not area.known:
            return []
        lines = find_contours(np.pad(area.mask, 1).astype(np.float64), 0.5)
        return [[(float(row), float(col)) for row, col in fewer_points(line, AREA_WITHIN_PX) - 1] for line in lines]

    def _packed(self, instance: Instance, frame: int) -> bytes:
        key = instance.location, frame
        found = self._find(key)
        if found is not None:
            return found
        with self._images.use(instance) as opened:
            found = self._find(key)  # which another thread may have packed meanwhile
            if found is None:
                found = png.encode(without_colour(self._cover.shown(opened.image, frame)))
                self._keep(key, found)
        return found

    def _find(self, key: _Key) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: _Key, packed: bytes) -> None:
        with self._lock:
            self._kept[key] = packed
            self._bytes += len(packed)
            while self._bytes > KEPT_BYTES and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1])

    def _look_ahead(self, instance: Instance, frame: int) -> None:
        """Have the next frames packed, instead of what was wanted before, and the image prepared that begins."""
        with self._lock:
            begins = self._last is None or self._last[0] != instance.location
            back = self._last == (instance.location, frame + 1)
            self._last = instance.location, frame
            step, count = -1 if back else 1, min(AHEAD, instance.frames - 1)
            numbers = [(frame - 1 + step * ahead) % instance.frames + 1 for ahead in range(1, count + 1)]
            self._wanted = deque((instance, number) for number in numbers)
            self._begun = instance if begins else self._begun
        if numbers or begins:
            self._ahead.submit(self._pack_wanted).add_done_callback(surface)

    def _pack_wanted(self) -> None:
        while (wanted := self._next()) is not None:
            if self._idle is not None:
                self._idle.wait(MOST_IDLE_S)
            try:
                self._packed(*wanted)
            except InputError:
                continue  # the image remembers it, and says it when the page asks for the frame
        with self._lock:
            begun, self._begun = self._begun, None
        if begun is not None:
            self._prepare(begun)

    def _next(self) -> tuple[Instance, int] | None:
        with self._lock:
            return self._wanted.popleft() if self._wanted else None
