"""Files that come with the package: settings (``configs/``), the documentation (``docs/``) and models (``models/``)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from lesion_measure.errors import ModelError
from lesion_measure.spelling import nearest

_PACKAGE = Path(__file__).resolve().parents[1]
SHIPPED = "liver_us_unet"
MOST_NEIGHBOURS = 2000
"""Entries of a folder among which a bundle is looked for whose name is like the one that is missing."""


def configs() -> dict[str, Path]:
    """The settings files by their name, without ``.yaml``."""
    return _by_name("configs", "*.yaml")


def find_config(wanted: Path) -> Path:
    """A settings file: ``wanted`` as a path where there is such a file, else the shipped one of that name."""
    if wanted.exists() or wanted.parent != Path():
        return wanted
    return configs().get(wanted.name.removesuffix(".yaml"), wanted)


def docs() -> dict[str, Path]:
    """The pages of the documentation by their name, without ``.md``."""
    return _by_name("docs", "*.md")


def _by_name(folder: str, pattern: str) -> dict[str, Path]:
    for place in (_PACKAGE / f"shipped_{folder}", _PACKAGE.parent / folder):  # an installed wheel, a checkout
        if place.is_dir():
            return {path.stem: path for path in sorted(place.glob(pattern))}
    return {}


def find_model(wanted: Path | None, *, instead: str = "") -> Path:
    """The folder of a bundle: ``wanted`` as a path, or as the name of a shipped bundle; None is the default one.

    ``instead`` says what a command can do without one, such as ``"measure with --calipers"``.

    Raises
    ------
    ModelError
        There is no such bundle; the message says which one has nearly that name.
    """
    shipped = [_PACKAGE / "bundles", _PACKAGE.parent / "models"]  # an installed wheel, a checkout
    if wanted is not None and wanted.is_dir():
        return wanted
    name = SHIPPED if wanted is None else wanted.name
    named = wanted is None or wanted.parent == Path()  # a bundle of that name in another folder is not the shipped one
    for folder in shipped:
        if named and (folder / name).is_dir():
            return folder / name
    near = None if wanted is None else _near(wanted, shipped)
    raise ModelError(
        f"There is no model bundle '{wanted or SHIPPED}'" + (f"; did you mean '{near}'?" if near else "."),
        remedy="Give the path of a bundle's folder" + (f", or {instead}." if instead else "."),
        code="no_model",
    )


def _near(wanted: Path, shipped: Sequence[Path]) -> Path | str | None:
    """The bundle beside a missing one, else the shipped one, that has nearly its name."""
    beside = nearest(wanted.name, _bundles(wanted.parent))
    return wanted.parent / beside if beside else nearest(wanted.name, [n for each in shipped for n in _bundles(each)])


def _bundles(folder: Path) -> list[str]:
    """Names of the bundles in a folder."""
    if not folder.is_dir():
        return []
    entries = sorted(itertools.islice(folder.iterdir(), MOST_NEIGHBOURS))
    return [entry.name for entry in entries if (entry / "configs" / "metadata.json").is_file()]
