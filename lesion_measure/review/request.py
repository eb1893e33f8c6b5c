"""What somebody asked for who opens the reading room."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.job.folder import FINISHED
from lesion_measure.job.request import RunRequest
from lesion_measure.review.messages import Role, TableName


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest:
    """What somebody asked for who opens the reading room.

    ``run`` names the scans, the results folder, the tables and the settings as a run does. ``reader`` and ``role`` are
    those of whoever has the token; with ``users``, a file of names and passwords, there is no token. ``seed`` orders
    cases and visits in blinded reading. ``database`` is a URL; None: a file in the results folder. ``public_url`` is
    the address that browsers know where a proxy stands before the server; ``tls`` are certificate and key.
    """

    run: RunRequest
    network: bool = True
    reader: str = "reader"
    role: Role = Role.READER
    blinded: bool = False
    seed: int = 0
    users: Path | None = None
    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 8765
    public_url: str = ""
    tls: tuple[Path, Path] | None = None

    @property
    def tables(self) -> tuple[TableName, ...]:
        """What may be taken out of the room: no table in blinded reading, since tables say whose readings they are.

        The audit holds what others drew and have not signed, and a part of it would not have its chain. Where several
        people come in, it is for whoever keeps the data (`lesion-measure export --readings`).
        """
        if self.blinded:
            return ()
        return ("calipers", "audit", "agreement") if self.users is None else ("calipers", "agreement")

    def next_run(self) -> str | None:
        """What to type so that a run takes the signed readings; None in blinded reading, where folders may tell."""
        if self.blinded:
            return None
        run = self.run
        words = ["lesion-measure", "run", str(run.input), "-o", str(run.out)]
        options = (("--manifest", run.manifest), ("--subjects", run.subjects), ("--config", run.config_file))
        for option, path in options:
            words += [option, str(path)] if path else []
        words += ["--overwrite"] * (run.out / FINISHED).exists()
        return shlex.join(words)
