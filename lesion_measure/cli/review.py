"""``lesion-measure review``: the reading room."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesion_measure.cli.exits import fail
from lesion_measure.cli.options import Backend, ConfigFile, Device, Input, check_calipers, check_subjects, read_config
from lesion_measure.cli.paths import there
from lesion_measure.cli.speech import say

if TYPE_CHECKING:
    from lesion_measure.review.request import ReviewRequest

EXAMPLES = (
    "Examples:\n\n  lesion-measure review sample_dicoms -o out\n\n"
    "  lesion-measure review scans -o out --blinded --seed 7 --reader reader-1"
)

KEPT = "Every reading that the page called saved is kept; the same command opens them again."

Out = Annotated[
    Path,
    typer.Option("-o", "--out", help="Results folder, of a run or new: readings go there.", file_okay=False),
]
Manifest = Annotated[
    Path | None,
    typer.Option(
        help="Table that says which file is which visit (lesion-measure help visits).",
        callback=there("manifest", remedy="'lesion-measure help visits' describes it."),
    ),
]
Calipers = Annotated[
    Path | None,
    typer.Option(help="Calipers to show as earlier readings, as run takes them.", callback=check_calipers),
]
Subjects = Annotated[
    Path | None,
    typer.Option(help="Table of ages, forms and exclusions (lesion-measure help protocol).", callback=check_subjects),
]
Model = Annotated[Path | None, typer.Option(help="Model bundle that outlines lesions. Default: the shipped one.")]
NoNetwork = Annotated[bool, typer.Option("--no-network", help="Read without a network.")]
Reader = Annotated[str, typer.Option(help="Name of whoever reads.")]
AsRole = Annotated[str, typer.Option("--role", metavar="reader|adjudicator", help="What whoever reads may do.")]
BlindedReading = Annotated[
    bool, typer.Option("--blinded", help="Hide who it is, dates, the order of visits and other readings.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of the order of cases and visits in blinded reading.")]
Users = Annotated[
    Path | None,
    typer.Option(
        help="File of names and passwords that 'lesion-measure review-user' makes.",
        callback=there("file of users", remedy="'lesion-measure review-user' makes it."),
    ),
]
Database = Annotated[
    str | None, typer.Option(metavar="URL", help="Database of the readings. Default: a file in OUT/review.")
]
Host = Annotated[str, typer.Option(help="Address to listen at; beyond this machine see help reading_room.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0: any that is free.")]
PublicUrl = Annotated[str, typer.Option(metavar="URL", help="Address that browsers know, where a proxy serves TLS.")]
Certificate = Annotated[
    Path | None, typer.Option("--tls-cert", metavar="FILE", help="TLS certificate, PEM.", callback=there("certificate"))
]
Key = Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Its key, PEM.", callback=there("key"))]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Open no browser, only print the address.")]


def review(
    input_: Input,
    out: Out,
    calipers: Calipers = None,
    manifest: Manifest = None,
    subjects: Subjects = None,
    config: ConfigFile = None,
    model: Model = None,
    no_network: NoNetwork = False,
    device: Device = "cpu",
    backend: Backend = "auto",
    reader: Reader = "reader",
    role: AsRole = "reader",
    blinded: BlindedReading = False,
    seed: Seed = 0,
    users: Users = None,
    database: Database = None,
    host: Host = "127.0.0.1",
    port: Port = 8765,
    public_url: PublicUrl = "",
    tls_cert: Certificate = None,
    tls_key: Key = None,
    no_browser: NoBrowser = False,
) -> None:
    """Open the reading room: a page in the browser where a radiologist measures, checks, corrects and signs.

    Needs pip install 'lesion-measure[review]'. Ctrl-C ends it.
    """
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.review.extra import check_installed

    try:
        check_installed()
        from lesion_measure.job.request import RunRequest
        from lesion_measure.review.messages import Role
        from lesion_measure.review.request import ReviewRequest

        if role not in [*Role]:
            raise typer.BadParameter("give reader or adjudicator", param_hint="--role")
        if (tls_cert is None) is not (tls_key is None):
            raise typer.BadParameter("give both --tls-cert and --tls-key, or none", param_hint="--tls-cert")
        run = RunRequest(
            input=input_, out=out, config=read_config(config), config_file=config, manifest=manifest,
            calipers=calipers, subjects=subjects, model=model, device=device, backend=backend,
        )  # fmt: skip
        request = ReviewRequest(
            run=run, network=not no_network, reader=reader, role=Role(role), blinded=blinded, seed=seed, users=users,
            database=database, host=host, port=port, public_url=public_url,
            tls=(tls_cert, tls_key) if tls_cert and tls_key else None,
        )  # fmt: skip
        _serve(request, browser=not no_browser)
    except LesionMeasureError as error:
        fail(error)


def _serve(request: ReviewRequest, *, browser: bool) -> None:
    """Answer requests until Ctrl-C; where to find the page goes to standard output, what to know to standard error."""
    from lesion_measure.review.opening import open_room
    from lesion_measure.review.serve import address, listening, serve

    with (
        listening(request.host, request.port) as bound,
        open_room(request, bound.getsockname()[1]) as room,
    ):

        def told() -> None:
            for line in room.notes():
                typer.echo(line, err=True)
            say(f"Reading room: {address(room)}")
            typer.echo("Ctrl-C ends it.", err=True)
            if browser:
                _show(address(room))

        serve(room, bound, told)


def _show(address: str) -> None:
    """Open the page in the user's browser; on a machine without a screen that would be one in the terminal."""
    import webbrowser

    screen = sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if screen:
        webbrowser.open(address)
