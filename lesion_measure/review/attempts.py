"""Passwords and tokens that fail make the next try wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

_FREE = 5
"""Failures that cost nothing: people mistype."""
_LONGEST = 300.0
_FORGOTTEN = 3600.0
_MOST = 1000


class Attempts:
    """Failed tries by whoever makes them; the longer the row, the longer the wait.

    Parameters
    ----------
    clock
        Seconds; tests give one of their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, tuple[int, float]] = {}
        self._lock = Lock()

    def wait(self, who: str) -> float:
        """Seconds until the next try of somebody is looked at; 0: at once."""
        with self._lock:
            count, last = self._failed.get(who, (0, 0.0))
            pause = min(2.0 ** (count - _FREE), _LONGEST) if count >= _FREE else 0.0
            return max(0.0, last + pause - self._clock())

    def failed(self, who: str) -> None:
        """Note that a try failed; those long ago are forgotten."""
        with self._lock:
            now = self._clock()
            self._failed = {each: f for each, f in self._failed.items() if now - f[1] < _FORGOTTEN}
            while len(self._failed) >= _MOST:
                del self._failed[min(self._failed, key=lambda each: self._failed[each][1])]
            self._failed[who] = self._failed.get(who, (0, 0.0))[0] + 1, now

    def succeeded(self, who: str) -> None:
        """Forget the failures of somebody."""
        with self._lock:
            self._failed.pop(who, None)
