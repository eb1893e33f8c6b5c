"""What readings say in short, and how long: for telling where readers differ, over a whole trial at once."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock

import numpy as np

from lesion_measure.calibration import calibrate_at
from lesion_measure.config import Config
from lesion_measure.errors import MeasurementError
from lesion_measure.measure import caliper_length_mm, geometry
from lesion_measure.records import Instance
from lesion_measure.review.cases import Cases, Picture
from lesion_measure.review.images import surface
from lesion_measure.review.messages import Draft, Role
from lesion_measure.review.sizes_file import Found, Key, Said, measured_on, read_sizes, write_sizes
from lesion_measure.review.store import Mark, Store

MOST = 50_000
"""Readings of which it is remembered: some megabytes."""


class Sizes:
    """What readings say, by id, version and time of change; none of these changes, so each is measured once.

    Parameters
    ----------
    store, cases
        The readings and the images that they lie on.
    config
        Settings: ``calibration``.
    file
        Where sizes are kept for the next start.
    """

    def __init__(self, store: Store, cases: Cases, config: Config, file: Path) -> None:
        self._store, self._cases, self._config, self._file = store, cases, config, file
        self._known: OrderedDict[Key, Found] = OrderedDict(read_sizes(file))
        self._measured_on: dict[str, str] = {}
        self._lock = Lock()
        self._is_new = False

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Measure what the first worklist will ask for, in the background for as long as the context lasts."""
        ends = Event()
        pool = ThreadPoolExecutor(1, "sizes")
        pool.submit(self._look_ahead, ends).add_done_callback(surface)
        try:
            yield
        finally:
            ends.set()
            pool.shutdown()
            self._write()

    def _look_ahead(self, ends: Event) -> None:
        """All that several readers have signed: they may disagree."""
        signed = Counter(each.subject for each in self._store.signatures() if each.role is Role.READER)
        for subject in dict.fromkeys(mark.subject for mark in self._store.marks() if self._find(mark) is None):
            if ends.is_set():
                return
            if signed[subject] > 1:
                self._look(subject)
        self._write()

    def of(self, mark: Mark) -> Said | None:
        """What a reading says; None where it is another version by now."""
        if self._find(mark) is None:
            self._look(mark.subject)
        return self._find(mark)

    def _find(self, mark: Mark) -> Said | None:
        picture = self._cases.of_uid(mark.image_uid)
        with self._lock:
            found = self._known.get((mark.id, mark.version, mark.changed))
        return found.said if picture and found and found.measured_on == self._on(picture) else None

    def _on(self, picture: Picture) -> str:
        uid = picture.instance.sop_instance_uid
        if uid not in self._measured_on:
            self._measured_on[uid] = measured_on(picture.instance, self._config)
        return self._measured_on[uid]

    def _look(self, subject: str) -> None:
        """Measure all readings of a child: whoever asks of one asks of the others."""
        for kept in self._store.readings(subject):
            picture = self._cases.of_uid(kept.image_uid)
            if picture is not None and self._find(kept.mark) is None:
                said = kept.draft.kind, longest_mm(picture.instance, kept.draft, self._config)
                with self._lock:
                    self._known[kept.id, kept.version, kept.changed] = Found(said, self._on(picture))
                    self._is_new = True
                    while len(self._known) > MOST:
                        self._known.popitem(last=False)

    def _write(self) -> None:
        """Keep the sizes for the next start, where some are new."""
        with self._lock:
            known, is_new, self._is_new = dict(self._known), self._is_new, False
        if is_new:
            write_sizes(self._file, known)


def longest_mm(instance: Instance, draft: Draft, config: Config) -> float | None:
    """Longest diameter of what is drawn, mm, by the scale at its points; None where there is none."""
    points = draft.contour or draft.long
    if points is None:
        return None
    spacing = calibrate_at(instance, points, config.calibration).spacing_mm
    if spacing is None:
        return None
    if draft.contour is not None:
        return float(geometry.farthest_pair(np.array(points) * spacing).length)
    try:
        return caliper_length_mm(points[0], points[1], spacing)
    except MeasurementError:  # which whoever opens the case is told
        return None
