"""How a training begins: anew, or after an earlier one in the same folder, which is not lost unasked."""

from __future__ import annotations

from pathlib import Path

from lesion_measure.errors import ConfigError
from lesion_measure.files.writing import remove
from lesion_measure.lab.training.curves import EVENTS
from lesion_measure.lab.training.request import TrainingRequest
from lesion_measure.network.bundle import METADATA

_OVERWRITE = "--overwrite (through MONAI: --run#overwrite True)"
_KEPT = ("*.pt", "*.csv", "*.png", f"*/{EVENTS}")


def begin(request: TrainingRequest, work: Path, *, leads: bool) -> None:
    """Make sure that the working folder holds nothing of an earlier training, unless that is resumed.

    With ``overwrite`` what it left is removed first (by the process that ``leads``), so that the new training, if it is
    killed, can be resumed. Simulated frames stay: the same settings give the same ones.

    Raises
    ------
    ConfigError
        There is an earlier training or a bundle, and neither ``resume`` nor ``overwrite`` is asked for; or both are.
        Or what lies in the bundle's place is none.
    WriteError
        A file cannot be removed.
    """
    if request.resume and request.overwrite:
        raise ConfigError("A training is either resumed or begun anew.", remedy="Give --resume or --overwrite.")
    left = [path for name, _ in request.networks() for path in _kept(work / name)]
    if left and not (request.resume or request.overwrite):
        stages = sorted(f"{path.parent.name}/{path.stem}" for path in left if path.suffix == ".pt")
        raise ConfigError(
            f"There is an earlier training here ({', '.join(stages) or left[0].name}).",
            remedy=f"Go on with it by --resume, remove it and begin anew by {_OVERWRITE}, or give another --out.",
            path=str(work),
        )
    check_place(request, work, goes_on=request.resume)
    for path in left if leads and request.overwrite else ():
        remove(path)


def check_place(request: TrainingRequest, work: Path, *, goes_on: bool) -> None:
    """Make sure that the new bundle would not take the place of what nobody asked to replace.

    Parameters
    ----------
    request
        What is asked for.
    work
        The working folder.
    goes_on
        Whether an earlier training is gone on with, where there is one of any network: it made the bundle that lies
        there, or was asked to replace it.

    Raises
    ------
    ConfigError
        It would.
    """
    out = request.out
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / METADATA).is_file():
        raise ConfigError("Here lies something that is no model bundle.", remedy="Give another --out.", path=str(out))
    earlier = any(_kept(work / name) for name, _ in request.settings.parts())
    if not (request.overwrite or (goes_on and earlier)):
        raise ConfigError(
            "There is a model here already.",
            remedy=f"Give another --out, or replace it by {_OVERWRITE}.",
            path=str(out),
        )


def _kept(folder: Path) -> list[Path]:
    """What an earlier training of one network left."""
    return [path for pattern in _KEPT for path in sorted(folder.glob(pattern))]
