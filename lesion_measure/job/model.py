"""The network that a run asks for; a run by calipers alone imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lesion_measure.files.shipped import find_model
from lesion_measure.job.request import RunRequest
from lesion_measure.verdict.disappearance import check_evidence

if TYPE_CHECKING:
    from lesion_measure.network import Segmenter


def wanted_bundle(request: RunRequest) -> Path | None:
    """The bundle of the network that was asked for; none where the run rests on calipers alone."""
    policy = request.config.segment.policy
    if policy == "calipers_only" or (policy != "model_only" and request.calipers and request.model is None):
        return None
    return find_model(request.model, instead="measure with --calipers")


def load_model(bundle: Path | None, request: RunRequest) -> Segmenter | None:
    """The network, where one is asked for. What the settings know of its empty results must be of this very one."""
    if bundle is None:
        return None
    from lesion_measure.network import Segmenter  # a run by calipers alone imports no torch

    segmenter = Segmenter.from_bundle(bundle, device=request.device, backend=request.backend, threads=request.threads)
    check_evidence(request.config.disappearance, segmenter.name, segmenter.sha256)
    return segmenter
