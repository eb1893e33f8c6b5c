"""Images whose file states no scale, with that of the values printed on them, where the settings ask for it."""

from __future__ import annotations

from dataclasses import replace

from lesion_measure.config import Config
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.errors import InputError
from lesion_measure.records import Instance, StudyList


def with_printed_scales(studies: StudyList, config: Config) -> StudyList:
    """The studies of an input; as they are unless ``calibration.burnt_in_scale`` is set.

    Raises
    ------
    ConfigError
        The extra ``read`` is not installed.
    """
    if not config.calibration.burnt_in_scale:
        return studies
    from lesion_measure.burnt_in.ocr import check_reader

    check_reader()
    scaled = (
        replace(study, instances=tuple(_scaled(instance, config) for instance in study.instances)) for study in studies
    )
    return replace(studies, studies=tuple(scaled))


def _scaled(instance: Instance, config: Config) -> Instance:
    """An image with the scale printed on it; as it is where its file states one, be it right or wrong.

    Slices of a volume keep none: nothing printed on a slice says how far apart they are.
    """
    stated = instance.regions or instance.pixel_spacing or instance.pixel_spacing_raw
    if stated or instance.slice_spacing_mm is not None:
        return instance
    from lesion_measure.burnt_in.scale import printed_scale  # which loads what nothing else of a run needs

    try:
        with OpenImage(instance, config.limits) as image:
            return replace(instance, printed_scale=printed_scale(image, config))
    except InputError:
        return instance  # its measuring tells that it cannot be decoded
