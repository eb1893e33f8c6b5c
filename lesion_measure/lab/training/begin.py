"""How a training begins: anew, or after an earlier one in the same folder, which is not lost unasked."""

from __future__ import annotations

from pathlib import Path

from lesion_measure.errors import ConfigError
from lesion_measure.files.writing import remove
from lesion_measure.lab.training.curves import EVENTS
from lesion_measure.lab.training.settings import TrainSettings

_KEPT = ("*.pt", "*.csv", "*.png", f"*/{EVENTS}")


def begin(work: Path, settings: TrainSettings, only: str | None, *, resume: bool, overwrite: bool, leads: bool) -> None:
    """Make sure that the working folder holds nothing of an earlier training, unless that is resumed.

    With ``overwrite`` what it left is removed first (by the process that ``leads``), so that the new training, if it is
    killed, can be resumed. Simulated frames stay: the same settings give the same ones.

    Parameters
    ----------
    work
        The working folder.
    settings
        Of the training.
    only
        The network that is trained; None: all.
    resume
        Whether an earlier training goes on.
    overwrite
        Whether an earlier training is removed.
    leads
        Whether this process is the one that removes and writes.

    Raises
    ------
    ConfigError
        There is an earlier training, and neither ``resume`` nor ``overwrite`` is asked for; or both are.
    WriteError
        A file cannot be removed.
    """
    if resume and overwrite:
        raise ConfigError("A training is either resumed or begun anew.", remedy="Give --resume or --overwrite.")
    folders = [work / name for name, _ in settings.parts() if only in (None, name)]
    left = [path for folder in folders for pattern in _KEPT for path in sorted(folder.glob(pattern))]
    if resume or not left:
        return
    if not overwrite:
        stages = sorted(path.stem for path in left if path.suffix == ".pt")
        raise ConfigError(
            f"There is an earlier training here ({', '.join(stages) or left[0].name}).",
            remedy="Go on with it by --resume, remove it and begin anew by --overwrite, or give another --out.",
            path=str(work),
        )
    for path in left if leads else ():
        remove(path)
