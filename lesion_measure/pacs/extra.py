"""Whether the packages of the ``pacs`` extra are there."""

from __future__ import annotations

import importlib.util

from lesion_measure.errors import ConfigError

_PACKAGES = ("pynetdicom", "dicomweb_client", "requests")


def check_installed() -> None:
    """Refuse where a package of the extra is missing; none is loaded.

    Raises
    ------
    ConfigError
        Code ``pacs_not_installed``.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"What speaks to a PACS is not installed: {', '.join(missing)}.",
            remedy="pip install 'lesion-measure[pacs]'",
            code="pacs_not_installed",
        )
