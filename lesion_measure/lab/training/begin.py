"""How a training begins: anew, or after an earlier one in the same folder, which is not lost unasked."""

from __future__ import annotations

from pathlib import Path

from lesion_measure.errors import ConfigError
from lesion_measure.files.writing import remove
from lesion_measure.lab.training.curves import EVENTS
from lesion_measure.lab.training.request import TrainingRequest
from lesion_measure.network.bundle import METADATA

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
    folders = [work / name for name, _ in request.networks()]
    left = [path for folder in folders for pattern in _KEPT for path in sorted(folder.glob(pattern))]
    if left and not (request.resume or request.overwrite):
        stages = sorted(f"{path.parent.name}/{path.stem}" for path in left if path.suffix == ".pt")
        raise ConfigError(
            f"There is an earlier training here ({', '.join(stages) or left[0].name}).",
            remedy="Go on with it by --resume, remove it and begin anew by --overwrite, or give another --out.",
            path=str(work),
        )
    _check_place(request, goes_on=request.resume and bool(left))
    for path in left if leads and request.overwrite else ():
        remove(path)


def _check_place(request: TrainingRequest, *, goes_on: bool) -> None:
    """Raise ConfigError where the new bundle would take the place of what nobody asked to replace.

    A training that ``goes_on`` made the bundle that lies there, or was asked to replace it.
    """
    out = request.out
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / METADATA).is_file():
        raise ConfigError("Here lies something that is no model bundle.", remedy="Give another --out.", path=str(out))
    if not (goes_on or request.overwrite):
        raise ConfigError(
            "There is a model here already.", remedy="Give another --out, or replace it by --overwrite.", path=str(out)
        )
