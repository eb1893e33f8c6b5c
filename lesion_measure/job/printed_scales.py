"""The images of an input with all that gives them a scale: the one door of whatever measures them.

Those whose file states none have that of the values printed on them, where the settings ask for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError
from lesion_measure.records import Instance, StudyList
from lesion_measure.studies import load_studies

if TYPE_CHECKING:
    from lesion_measure.burnt_in.read import Seen


def scaled_studies(path: Path, config: Config, leave_out: Collection[Path] = (), seen: Seen | None = None) -> StudyList:
    """The studies of an input by the settings, with printed scales where ``calibration.burnt_in_scale`` is set.

    Parameters
    ----------
    path, leave_out
        As `load_studies` takes them.
    config
        All settings.
    seen
        Takes what frames show, for who reads them once more.

    Raises
    ------
    InputError
        As `load_studies`.
    ConfigError
        The extra ``read`` is not installed, and printed scales are asked for.
    """
    studies = load_studies(
        path, limits=config.limits, planes=config.planes, leave_out=leave_out, calipers=config.calipers,
        descriptions=config.protocol.descriptions,
    )  # fmt: skip
    if not config.calibration.burnt_in_scale:
        return studies
    from lesion_measure.burnt_in.ocr import check_reader

    check_reader()
    scaled = (
        replace(study, instances=tuple(_scaled(instance, config, seen) for instance in study.instances))
        for study in studies
    )
    return replace(studies, studies=tuple(scaled))


def _scaled(instance: Instance, config: Config, seen: Seen | None) -> Instance:
    """An image with the scale printed on it; as it is where its file states one, be it right or wrong.

    Slices of a volume keep none: nothing printed on a slice says how far apart they are.
    """
    stated = instance.regions or instance.pixel_spacing or instance.pixel_spacing_raw
    if stated or instance.slice_spacing_mm is not None:
        return instance
    from lesion_measure.burnt_in.scale import printed_scale  # which loads what nothing else of a run needs

    try:
        with OpenImage(instance, config.limits) as image:
            return replace(instance, printed_scale=printed_scale(image, config, seen))
    except InputError:
        return instance  # its measuring tells that it cannot be decoded
