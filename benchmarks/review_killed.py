"""Processes that write readings are killed: is everything kept that the store had returned from?

Each round starts two writers on one database, kills each at a random moment, and looks: every write that returned has
its step in the audit, in the writer's order; at most one more of each writer is there; the readings are what the audit
adds up to, and its chain holds. `review_killed_server.py` asks the same of the whole server, over HTTP.

    python benchmarks/review_killed.py --kills 30
    python benchmarks/review_killed.py --kills 30 --database postgresql://USER@HOST/EMPTY
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lesion_measure.errors import ConflictError
from lesion_measure.review.messages import Draft, Kind
from lesion_measure.review.store import Store, beside

WRITERS = ("R1", "R2")
LONGEST_S = 1.0
LESIONS = 12
_BEGUN = "begun"


class LostError(AssertionError):
    """Something that was acknowledged is not there, or something is there that nobody asked for."""


def write(url: str, reader: str, seed: int) -> None:
    """Write at random until killed; a line of each write goes out when the store has returned from it."""
    chance = random.Random(seed)
    with Store(url) as store:
        print(_BEGUN, flush=True)
        while True:
            said = one_write(store, reader, chance)
            if said is not None:
                print(json.dumps(said), flush=True)


def one_write(store: Store, reader: str, chance: random.Random) -> list[str] | None:
    """One write, and what the audit must hold of it: action, reading and a word of its own; None: it was refused."""
    own, word = store.readings(reader=reader), f"{chance.getrandbits(64):016x}"
    kind = chance.choice(["add", "change", "remove", "comment"])
    if kind == "comment":
        store.comment("S1", reader, word)
        return ["comment", "", word]
    if kind == "add" or not own:
        try:
            kept = store.add("S1", "baseline", "1.2.3", _draft(chance, f"L{chance.randrange(LESIONS)}", word), reader)
        except ConflictError:
            return None
        return ["add", kept.id, word]
    kept = chance.choice(own)
    if kind == "change":
        store.change(kept.id, _draft(chance, kept.draft.lesion, word), kept.version, reader)
    else:
        store.remove(kept.id, kept.version, reader, word)
    return [kind, kept.id, word]


def _draft(chance: random.Random, lesion: str, word: str) -> Draft:
    contour = tuple((chance.uniform(0, 500), chance.uniform(0, 500)) for _ in range(200))
    return Draft(image="ab" * 8, frame=1, lesion=lesion, kind=Kind.OUTLINE, contour=contour, comment=word)


def rounds(url: str, kills: int, seed: int, *, say: Callable[[str], None] = lambda line: None) -> int:
    """Write and kill; returns how many writes were acknowledged.

    Raises
    ------
    LostError
        Something that was acknowledged was lost, or the audit does not hold.
    """
    chance = random.Random(seed)
    known: dict[str, list[list[str]]] = {reader: [] for reader in WRITERS}
    unsaid = 0
    for number in range(1, kills + 1):
        before = sum(map(len, known.values()))
        _one_round(url, chance, known)
        unsaid += len(WRITERS)
        with Store(url) as store:
            _check(store, known, unsaid)
            for reader in WRITERS:  # what came without an answer is known from here on
                known[reader] = _steps(store, reader)
        say(f"kill {number}: {sum(map(len, known.values())) - before} writes")
        unsaid = 0
    return sum(map(len, known.values()))


def _one_round(url: str, chance: random.Random, known: dict[str, list[list[str]]]) -> None:
    writers = {
        reader: subprocess.Popen(
            [sys.executable, __file__, "--write", url, reader, str(chance.getrandbits(32))],
            stdout=subprocess.PIPE,
            text=True,
        )
        for reader in WRITERS
    }
    first = {}
    for reader, writer in writers.items():
        assert writer.stdout is not None
        assert writer.stdout.readline().strip() == _BEGUN
        first[reader] = writer.stdout.readline()
    for reader in chance.sample(WRITERS, len(WRITERS)):
        time.sleep(chance.uniform(0.02, LONGEST_S))
        writers[reader].kill()
    for reader, writer in writers.items():
        told, _ = writer.communicate()
        lines = (first[reader] + told).splitlines()
        known[reader] += [json.loads(line) for line in lines if line.endswith("]")]  # the last one may be cut


def _steps(store: Store, reader: str) -> list[list[str]]:
    """What the audit holds of a writer, as the writer says it."""
    words = {"comment": lambda s: s.after["text"], "remove": lambda s: s.why}
    return [
        [step.action, step.reading, words.get(step.action, lambda s: s.after["comment"])(step)]
        for step in store.audit(reader=reader)
    ]


def _check(store: Store, known: dict[str, list[list[str]]], unsaid: int) -> None:
    for reader, acknowledged in known.items():
        there = _steps(store, reader)
        if there[: len(acknowledged)] != acknowledged or len(there) > len(acknowledged) + 1:
            raise LostError(f"{reader}: {len(acknowledged)} writes were acknowledged, the audit holds others")
    steps = store.audit()
    if (broken := store.first_broken()) is not None:
        raise LostError(f"the audit does not hold at step {broken}")
    if len(steps) > sum(map(len, known.values())) + unsaid:
        raise LostError("the audit holds more than was asked for")
    added: dict[str, tuple[int, Any]] = {}
    for step in steps:
        if step.action in ("add", "change"):
            added[step.reading] = (added.get(step.reading, (0, None))[0] + 1, step.after)
        elif step.action == "remove":
            del added[step.reading]
    kept = {each.id: (each.version, each.draft.model_dump(mode="json")) for each in store.readings()}
    if kept != added:
        raise LostError("the readings are not what the audit adds up to")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", help="URL of an empty database; a SQLite file if left out")
    parser.add_argument("--write", nargs=3, metavar=("URL", "READER", "SEED"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        write(asked.write[0], asked.write[1], int(asked.write[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        writes = rounds(asked.database or beside(Path(folder)), asked.kills, asked.seed, say=print)
    print(f"{asked.kills} kills of {len(WRITERS)} writers, {writes} writes, none lost")


if __name__ == "__main__":
    main()
