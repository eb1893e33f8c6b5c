"""What several commands take: the same arguments and options, and the same checks where only the help differs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesion_measure.cli.paths import settings_file, there

if TYPE_CHECKING:
    from lesion_measure.config import Config

check_calipers = there("caliper file", folder=None, remedy="'lesion-measure help calipers' describes it.")
check_data = there("data folder", folder=None, remedy="'lesion-measure help datasets' draws the layouts.")
check_labs = there("laboratory table", remedy="'lesion-measure help cohort' describes it.")
check_masks = there("folder of masks", folder=True, remedy="'lesion-measure help evaluation' says what lies in it.")
check_results = there("results folder", folder=True, remedy="'lesion-measure run' makes one.")
check_subjects = there("subjects table", remedy="'lesion-measure help cohort' describes it.")

Input = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT",
        help="A folder (nested, with zips), a zip or a DICOM file.",
        callback=there("input", folder=None, remedy="Give a folder, a zip or a DICOM file."),
    ),
]
CaliperObjects = Annotated[
    Path | None,
    typer.Option(
        "--calipers",
        help="A DICOM object (SR, PR, SEG) or a folder of them beside INPUT; those in INPUT are found.",
        callback=check_calipers,
    ),
]
Results = Annotated[
    Path, typer.Argument(metavar="OUT", help="Results folder of a finished run.", callback=check_results)
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Settings, YAML: a file, or the name of one that 'lesion-measure config' lists.",
        callback=settings_file("'lesion-measure config' lists those that are at hand, and prints one to start from."),
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1, max=256, help="Threads of the network's arithmetic. Default: the processors at hand, 4 at most."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", "-j", min=1, max=1024,
        help="Processes that measure children beside each other. Default: the processors at hand, where so many pay.",
    ),
]  # fmt: skip
EvaluationJobs = Annotated[
    int, typer.Option("--jobs", "-j", min=1, max=256, help="Processes beside each other; figures do not depend on it.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Log = Annotated[Path | None, typer.Option(metavar="FILE", help="Add every line, with the time, to this file.")]
Device = Annotated[str, typer.Option(help="Where the network runs: cpu, cuda, cuda:0, mps.")]
Backend = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="What computes the network: torch, openvino, openvino-bf16 (faster, less precise), or auto: openvino "
        "where it is installed (pip install 'lesion-measure[fast]').",
    ),
]
LesionLabel = Annotated[
    list[str] | None,
    typer.Option(
        "--lesion-label",
        metavar="NAME",
        help="A label that is a lesion, by name or value, where its name does not tell; may be repeated.",
    ),
]
LinksWithin = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Files may be links that stay in this folder, around the data (DVC, git-annex).",
        callback=check_data,
    ),
]
BootstrapSeed = Annotated[int, typer.Option(min=0, help="Of the bootstrap.")]
NoPaths = Annotated[
    bool, typer.Option("--no-paths", help="Leave file and folder names out of every output; numbers stand for files.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_config(path: Path | None) -> Config:
    """The settings of a ``ConfigFile``, or the defaults.

    Raises
    ------
    ConfigError
        The file is no valid configuration.
    """
    from lesion_measure.config import Config

    return Config() if path is None else Config.from_yaml(path)
