"""How a training begins: anew, or after an earlier one in the same folder, which is not lost unasked."""

from __future__ import annotations

from pathlib import Path

from lesion_measure.errors import ConfigError
from lesion_measure.files.writing import remove
from lesion_measure.lab.training.curves import EVENTS
from lesion_measure.lab.training.request import TrainingRequest

_KEPT = ("*.pt", "*.csv", "*.png", f"*/{EVENTS}")


def begin(request: TrainingRequest, work: Path, *, leads: bool) -> None:
    """Make sure that the working folder holds nothing of an earlier training, unless that is resumed.

    With ``overwrite`` what it left is removed first (by the process that ``leads``), so that the new training, if it is
    killed, can be resumed. Simulated frames stay: the same settings give the same ones.

    Raises
    ------
    ConfigError
        There is an earlier training, and neither ``resume`` nor ``overwrite`` is asked for; or both are.
    WriteError
        A file cannot be removed.
    """
    if request.resume and request.overwrite:
        raise ConfigError("A training is either resumed or begun anew.", remedy="Give --resume or --overwrite.")
    folders = [work / name for name, _ in request.networks()]
    left = [path for folder in folders for pattern in _KEPT for path in sorted(folder.glob(pattern))]
    if request.resume or not left:
        return
    if not request.overwrite:
        stages = sorted(path.stem for path in left if path.suffix == ".pt")
        raise ConfigError(
            f"There is an earlier training here ({', '.join(stages) or left[0].name}).",
            remedy="Go on with it by --resume, remove it and begin anew by --overwrite, or give another --out.",
            path=str(work),
        )
    for path in left if leads else ():
        remove(path)
