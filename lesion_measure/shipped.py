"""Files that come with the package: settings (``configs/``) and the documentation (``docs/``)."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def configs() -> dict[str, Path]:
    """The settings files by their name, without ``.yaml``."""
    return _by_name("configs", "*.yaml")


def docs() -> dict[str, Path]:
    """The pages of the documentation by their name, without ``.md``."""
    return _by_name("docs", "*.md")


def _by_name(folder: str, pattern: str) -> dict[str, Path]:
    for place in (_PACKAGE / f"shipped_{folder}", _PACKAGE.parent / folder):  # an installed wheel, a checkout
        if place.is_dir():
            return {path.stem: path for path in sorted(place.glob(pattern))}
    return {}
