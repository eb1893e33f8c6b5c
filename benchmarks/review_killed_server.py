"""A reading room's server is killed while somebody reads: is everything there that it said was kept?

Each round starts the real server, edits readings over HTTP as fast as it answers, and kills the process at a random
moment. What the next server tells must be what was acknowledged; of the one request that had no answer, either state
will do. At the end the audit must hold every acknowledged step, and its chain must be whole.

    python benchmarks/review_killed_server.py --kills 30
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from review_server import running

from lesion_measure.review.store import Store, beside

SCANS = Path(__file__).resolve().parent.parent / "sample_dicoms" / "SIM-01"
LONGEST_S = 1.5
"""Longest editing before a kill."""
Draft = dict[str, Any]


class LostError(AssertionError):
    """Something that was acknowledged is not there, or something is there that nobody asked for."""


@dataclass(slots=True)
class Known:
    """What the server acknowledged: readings as (version, draft) by id, comments, the signature, and its steps."""

    readings: dict[str, tuple[int, Draft]] = field(default_factory=dict)
    comments: int = 0
    signed: bool = False
    steps: int = 0

    def copy(self) -> Known:
        return Known(dict(self.readings), self.comments, self.signed, self.steps)

    def seen(self) -> tuple[list[tuple[int, Draft]], int, bool]:
        """All that can be compared where the id of a reading is not known, since its answer never came."""
        by_place = sorted(self.readings.values(), key=lambda each: (each[1]["image"], each[1]["lesion"]))
        return by_place, self.comments, self.signed


class Editor:
    """Edits one case at random, and keeps account of what was acknowledged.

    ``known`` is what the server acknowledged; ``perhaps`` the same with the request that has no answer yet.
    """

    def __init__(self, client: httpx.Client, case: str, chance: random.Random, known: Known) -> None:
        self._client, self._case, self._chance = client, f"/api/cases/{case}", chance
        self.known, self.perhaps = known, known.copy()
        whole = client.get(self._case).json()
        self._images = [image["id"] for visit in whole["visits"] for image in visit["images"]]

    def edit(self) -> None:
        """Edit until the server is gone."""
        while True:
            self.perhaps = self.known.copy()
            try:
                self._one()
            except httpx.TransportError:
                return

    def _one(self) -> None:
        if self.known.signed:
            return self._said("POST", f"{self._case}/reopen", {"why": "again"}, _reopened)
        kinds: list[Callable[[], None]] = [self._add, self._comment]
        kinds += [self._change, self._change, self._remove, self._sign] if self.known.readings else []
        return self._chance.choice(kinds)()

    def _add(self) -> None:
        taken = {(draft["image"], draft["lesion"]) for _, draft in self.known.readings.values()}
        draft = self._draft(self._chance.choice(self._images), f"L{self._chance.randrange(9)}")
        if (draft["image"], draft["lesion"]) not in taken:
            self._said("POST", f"{self._case}/readings", draft, lambda known, told: _kept(known, told, draft))

    def _change(self) -> None:
        id_, (version, old) = self._any()
        draft = self._draft(old["image"], old["lesion"])
        body = {"version": version, "draft": draft, "why": "edge"}
        told = {"id": id_, "version": version + 1}
        self._said("PUT", f"/api/readings/{id_}", body, lambda known, _: _kept(known, told, draft))

    def _remove(self) -> None:
        id_, (version, _) = self._any()
        self._said("DELETE", f"/api/readings/{id_}", {"version": version}, lambda known, _: known.readings.pop(id_))

    def _comment(self) -> None:
        self._said("POST", f"{self._case}/comments", {"why": "seen"}, _commented)

    def _sign(self) -> None:
        versions = {id_: version for id_, (version, _) in self.known.readings.items()}
        self._said("POST", f"{self._case}/sign", {"versions": versions}, _signed)

    def _said(self, method: str, path: str, body: Any, effect: Callable[[Known, dict[str, Any]], object]) -> None:
        effect(self.perhaps, {"id": "not told", "version": 1})
        answer = self._client.request(method, path, json=body)
        if answer.status_code != 200:
            raise LostError(f"{method} {path}: {answer.status_code} {answer.text}")
        effect(self.known, answer.json())
        self.known.steps += 1

    def _any(self) -> tuple[str, tuple[int, Draft]]:
        return self._chance.choice(sorted(self.known.readings.items()))

    def _draft(self, image: str, lesion: str) -> Draft:
        row = self._chance.uniform(150, 350)
        long = [[row, 200.0], [row, self._chance.uniform(250, 400)]]
        return {"image": image, "frame": 1, "lesion": lesion, "kind": "caliper", "long": long}


def _kept(known: Known, told: dict[str, Any], draft: Draft) -> None:
    known.readings[told["id"]] = told["version"], draft


def _commented(known: Known, _: object) -> None:
    known.comments += 1


def _signed(known: Known, _: object) -> None:
    known.signed = True


def _reopened(known: Known, _: object) -> None:
    known.signed = False


def told(client: httpx.Client, case: str) -> Known:
    """What a new server tells of the case."""
    whole = client.get(f"/api/cases/{case}").json()
    names = ("image", "frame", "lesion", "kind", "long")
    readings = {
        each["id"]: (each["version"], {name: each["draft"][name] for name in names}) for each in whole["readings"]
    }
    return Known(readings, len(whole["comments"]), whole["locked"])


def rounds(out: Path, kills: int, seed: int, *, say: Callable[[str], None] = lambda line: None) -> int:
    """Edit and kill; returns how many steps were acknowledged.

    Raises
    ------
    LostError
        Something that was acknowledged was lost.
    """
    chance = random.Random(seed)
    known = perhaps = Known()
    for number in range(kills + 1):
        with running(SCANS, out, "--no-network") as (process, client):
            case = client.get("/api/worklist").json()["cases"][0]["id"]
            now = told(client, case)
            if now.seen() not in (known.seen(), perhaps.seen()):
                raise LostError(f"after kill {number}: {now.seen()} is neither {known.seen()} nor {perhaps.seen()}")
            now.steps = known.steps
            if number == kills:
                break
            editor = Editor(client, case, chance, now)
            wait = chance.uniform(0.02, LONGEST_S)
            killer = threading.Timer(wait, process.kill)
            killer.daemon = True
            killer.start()
            editor.edit()
            say(f"kill {number + 1} after {wait:.2f} s: {editor.known.steps - known.steps} steps acknowledged")
            known, perhaps = editor.known, editor.perhaps
    with Store(beside(out)) as store:
        steps = store.audit()
        if store.first_broken() is not None or not known.steps <= len(steps) <= known.steps + kills:
            raise LostError(f"the audit holds {len(steps)} steps of {known.steps} acknowledged, or is not whole")
    return known.steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        steps = rounds(Path(folder) / "out", asked.kills, asked.seed, say=print)
    print(f"{asked.kills} kills, {steps} steps acknowledged, none lost")


if __name__ == "__main__":
    main()
