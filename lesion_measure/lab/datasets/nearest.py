"""What a folder is that no layout fits: another tool's format, or nearly a layout, and what differs first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lesion_measure.files.reading import open_regular
from lesion_measure.image.volumes.files import SUFFIXES
from lesion_measure.lab.datasets.annotations.finding import files_below
from lesion_measure.lab.datasets.files import PICTURE_SUFFIXES, child
from lesion_measure.lab.datasets.folder import IMAGES, MASKS, index_of

_LOOKED_AT, _HEAD_BYTES, _HEADS = 500, 1 << 16, 5
_AS_PNG = "Save images and masks as PNG, or as NIfTI (.nii.gz)."
_AS_COCO = "Export the outlines as COCO or as masks in PNG files."


@dataclass(frozen=True, slots=True)
class Other:
    """What a folder is instead, and what would help."""

    said: str
    remedy: str


_BY_SUFFIX = {
    **dict.fromkeys((".mhd",), ("MetaImage with the voxels in a file of their own", "Save each as one .mha file.")),
    **dict.fromkeys((".hdr", ".img"), ("Analyze, or NIfTI in two files", "Save each as one .nii.gz file.")),
    **dict.fromkeys((".mgz", ".mgh"), ("FreeSurfer's volumes", "Save each as .nii.gz.")),
    **dict.fromkeys((".npy", ".npz"), ("arrays of NumPy", _AS_PNG)),
    **dict.fromkeys((".mat",), ("files of MATLAB", _AS_PNG)),
    **dict.fromkeys((".h5", ".hdf5"), ("HDF5", _AS_PNG)),
    **dict.fromkeys(
        (".pkl", ".pickle", ".pt", ".pth"), ("Python's pickle, which can run code and is never read", _AS_PNG)
    ),
    **dict.fromkeys((".tfrecord", ".tfrecords", ".parquet", ".arrow", ".mdb"), ("a table of records", _AS_PNG)),
    **dict.fromkeys((".gif", ".webp", ".jp2", ".heic"), ("pictures of a format that is not read", "Save them as PNG.")),
    **dict.fromkeys((".mp4", ".avi", ".mov", ".mkv"), ("videos", "Save the outlined frames and their masks as PNG.")),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".gz", ".7z", ".rar"), ("archives", "Unpack them into a folder.")),
}
_BY_WORDS = (
    (".json", (b'"_via_img_metadata"',), "a project of VGG Image Annotator (VIA)", _AS_COCO),
    (".json", (b'"file_attributes"', b'"regions"'), "an export of VGG Image Annotator (VIA)", _AS_COCO),
    (".json", (b'"original_width"', b'"result"'), "an export of Label Studio", _AS_COCO),
    (".json", (b'"objects"', b'"classTitle"'), "a project of Supervisely", _AS_COCO),
    (".json", (b'"data_row"',), "an export of Labelbox", _AS_COCO),
    (".ndjson", (b'"data_row"',), "an export of Labelbox", _AS_COCO),
    (".json", (b'"FeatureCollection"',), "GeoJSON, such as QuPath's", _AS_COCO),
    (".geojson", (b'"FeatureCollection"',), "GeoJSON, such as QuPath's", _AS_COCO),
    (".xml", (b"<bndbox>",), "boxes of Pascal VOC, which tell no lesion's border", "Export outlines, such as COCO's."),
    (".xml", (b"<ASAP_Annotations",), "annotations of ASAP", _AS_COCO),
    (".csv", (b"EncodedPixels",), "run lengths in a table, as on Kaggle", "Write each mask as a PNG file."),
)


def other_format(folder: Path) -> Other | None:
    """The format of another tool that the folder's files have; None where none is known."""
    files = list(itertools.islice(files_below(folder, ("",)), _LOOKED_AT))
    readable = (*PICTURE_SUFFIXES, *SUFFIXES, ".dcm", ".json", ".xml")
    if not any(path.name.lower().endswith(readable) for path in files):
        for path in files:
            if known := _BY_SUFFIX.get(path.suffix.lower()):
                return Other(f"The folder holds {known[0]} ('{path.name}').", known[1])
    for suffix, words, name, remedy in _BY_WORDS:
        some = itertools.islice((path for path in files if path.name.lower().endswith(suffix)), _HEADS)
        for path in some:
            head = _head(path)
            if all(word in head for word in words):
                return Other(f"The folder holds {name} ('{path.name}').", remedy)
    return None


def nearest(folder: Path) -> Other | None:
    """The layout that the folder comes nearest to, and the first thing in which it differs; None without any sign."""
    best: tuple[int, str, str, str] | None = None
    for name, signs in _SIGNS.items():
        there = [sign.there(folder) for sign in signs]
        if any(there) and not all(there) and (best is None or sum(there) > best[0]):
            missing = signs[there.index(False)]
            best = sum(there), name, missing.said, missing.remedy
    if best is None:
        return None
    return Other(f"The nearest layout is {best[1]}, and the folder differs first in this: {best[2]}.", best[3])


@dataclass(frozen=True, slots=True)
class _Sign:
    """A part of a layout: what is said where it is not there, and what would help."""

    said: str
    remedy: str
    there: Callable[[Path], bool]


def _has_folder(*names: str) -> Callable[[Path], bool]:
    return lambda folder: child(folder, *names) is not None


def _in_folder(names: tuple[str, ...], suffixes: tuple[str, ...]) -> Callable[[Path], bool]:
    def there(folder: Path) -> bool:
        home = child(folder, *names)
        return home is not None and _any(files_below(home, suffixes))

    return there


def _below(*suffixes: str, deep: int = 2) -> Callable[[Path], bool]:
    return lambda folder: _any(files_below(folder, suffixes, deep))


def _with_words(suffix: str, *words: bytes) -> Callable[[Path], bool]:
    def there(folder: Path) -> bool:
        some = itertools.islice(files_below(folder, (suffix,), 2), _HEADS)
        return any(all(word in _head(path) for word in words) for path in some)

    return there


def _any(files: Iterator[Path]) -> bool:
    return next(files, None) is not None


def _head(path: Path) -> bytes:
    """The first bytes of a file; none where it cannot be read, since it then shows no format."""
    try:
        with open_regular(path) as stream:
            return stream.read(_HEAD_BYTES)
    except OSError:
        return b""


_PICTURES = _Sign("there are no pictures", "Put the images beside, as PNG or JPEG.", _below(*PICTURE_SUFFIXES))
_SIGNS = {
    "plain": (
        _Sign("there is no folder images/", "Put the images into images/.", _has_folder(*IMAGES)),
        _Sign("there is no folder masks/ (or labels/)", "Put the masks into masks/.", _has_folder(*MASKS)),
        _Sign("images/ holds no pictures", "Save them as PNG.", _in_folder(IMAGES, PICTURE_SUFFIXES)),
        _Sign("there is no index.csv", "Write one: id,group.", lambda folder: index_of(folder) is not None),
    ),
    "volumes": (
        _Sign("images/ holds no volumes", "Put them there as .nii.gz.", _in_folder(IMAGES, SUFFIXES)),
        _Sign("there is no masks/ or labels/ with volumes", "Put the labels there.", _in_folder(MASKS, SUFFIXES)),
    ),
    "nnU-Net": (
        _Sign("there is no imagesTr/", "Give the folder of the data set, in nnUNet_raw.", _has_folder("imagesTr")),
        _Sign("there is no labelsTr/", "Put the labels into labelsTr/.", _has_folder("labelsTr")),
        _Sign(
            "imagesTr/ holds no .nii.gz, .nrrd, .mha, .png, .bmp or .tif",
            "Save them so.",
            _in_folder(("imagesTr",), (*SUFFIXES, *PICTURE_SUFFIXES)),
        ),
    ),
    "YOLO": (
        _Sign(
            "labels/ holds no text files",
            "Export YOLO segments there.",
            _in_folder(("labels", "train"), (".txt",)),
        ),
        _Sign("there is no folder images/ beside labels/", "Put the images there.", _has_folder("images", "train")),
        _Sign("there is no data.yaml", "Write one: names: [lesion].", _below(".yaml", ".yml", deep=0)),
    ),
    "VOC": (
        _Sign("there is no JPEGImages/", "Put the images there.", _has_folder("JPEGImages")),
        _Sign(
            "there is no SegmentationClass/",
            "Put the masks of classes there; boxes in Annotations/ tell no lesion's border.",
            _has_folder("SegmentationClass"),
        ),
    ),
    "AUL": (
        _Sign("there is no Benign/ or Malignant/", "Unpack its archives.", _has_folder("Benign", "Malignant")),
        _Sign(
            "Benign/ has no segmentation/ with .json files",
            "Unpack its archives anew.",
            _in_folder(("Benign", "Malignant"), (".json",)),
        ),
    ),
    "BUSI": (
        _Sign("there is no benign/ or malignant/", "Unpack its archive.", _has_folder("benign", "malignant")),
        _Sign(
            "benign/ holds no pictures called 'benign (1)_mask.png'",
            "Unpack its archive anew.",
            lambda folder: any("_mask" in path.name for path in files_below(folder, (".png",), 1)),
        ),
    ),
    "CVAT": (
        _Sign("there is no .xml file that lists images", "Export it again.", _with_words(".xml", b"<annotations")),
        _PICTURES,
    ),
    "LabelMe": (
        _Sign("no .json file holds shapes", "Save them with LabelMe.", _with_words(".json", b'"shapes"')),
        _Sign("its .json files name no imagePath", "Save them with LabelMe.", _with_words(".json", b'"imagePath"')),
        _PICTURES,
    ),
    "COCO": (
        _Sign("no .json file lists images", "Export it again.", _with_words(".json", b'"images"')),
        _Sign(
            "its .json file has no annotations", "Export it with segmentations.", _with_words(".json", b'"annotations"')
        ),
        _Sign("its .json file has no categories", "Export it again.", _with_words(".json", b'"categories"')),
        _PICTURES,
    ),
}
"""What each layout consists of, the first thing first."""
