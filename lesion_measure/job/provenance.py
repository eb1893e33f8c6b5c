"""What made a run: versions, configuration, weights, inputs and timings, so that every number can be traced."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Iterator, Mapping
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


def collect(
    config: Config,
    *,
    segmenter: Segmenter | None,
    inputs: Mapping[str, str],
    clock: Clock,
    command: str,
    outlines: Mapping[str, int],
    readings_sha256: str | None = None,
) -> Provenance:
    """The record of a run.

    Of a model, the weights and the settings of its bundle (preprocessing, confidence, threshold) have a hash each.
    ``inputs`` is the SHA-256 of each image by its path.

    Parameters
    ----------
    config
        Settings of the run.
    segmenter
        The network, None where none took part.
    inputs
        SHA-256 of each image by its path.
    clock
        Start of the run, and seconds of each step.
    command
        Command line that gives this run.
    outlines
        How many outlines of the network were ``made`` and ``reused``.
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
        inputs=dict(inputs),
        versions={"python": platform.python_version(), **_versions()},
        started=clock.started,
        seconds={part: round(seconds, 3) for part, seconds in clock.seconds.items()},
        command=command,
        outlines=dict(outlines),
        readings_sha256=readings_sha256,
    )


def _settings_sha256(segmenter: Segmenter) -> str:
    canonical = json.dumps(segmenter.settings.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _versions() -> dict[str, str]:
    """Installed versions, read from package metadata so that nothing heavy is imported."""
    installed = {}
    for name in PACKAGES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # optional at run time, such as torch where only calipers are used
    return installed
