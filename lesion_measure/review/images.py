"""Images that stay open between the requests of a page, some at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.image.beam import Beam
from lesion_measure.records import Instance, Location

MOST_KNOWN = 12
"""Images whose insonated area is known: those of one child, as a rule."""
MOST_OPEN = 6
"""Those of them whose file is open and whose last frames are decoded: as many as one screen shows."""
KEPT_BYTES = 4 << 20
"""Decoded frames of one image that stay: one in colour of 768 x 1024 pixels, or five grey ones."""


@dataclass(slots=True)
class Opened:
    """One open image, its insonated areas, and how many are using or waiting for it."""

    image: OpenImage
    beam: Beam
    lock: Lock = field(default_factory=Lock)
    users: int = 0


class OpenImages:
    """Images by their file, each used by one thread at a time; those longest unused are closed, and then forgotten.

    Parameters
    ----------
    config
        Settings; the bounds on what is read and what counts as insonated.
    most
        How many images are known at a time.
    """

    def __init__(self, config: Config, most: int = MOST_KNOWN) -> None:
        self._config = config
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[Location, Opened] = OrderedDict()

    @contextmanager
    def use(self, instance: Instance) -> Iterator[Opened]:
        """The open image for as long as the context lasts; a second thread that asks for it waits."""
        with self._lock:
            opened = self._taken(instance)
        try:
            with opened.lock:
                yield opened
        finally:
            with self._lock:
                opened.users -= 1

    def close(self) -> None:
        """Close all images; none may be in use."""
        with self._lock:
            for known in self._known.values():
                known.image.close()
            self._known.clear()

    def _taken(self, instance: Instance) -> Opened:
        taken = self._known.pop(instance.location, None)
        if taken is None:
            image = OpenImage(instance, self._config.limits, KEPT_BYTES)
            taken = Opened(image, Beam(image, self._config))
        taken.users += 1
        self._known[instance.location] = taken  # at the end: the one used last
        idle = [(place, known) for place, known in self._known.items() if not known.users]
        for _, known in idle[: max(0, len(self._known) - MOST_OPEN)]:
            known.image.close()  # which opens again when a frame is asked for
        for place, _ in idle[: max(0, len(self._known) - self._most)]:
            del self._known[place]
        return taken


def surface(done: Future[None]) -> None:
    """Let a defect in what nobody waits for surface in the log; to be called back when it is done."""
    if not done.cancelled():
        done.result()
