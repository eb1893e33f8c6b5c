"""Readers' masks in NRRD, NIfTI and MetaImage files that SimpleITK wrote; damaged and hostile ones are refused."""

from __future__ import annotations

import gzip
import os
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

import make
from lesion_measure.errors import InputError
from lesion_measure.image.volumes.files import read_volume
from lesion_measure.image.volumes.masks import read_volume_mask
from lesion_measure.report.bodies import _name

ROWS, COLUMNS = 24, 40
# A letter L by hand: an upright of rows 3 to 11 in columns 5 and 6, a foot in row 11 to column 20.
L_PIXELS = {(row, column) for row in range(3, 12) for column in (5, 6)} | {(11, column) for column in range(5, 21)}
SUFFIXES = (".nrrd", ".seg.nrrd", ".mha", ".nii", ".nii.gz")


def letter() -> np.ndarray:
    drawn = np.zeros((ROWS, COLUMNS), np.uint8)
    for pixel in L_PIXELS:
        drawn[pixel] = 1
    return drawn


def pixels(mask: np.ndarray) -> set[tuple[int, int]]:
    return {(int(row), int(column)) for row, column in np.argwhere(mask)}


def saved(path: Path, image: sitk.Image, *, packed: bool = True) -> Path:
    sitk.WriteImage(image, str(path), useCompression=packed)
    return path


def in_space(orientation: str = "LPS", slices: int = 1) -> sitk.Image:
    """The letter on the first slice of a grid with unequal spacings, stored along other axes."""
    stack = np.zeros((slices, ROWS, COLUMNS), np.uint8)
    stack[0] = letter()
    image = sitk.GetImageFromArray(stack)
    image.SetSpacing((0.2, 0.3, 1.0))
    return sitk.DICOMOrient(image, orientation)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_letter_lies_as_it_was_drawn(tmp_path: Path, suffix: str, packed: bool) -> None:
    flat = saved(tmp_path / f"flat{suffix}", sitk.GetImageFromArray(letter()), packed=packed)
    deep = saved(tmp_path / f"deep{suffix}", in_space(), packed=packed)
    for path in (flat, deep):
        mask = read_volume_mask(path, frame=1, frames=1)
        assert mask.shape == (ROWS, COLUMNS)
        assert pixels(mask) == L_PIXELS


@pytest.mark.parametrize("orientation", ["PLS", "RAS", "LAS", "RPS", "ALS", "SPL", "PSR", "LPI"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_mask_stored_along_other_axes_is_turned_upright(tmp_path: Path, suffix: str, orientation: str) -> None:
    path = saved(tmp_path / f"m{suffix}", in_space(orientation, slices=3))
    assert pixels(read_volume_mask(path, frame=1, frames=3)) == L_PIXELS
    assert not read_volume_mask(path, frame=3, frames=3).any()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_header_that_places_the_mask_elsewhere_is_refused(tmp_path: Path, suffix: str) -> None:
    """The identity in NIfTI's space, as scripts write it: mirrored by its header, perhaps not by its writer."""
    image = sitk.GetImageFromArray(letter()[None])
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    with pytest.raises(InputError, match="mirrored or on its side") as refusal:
        read_volume_mask(saved(tmp_path / f"m{suffix}", image), frame=1, frames=1)
    assert refusal.value.remedy
    image.SetDirection((0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1))
    with pytest.raises(InputError, match="mirrored or on its side"):
        read_volume_mask(saved(tmp_path / f"n{suffix}", image), frame=1, frames=1)


def test_slices_are_frames(tmp_path: Path) -> None:
    stack = np.stack([np.roll(letter(), shift, axis=1) for shift in range(4)])
    path = saved(tmp_path / "m.nrrd", sitk.GetImageFromArray(stack))
    assert pixels(read_volume_mask(path, frame=3, frames=4)) == {(row, column + 2) for row, column in L_PIXELS}
    with pytest.raises(InputError, match="4 slices, the image has 5 frames"):
        read_volume_mask(path, frame=3, frames=5)


def test_several_labels_and_layers_are_refused(tmp_path: Path) -> None:
    labels = letter()
    labels[0, 0] = 2
    with pytest.raises(InputError, match="it holds 0, 1, 2"):
        read_volume_mask(saved(tmp_path / "a.nrrd", sitk.GetImageFromArray(labels)), frame=1, frames=1)
    for parts in (2, 3):  # as 3D Slicer saves segments that overlap
        layers = sitk.GetImageFromArray(np.stack([letter()] * parts, axis=-1)[None], isVector=True)
        with pytest.raises(InputError, match="layers"):
            read_volume_mask(saved(tmp_path / f"{parts}.seg.nrrd", layers), frame=1, frames=1)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_cut_or_lengthened_file_is_read(tmp_path: Path, suffix: str, packed: bool) -> None:
    noise = (np.random.default_rng(1).random((3, ROWS, COLUMNS)) > 0.7).astype(np.uint8)
    whole = saved(tmp_path / f"whole{suffix}", sitk.GetImageFromArray(noise), packed=packed).read_bytes()
    np.testing.assert_array_equal(read_volume(tmp_path / f"whole{suffix}").voxels, noise)
    bad, draw = tmp_path / f"bad{suffix}", random.Random(3)
    for data in [*(whole[: draw.randrange(len(whole))] for _ in range(60)), whole[:-1], whole + b"x"]:
        bad.write_bytes(data)
        with pytest.raises(InputError) as refusal:
            read_volume(bad)
        assert refusal.value.reason


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii.gz"])
def test_one_wrong_byte_of_packed_voxels_is_refused(tmp_path: Path, suffix: str) -> None:
    """Or, where it stands in what the voxels do not depend on (a time, a name), changes none."""
    noise = (np.random.default_rng(1).random((3, ROWS, COLUMNS)) > 0.7).astype(np.uint8)
    whole = saved(tmp_path / f"whole{suffix}", sitk.GetImageFromArray(noise)).read_bytes()
    bad, draw = tmp_path / f"bad{suffix}", random.Random(3)
    for _ in range(200):
        place = draw.randrange(len(whole) // 2, len(whole))
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with pytest.raises(InputError):
            read_volume(bad)


def _replace(suffix: str, old: bytes, new: bytes) -> Callable[[Path], Path]:
    def change(folder: Path) -> Path:
        path = saved(folder / f"m{suffix}", sitk.GetImageFromArray(letter()[None]), packed=False)
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))
        return path

    return change


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (_replace(".nrrd", b"encoding: raw", b"encoding: raw\ndata file: other.raw"), "names another file"),
        (_replace(".nrrd", b"encoding: raw", b"encoding: raw\ndatafile: LIST"), "names another file"),
        (_replace(".nrrd", b"encoding: raw", b"encoding: raw\nbyte skip: -1"), "field 'byte skip' is not read"),
        (_replace(".nrrd", b"encoding: raw", b"encoding: raw\nDATA FILE: other.raw"), "is not read"),
        (_replace(".nrrd", b"encoding: raw", b"encoding: bzip2"), "encoding 'bzip2'"),
        (_replace(".nrrd", b"sizes: 40 24 1", b"sizes: 40 24 900000000"), "too large"),
        (_replace(".nrrd", b"sizes: 40 24 1", b"sizes: 40 24 1\nsizes: 40 24 1"), "twice"),
        (_replace(".nrrd", b"sizes: 40 24 1", b"sizes: 40 24 -1"), "how many voxels"),
        (_replace(".nrrd", b"type: unsigned char", b"type: block"), "type 'block'"),
        (_replace(".nrrd", b"NRRD0004", b"NRRD0009"), "no NRRD file"),
        (_replace(".mha", b"ElementDataFile = LOCAL", b"ElementDataFile = other.raw"), "names another file"),
        (_replace(".mha", b"ElementDataFile = LOCAL", b"ElementDataFile : other.raw"), "no MetaImage file"),
        (_replace(".mha", b"ElementDataFile = LOCAL", b"ElementDataFile = LIST"), "names another file"),
        (_replace(".mha", b"DimSize = 40 24 1", b"DimSize = 40 24 900000000"), "too large"),
        (_replace(".mha", b"BinaryData = True", b"BinaryData = False"), "not stored as plain bytes"),
        (_replace(".mha", b"NDims = 3", b"NDims = 3\nHeaderSize = -1"), "not stored as plain bytes"),
        (_replace(".mha", b"CompressedData = False", b"CompressedData = yes"), "yes or no"),
    ],
)
def test_headers_that_lead_elsewhere_are_refused(tmp_path: Path, make: Callable[[Path], Path], complaint: str) -> None:
    (tmp_path / "other.raw").write_bytes(letter().tobytes())
    with pytest.raises(InputError, match=complaint):
        read_volume(make(tmp_path))


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        os.mkfifo(tmp_path / f"m{suffix}")
        with pytest.raises(InputError, match="cannot be read"):
            read_volume(tmp_path / f"m{suffix}")


def test_a_packed_bomb_costs_little(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.nrrd", sitk.GetImageFromArray(letter()[None]))
    header = path.read_bytes().partition(b"\n\n")[0]
    path.write_bytes(header + b"\n\n" + gzip.compress(bytes(300_000_000), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(InputError, match="more or fewer"):
        read_volume(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_simpleitks_setting_stays_the_callers(tmp_path: Path) -> None:
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    read_volume(saved(tmp_path / "m.nrrd", sitk.GetImageFromArray(letter())))
    assert sitk.ProcessObject.GetGlobalWarningDisplay() is before


def test_files_of_lesions_have_plain_names_of_their_own() -> None:
    taken: set[str] = set()
    lesions = [make.lesion(24, lesion=name) for name in ("L1", "l1", "left/lobe", "左")]
    subject, visit = lesions[0].subject, str(lesions[0].visit).replace("_", "-")
    assert [_name(lesion, taken) for lesion in lesions] == [
        f"{subject}_{visit}_{name}.lesion.nrrd" for name in ("L1", "l1_2", "left-lobe", "x")
    ]
