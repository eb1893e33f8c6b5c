"""Picture and mask files of a data folder, as untrusted input: every reader of a layout goes through here.

No file outside the data folder is read, whatever an index or a link says; every size is bounded before it is decoded.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.colour import luminance
from lesion_measure.errors import InputError, TableError
from lesion_measure.image import masks
from lesion_measure.tables.rows import Row, read_table

CODE = "dataset"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
MASK_SUFFIXES = PICTURE_SUFFIXES
_FORMATS = {".bmp": ("BMP",), ".tif": ("TIFF",), ".tiff": ("TIFF",)}
"""What a file may hold by its suffix; others hold PNG or JPEG."""
PICTURE_LIKE = (
    *PICTURE_SUFFIXES, ".nii.gz", ".nii", ".gif", ".webp", ".dcm", ".mha", ".mhd", ".nrrd", ".npy", ".npz",
    ".mat", ".json", ".xml",
)  # fmt: skip
"""What pictures, masks and outlines are called; those that a layout does not read are not passed over."""
MOST_SHARE = 2.0
"""Largest value of a picture of shares, 0 to 1, that was resampled: splines and sinc swing over by a fifth or so. A
picture of 0 to 255 that is so dark would show nothing."""
MOST_SWING = 0.25
"""How far below black, as a share of the largest value, is taken for such a swing; lower values are those of a picture
around 0."""
_NAME = re.compile(r"[\w() .-]{1,200}")


def bad(reason: str, path: Path | str, remedy: str = "") -> InputError:
    """The error for a data folder that cannot be used."""
    return InputError(reason, remedy=remedy, code=CODE, path=str(path))


def composed(name: str) -> str:
    """A name in Unicode's composed form (NFC), whichever its file system keeps: macOS takes umlauts apart."""
    return unicodedata.normalize("NFC", name)


def checked_name(name: str, path: Path) -> str:
    """A name of a picture, group or set that an index states, `composed`, once it is known to be no more than that."""
    name = composed(name)
    if not _NAME.fullmatch(name) or name.startswith("."):
        raise bad(
            "An entry of the index is no plain name.",
            path,
            "Use letters, digits, blanks and ( ) _ . -, at most 200 of them, without folders.",
        )
    return name


def read_index(path: Path, *, optional: Sequence[str] = ()) -> list[Row]:
    """The rows of an ``index.csv``: columns id, group, any of ``optional``, and whatever else people keep there.

    Without a column ``group`` it is refused, since nobody has said then which pictures are of one patient.

    Raises
    ------
    InputError
        The table cannot be read, or a column is missing: as everything in a data folder, the data are at fault.
    """
    try:
        return read_table(path, required=("id", "group"), optional=optional, others=True)
    except TableError as error:
        remedy = (
            "Pictures of one patient share a group; an empty cell is a group of its own (lesion-measure help datasets)."
        )
        raise bad(error.reason, path, f"{error.remedy} {remedy}".lstrip()) from error


def child(folder: Path, *names: str, of_files: bool = False) -> Path | None:
    """The folder (or file) in ``folder`` that has one of ``names`` in any letter case; None where there is none.

    Raises
    ------
    InputError
        Several have.
    """
    wanted = {name.casefold() for name in names}
    try:
        found = [
            path
            for path in sorted(folder.iterdir())
            if path.name.casefold() in wanted and (path.is_file() if of_files else path.is_dir())
        ]
    except OSError as error:
        raise bad(f"The folder cannot be read ({error.strerror}).", folder) from error
    if len(found) > 1:
        raise bad(f"Of '{found[0].name}' and '{found[1].name}' one is meant.", folder, "Keep one of the two.")
    return found[0] if found else None


def files_by_stem(root: Path, folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """The files of ``folder`` with one of ``suffixes`` (in any case), by name without it, hidden ones left out.

    Raises
    ------
    InputError
        The folder cannot be read or leads out of ``root``, or two files differ only in their suffix.
    """
    found: dict[str, Path] = {}
    try:
        with os.scandir(folder) as scanned:
            plain = {one.name: one.is_file(follow_symlinks=False) for one in scanned}
        inside = folder.resolve(strict=True).is_relative_to(root.resolve())
    except OSError as error:
        raise bad(f"The folder cannot be read ({error.strerror}).", folder) from error
    for path in (folder / name for name in sorted(plain)):
        suffix = next((each for each in suffixes if path.name.lower().endswith(each)), None)
        if suffix is None or path.name.startswith("."):
            continue
        stem = composed(path.name[: -len(suffix)])
        if stem in found:
            raise bad(f"There are two files of this name, {found[stem].name} and {path.name}.", path, "Keep one.")
        # One that is no link lies where its folder does.
        found[stem] = path if inside and plain[path.name] else regular(root, path)
    return found


def check_all_read(folder: Path, suffixes: Sequence[str]) -> None:
    """Raise InputError where a folder holds pictures or masks with other suffixes than those that are read."""
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        if name.endswith(PICTURE_LIKE) and not name.endswith(tuple(suffixes)) and not name.startswith("."):
            raise bad(
                f"This file would be left out: of this folder {' and '.join(suffixes)} are read.",
                path,
                "Save it in the format of the others, or take it away.",
            )


def lying_there(folder: Path, identity: str) -> tuple[str, str]:
    """What lies in a folder under nearly the name that is missing, as a sentence, and what to do; empty without."""
    alike = [path.name for path in sorted(folder.iterdir()) if _bare(path.name) == _bare(identity)]
    if not alike:
        inside = next((path for path in sorted(folder.glob("*/*")) if _bare(path.name) == _bare(identity)), None)
        if inside is None:
            return "", ""
        return (
            f" It lies in {inside.parent.name}/, and folders in {folder.name}/ are not looked into.",
            f"Put all files into {folder.name}/ itself; a column split states train, val and test.",
        )
    what, stem = f" '{alike[0]}' lies there", composed(alike[0].rpartition(".")[0])
    if not alike[0].lower().endswith(PICTURE_SUFFIXES):
        return f"{what}, which is not read.", f"Save '{alike[0]}' as PNG."
    return f"{what}: its name without suffix is '{stem}'.", f"Write '{stem}' as its id, or rename the file."


def _bare(name: str) -> str:
    """A file's name without any suffix of a picture, in lower case."""
    bare = composed(name).lower()
    while suffix := next((each for each in PICTURE_LIKE if bare.endswith(each)), None):
        bare = bare[: -len(suffix)]
    return bare


def bound_of(folder: Path, links: Path | None) -> Path:
    """The folder that no link of ``folder`` may lead out of: ``links`` where it lies around it, else itself."""
    return folder if links is None or not folder.resolve().is_relative_to(links.resolve()) else links


def regular(root: Path, path: Path) -> Path:
    """The path, once it is known to be a regular file at or below ``root``, links followed."""
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(root.resolve()):
            raise bad(
                f"The file is a link that leads out of the data folder, or of what --links-within names ({root.name}).",
                path,
                "Put the file itself there. Of data folders --links-within names a folder around both.",
            )
        if not real.is_file():
            raise bad("This is no regular file.", path, "Put the file itself there.")
    except (OSError, RuntimeError) as error:
        if path.is_symlink():
            raise bad(
                f"The file is a link to '{path.readlink()}', which is not there.", path, "Fetch it, or put it there."
            ) from error
        raise bad("The file is missing or cannot be read.", path, "Copy it anew.") from error
    return path


def read_grey(path: Path) -> NDArray[np.uint8]:
    """A picture as luminance (rows, columns): Y of ITU-R BT.601, as `FrameReader.luminance` gives.

    Raises
    ------
    InputError
        It is no picture, of an impossible size, or marked as lying on its side.
    """
    try:
        with masks.opened(path, formats_of(path)) as image:
            masks.check_size(image.height, image.width, path, code=CODE)
            if image.getexif().get(masks.ORIENTATION, 1) != 1:
                raise bad("The picture is marked as rotated (EXIF).", path, "Save it upright, without the mark.")
            if getattr(image, "n_frames", 1) != 1:
                raise bad("The file holds several pictures.", path, "Save each as a file of its own.")
            if image.mode == "F":
                return _from_floats(np.asarray(image), path)
            if image.mode.startswith("I"):
                return _from_16_bits(np.asarray(image), path)
            if image.mode in ("1", "L"):
                return np.asarray(image.convert("L"), dtype=np.uint8)
            return luminance(np.asarray(image.convert("RGB"), dtype=np.uint8))
    except masks.PILLOW_ERRORS as error:
        raise bad(
            f"The picture cannot be read{masks.why(error)}.", path, "Give an intact PNG, JPEG, TIFF or BMP file."
        ) from error


def read_values(path: Path) -> NDArray[np.int32]:
    """The values of a mask or label picture of a data folder (`image.masks.read_values`)."""
    return masks.read_values(path, code=CODE, formats=formats_of(path))


def formats_of(path: Path) -> Sequence[str]:
    """What Pillow may take a file for, by its suffix."""
    return _FORMATS.get(path.suffix.lower(), masks.FORMATS)


def size_of(path: Path) -> tuple[int, int]:
    """Rows and columns of a picture, by its header alone.

    Raises
    ------
    InputError
        It is no picture, or of an impossible size.
    """
    try:
        with masks.opened(path, formats_of(path)) as image:
            masks.check_size(image.height, image.width, path, code=CODE)
            return image.height, image.width
    except masks.PILLOW_ERRORS as error:
        raise bad(
            f"The picture cannot be read{masks.why(error)}.", path, "Give an intact PNG, JPEG, TIFF or BMP file."
        ) from error


def same_size(image: NDArray[np.uint8], mask: NDArray[np.generic], path: Path) -> None:
    """Raise InputError where a picture and its mask differ in size."""
    if image.shape != mask.shape:
        turned = " It seems to be turned by 90 degrees." if image.shape == mask.shape[::-1] else ""
        raise bad(
            f"The mask has {mask.shape[0]} x {mask.shape[1]} pixels, its picture {image.shape[0]} x {image.shape[1]}."
            f"{turned}",
            path,
            "Write the mask in the size of its picture.",
        )


def grey_levels(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey of any range (any shape) as 8 bits: as it is where that fits, else from its least (at most 0) to its most.

    A largest value of 1 or less fits no picture: such greys are shares. So are fractions up to `MOST_SHARE`, since
    resampling goes beyond the largest value of what it resamples. It goes below black as well, which stays black.
    """
    low, high = min(float(values.min()), 0.0), float(values.max())
    fractions = high <= MOST_SHARE and bool((values != np.rint(values)).any())
    shares = high <= 1 or fractions
    if fractions and -low <= MOST_SWING * high:
        low, values = 0.0, np.maximum(values, 0)
    if low == 0 and high <= 255 and not shares:
        return np.stack([np.rint(one).astype(np.uint8) for one in values])
    scale = 255 / (high - low) if high > low else 0.0
    return np.stack([np.rint((one.astype(np.float64) - low) * scale).astype(np.uint8) for one in values])


def _from_floats(values: NDArray[np.float32], path: Path) -> NDArray[np.uint8]:
    if not np.isfinite(values).all():
        raise bad("The picture holds values that are not finite.", path, "Write 0 there.")
    return grey_levels(values)


def _from_16_bits(values: NDArray[np.generic], path: Path) -> NDArray[np.uint8]:
    """16-bit grey as 8 bits: as it is where that fits, else from black, 0, to the picture's largest value.

    Such files hold 10, 12 or 14 bits as a rule and do not say how many; full scale would leave 16 greys of 12 bits.
    """
    wide = np.asarray(values, dtype=np.float64)
    if not np.isfinite(wide).all() or wide.min() < 0 or wide.max() > 65535:
        raise bad("The picture's values are not those of an 8- or 16-bit picture.", path)
    return np.asarray(np.rint(wide * (255 / max(float(wide.max()), 255))), dtype=np.uint8)
