"""A request that is answered by a `Problem`."""

from __future__ import annotations

from typing import Literal

from lesion_measure.review.messages import Problem


class RefusedError(Exception):
    """Raised inside a route; the app answers with ``status`` and ``problem``."""

    def __init__(self, status: int, code: str, reason: str, remedy: str = "", after_s: int | None = None) -> None:
        self.status = status
        self.problem = Problem(code=code, reason=reason, remedy=remedy, after_s=after_s)
        super().__init__(reason)


def unknown(what: Literal["case", "image"]) -> RefusedError:
    """There is nothing of that id."""
    return RefusedError(404, f"no_{what}", f"There is no such {what}.", "Reload the page.")
