"""Whether the packages of the ``review`` extra are there."""

from __future__ import annotations

from lesion_measure.errors import check_extra

_PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "alembic")


def check_installed() -> None:
    """Refuse where a package of the extra is missing. Raises `ConfigError` (code ``review_not_installed``)."""
    check_extra("review", _PACKAGES, "What the reading room is made with")
