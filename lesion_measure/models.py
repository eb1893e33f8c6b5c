"""Where model bundles lie: a path, or the name of a shipped one."""

from __future__ import annotations

from pathlib import Path

from lesion_measure.errors import ModelError

SHIPPED = "liver_us_unet"


def find_model(wanted: Path | None) -> Path:
    """The folder of a bundle: ``wanted`` as a path, or as the name of a shipped bundle; None is the default one.

    Raises
    ------
    ModelError
        There is no such bundle.
    """
    package = Path(__file__).resolve().parent
    shipped = [package / "bundles", package.parent / "models"]  # an installed wheel, a checkout
    if wanted is not None and wanted.is_dir():
        return wanted
    name = SHIPPED if wanted is None else wanted.name
    for folder in shipped:
        if (folder / name).is_dir():
            return folder / name
    raise ModelError(
        f"There is no model bundle '{wanted or SHIPPED}'.",
        remedy="Give the path of a bundle's folder with --model, or measure with --calipers.",
        code="no_model",
    )
