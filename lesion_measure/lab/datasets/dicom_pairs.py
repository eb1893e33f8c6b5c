"""Layout of DICOM images with masks as pictures: ``images/NAME.dcm`` and ``masks/NAME.png``.

As in `dicom_seg` a picture is a calibrated region of the frame, and the group is a hash of the subject code. The frame
of an image with several is the number at the end of its mask's name, as in ``NAME-12.png``, from 1.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lesion_measure.config import Config
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.lab.datasets.dicom_seg import group_of, is_dicom
from lesion_measure.lab.datasets.files import MASK_SUFFIXES, bad, checked_name, files_by_stem, read_values, same_size
from lesion_measure.lab.datasets.folder import pair_of
from lesion_measure.lab.datasets.label_maps import picture_of_values
from lesion_measure.lab.datasets.pictures import Picture
from lesion_measure.lab.datasets.regions import check_inside, cuts_of
from lesion_measure.lab.datasets.scheme import Asked, LabelScheme, scheme_of
from lesion_measure.records import Instance
from lesion_measure.studies import load_studies

EXPECTED = "images/NAME.dcm and masks/NAME.png (a frame of several: masks/NAME-FRAME.png)"
_LOOKED_AT = 20


def fits(folder: Path) -> bool:
    """Whether there are folders of images and masks, DICOM in the one and pictures in the other."""
    pair = pair_of(folder)
    if pair is None:
        return False
    images, masks = pair
    drawn = any(path.name.lower().endswith(MASK_SUFFIXES) for path in masks.iterdir())
    return drawn and any(is_dicom(path) for path in sorted(images.iterdir())[:_LOOKED_AT])


def read(folder: Path, name: str, asked: Asked) -> list[Picture]:
    """Every frame that has a mask, cut to the regions that a run looks at.

    Raises
    ------
    InputError
        A mask has no image, or its image no scale; an image has no mask; or they differ in size.
    """
    pair = pair_of(folder)
    if pair is None:
        raise bad("There are no images with masks.", folder, f"Expected {EXPECTED}.")
    images, masks = pair
    instances: dict[str, Instance] = {}
    for instance in load_studies(images).instances:
        stem = Path(instance.path).name.removesuffix(Path(instance.path).suffix)
        if stem in instances:
            raise bad(f"Two images are called '{stem}'.", instance.path, "Call every image by a name of its own.")
        instances[stem] = instance
    scheme, found, drawn = scheme_of(folder, asked), list[Picture](), set[str]()
    for stem, path in files_by_stem(asked.bound(folder), masks, MASK_SUFFIXES).items():
        image, frame = _image_of(stem, instances, path)
        drawn.add(image)
        found += _pictures(instances[image], frame, (checked_name(stem, path), name), path, scheme)
    if lonely := sorted(instances.keys() - drawn):
        raise bad("This image has no mask.", instances[lonely[0]].path, "Add it, all 0 where there is no lesion.")
    scheme.finish(name)
    return found


def _image_of(stem: str, instances: dict[str, Instance], path: Path) -> tuple[str, int]:
    """The image of a mask, and the number of its frame."""
    if stem in instances and instances[stem].frames == 1:
        return stem, 1
    image, _, number = stem.rpartition("-")
    if image in instances and number.isdecimal() and 1 <= int(number) <= instances[image].frames:
        return image, int(number)
    reason = "Its image has several frames." if stem in instances else "This mask has no image of its name."
    raise bad(reason, path, "Call it as its image, with -1, -2, ... behind for a frame of several.")


def _pictures(
    instance: Instance, frame: int, called: tuple[str, str], path: Path, scheme: LabelScheme
) -> list[Picture]:
    """The regions of a frame; ``called`` are the names of picture and set."""
    config, (name, source) = Config(), called
    cuts = cuts_of(instance, config)
    with FrameReader(instance, config.limits) as reader:
        shown = reader.luminance(frame)
    values = read_values(path)
    same_size(shown, values, path)
    check_inside([scheme.lesion_mask(values, path)], [cut for cut, _ in cuts], path)
    found = []
    for number, (cut, spacing) in enumerate(cuts, start=1):
        identity = name + (f"-{number}" if len(cuts) > 1 else "")
        one = picture_of_values(identity, source, group_of(instance), shown[cut], values[cut], path, scheme)
        found.append(replace(one, spacing_mm=spacing))
    return found
