"""``lesion-measure pacs listen``: a node that measures what it is sent."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesion_measure.cli.exits import ExitCode, fail
from lesion_measure.cli.options import ConfigFile, Log, Quiet
from lesion_measure.cli.pacs.options import Pacs
from lesion_measure.cli.run import Model
from lesion_measure.cli.speech import voice

if TYPE_CHECKING:
    from lesion_measure.pacs.listen import Due

EXAMPLES = (
    "Examples:\n\n  lesion-measure pacs listen -o inbox --pacs hospital.yaml --config follow_up\n\n"
    "  lesion-measure pacs listen -o inbox --pacs hospital.yaml --studies 1"
)

KEPT = "What came stays; the same command measures what was not."

Out = Annotated[
    Path, typer.Option("-o", "--out", help="Folder for what comes (incoming) and its results.", file_okay=False)
]
Studies = Annotated[int, typer.Option(min=0, help="Leave after so many studies were measured; 0: never.")]


def listen(
    out: Out,
    pacs: Pacs,
    config: ConfigFile = None,
    model: Model = None,
    studies: Studies = 0,
    quiet: Quiet = False,
    log: Log = None,
) -> None:
    """Receive studies (C-STORE), and measure each once it is complete: quiet for 'listening.quiet_s' seconds.

    It listens on this machine alone unless 'own.address' says otherwise. Results of a study go into a folder of its
    own; a study that gets more objects is measured anew. It runs until Ctrl-C.
    """
    from lesion_measure.config.pacs import Node, is_loopback
    from lesion_measure.errors import LesionMeasureError
    from lesion_measure.pacs.extra import check_installed
    from lesion_measure.pacs.listen import receiving, serve

    count = 0

    def measure(study: Path, results: Path) -> int:
        # Our own program, with paths that are UIDs and options that this command was given.
        return exit_code_of(_command(study, results, config, model), node.listening.measure_s)

    def told(due: Due, code: int) -> None:
        nonlocal count
        count += 1
        speaker.say(f"{due.study_uid}: exit code {code}, {due.results}")

    try:
        check_installed()
        node = Node.from_yaml(pacs)
        with voice(quiet=quiet, only_json=False, log=log) as speaker, receiving(node, out) as inbox:
            where = f"{node.own.ae_title} on {node.own.address} port {node.own.port}"
            speaker.note(f"Listening as {where}. Ctrl-C ends it.")
            if not is_loopback(node.own.address) and not (node.own.tls and node.tls.ca_file):
                speaker.note("Whoever reaches that address may send: 'own.tls' with 'tls.ca_file' would ask who it is.")
            serve(inbox, measure, told, until=lambda: bool(studies) and count >= studies)
    except LesionMeasureError as error:
        fail(error)
    raise typer.Exit(ExitCode.MEASURED)


def exit_code_of(words: list[str], seconds: float) -> int:
    """How a command ends; it is killed after so many ``seconds``."""
    try:
        return subprocess.run(words, check=False, timeout=seconds).returncode  # noqa: S603 - our own program
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL


def _command(study: Path, results: Path, config: Path | None, model: Path | None) -> list[str]:
    """The run of one study, as a process of its own: what it takes and what it fails of is not the node's."""
    words = ["run", str(study), "-o", str(results), "--overwrite", "--quiet"]
    for option, path in (("--config", config), ("--model", model)):
        words += [option, str(path)] if path else []
    return [sys.executable, "-m", "lesion_measure", *words]
