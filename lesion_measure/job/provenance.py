"""What made a run: versions, configuration, weights, inputs and timings, so that every number can be traced."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING

from lesion_measure import __version__
from lesion_measure.config import Config
from lesion_measure.records import Provenance

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter

PACKAGES = (
    "numpy",
    "scipy",
    "scikit-image",
    "pydicom",
    "torch",
    "openvino",
    "pillow",
    "SimpleITK",
    "onnxruntime",
    "rapidocr",
    "simplejpeg",
    "pyjpegls",
    "pylibjpeg-openjpeg",
    "pylibjpeg-rle",
)


class Clock:
    """When a run started, and how many seconds each of its parts took."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, part: str) -> Iterator[None]:
        """Add the time spent inside to ``part``."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - begin


def collect(config: Config, *, segmenter: Segmenter | None, readings_sha256: str | None = None) -> Provenance:
    """The record of a run that begins; what it reads, makes and takes is added at its end.

    Of a model, the weights and the settings of its bundle (preprocessing, confidence, threshold) have a hash each.

    Parameters
    ----------
    config
        Settings of the run.
    segmenter
        The network, None where none took part.
    readings_sha256
        SHA-256 of the table of signed readings, None where none was taken.
    """
    return Provenance(
        package_version=__version__,
        config_sha256=config.sha256(),
        model=segmenter.name if segmenter else None,
        model_sha256=segmenter.sha256 if segmenter else None,
        model_settings_sha256=_settings_sha256(segmenter) if segmenter else None,
        model_backend=segmenter.backend if segmenter else None,
        inputs={},
        versions=versions(),
        started="",
        seconds={},
        command="",
        readings_sha256=readings_sha256,
    )


def _settings_sha256(segmenter: Segmenter) -> str:
    canonical = json.dumps(segmenter.settings.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of what is installed, read from package metadata so that nothing heavy is imported."""
    installed = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # optional at run time, such as torch where only calipers are used
    return installed
