"""What is tried again, how often, and when: a busy server and a lost connection, never a refusal."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lesion_measure.config.pacs import Patience
from lesion_measure.errors import PacsError

BUSY = frozenset((408, 429, 503, 504))
"""HTTP's words for 'later'."""
_LONGEST_WAIT_S = 120.0

_Any = TypeVar("_Any")


class Transient(Exception):  # noqa: N818 - no error yet: it becomes one when the tries are used up
    """What may be better in a moment; ``error`` is what it comes to if it is not.

    ``wait_s`` is how long the server asks to be left alone.
    """

    def __init__(self, error: PacsError, wait_s: float | None = None) -> None:
        self.error = error
        self.wait_s = wait_s
        super().__init__(str(error))


@dataclass(frozen=True, slots=True)
class Retry:
    """Tries with waits that double; ``sleep`` is a test's to replace."""

    patience: Patience
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, work: Callable[[], _Any]) -> _Any:
        """The outcome of the first try that succeeds.

        Raises
        ------
        PacsError
            That of the last try, or of one that no further try would mend.
        """
        wait_s = self.patience.wait_s
        for left in range(self.patience.attempts - 1, -1, -1):
            try:
                return work()
            except Transient as again:
                if not left:
                    raise again.error from again
                asked = min(again.wait_s or 0.0, _LONGEST_WAIT_S)
                # Apart by chance, so that those who were sent away together do not come back together.
                self.sleep(max(asked, wait_s * random.uniform(0.8, 1.2)))  # noqa: S311 - no secret
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        raise AssertionError("attempts is at least one")
