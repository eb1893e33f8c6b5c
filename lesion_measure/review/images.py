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

MOST_OPEN = 24
"""Images open at a time: those of one child, as a rule."""
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
    """Images by their file, each used by one thread at a time; those longest unused are closed.

    Parameters
    ----------
    config
        Settings; the bounds on what is read and what counts as insonated.
    most
        How many images stay open.
    """

    def __init__(self, config: Config, most: int = MOST_OPEN) -> None:
        self._config = config
        self._most = most
        self._lock = Lock()
        self._open: OrderedDict[Location, Opened] = OrderedDict()

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
            for opened in self._open.values():
                opened.image.close()
            self._open.clear()

    def _taken(self, instance: Instance) -> Opened:
        opened = self._open.pop(instance.location, None)
        if opened is None:
            image = OpenImage(instance, self._config.limits, KEPT_BYTES)
            opened = Opened(image, Beam(image, self._config))
        opened.users += 1
        self._open[instance.location] = opened  # at the end: the one used last
        idle = [place for place, other in self._open.items() if not other.users]
        for place in idle[: max(0, len(self._open) - self._most)]:
            self._open.pop(place).image.close()
        return opened


def surface(done: Future[None]) -> None:
    """Let a defect in what nobody waits for surface in the log; to be called back when it is done."""
    if not done.cancelled():
        done.result()
