"""Whether the packages of the ``pacs`` extra are there."""

from __future__ import annotations

from lesion_measure.errors import check_extra

_PACKAGES = ("pynetdicom", "dicomweb_client", "requests")


def check_installed() -> None:
    """Refuse where a package of the extra is missing. Raises `ConfigError` (code ``pacs_not_installed``)."""
    check_extra("pacs", _PACKAGES, "What speaks to a PACS")
