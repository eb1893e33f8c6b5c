"""Whether the packages of the ``review`` extra are there."""

from __future__ import annotations

import importlib.util

from lesion_measure.errors import ConfigError

_PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "alembic")


def check_installed() -> None:
    """Refuse where a package of the extra is missing; none is loaded.

    Raises
    ------
    ConfigError
        Code ``review_not_installed``.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"What the reading room is made with is not installed: {', '.join(missing)}.",
            remedy="pip install 'lesion-measure[review]'",
            code="review_not_installed",
        )
