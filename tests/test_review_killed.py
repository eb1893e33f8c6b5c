"""Writers of readings that are killed lose nothing that the store had returned from (a short `review_killed.py`)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import review_killed

from lesion_measure.review.store import Store, beside


def test_killed_writers_lose_nothing_that_was_kept(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_killed, "LONGEST_S", 0.3)
    assert review_killed.rounds(database_url, 6, seed=3) >= 6 * len(review_killed.WRITERS)


def test_a_lost_write_would_be_seen(tmp_path: Path) -> None:
    chance = random.Random(1)
    with Store(beside(tmp_path)) as store:
        said = [told for _ in range(30) if (told := review_killed.one_write(store, "R1", chance)) is not None]
        review_killed._check(store, {"R1": said}, 0)
        for wrong in ([*said, ["comment", "", "never kept"]], said[:-2], [said[1], said[0], *said[2:]]):
            with pytest.raises(review_killed.LostError):
                review_killed._check(store, {"R1": wrong}, 0)
