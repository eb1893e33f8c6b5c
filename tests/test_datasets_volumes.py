"""NIfTI pairs and nnU-Net folders, compared with SimpleITK; hostile files."""

from __future__ import annotations

import gzip
import json
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from PIL import Image

from lesion_measure.errors import InputError
from lesion_measure.image.volumes.nifti import read_nifti
from lesion_measure.lab.datasets import layout_of, load


def write(path: Path, values: NDArray[np.generic], spacing: tuple[float, ...] | None = None, **places: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(values, isVector=values.ndim == 4)
    if spacing:
        image.SetSpacing(spacing)
    if "origin" in places:
        image.SetOrigin(places["origin"])
    sitk.WriteImage(image, str(path))


def stack(slices: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (slices, 40, 56)).astype(np.uint8)


def lesion(slices: int, first: int = 0) -> NDArray[np.uint8]:
    mask = np.zeros((slices, 40, 56), np.uint8)
    mask[first:, 10:25, 20:50] = 1
    return mask


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_voxels_are_those_that_simpleitk_reads(tmp_path: Path, kind: str, suffix: str) -> None:
    values = np.random.default_rng(1).integers(0, 120, (3, 11, 17)).astype(kind)
    path = tmp_path / f"v{suffix}"
    write(path, values, (0.3, 0.2, 1.5), origin=(1.0, -2.0, 7.0))
    found = read_nifti(path)
    np.testing.assert_array_equal(found.voxels, sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
    assert found.voxels.shape == (3, 11, 17)
    assert found.voxel_mm == pytest.approx(0.2)
    # ITK's axes point left and back (LPS), NIfTI's right and front (RAS)
    assert found.sform is not None
    np.testing.assert_allclose(found.sform.reshape(3, 4)[:, 3], [-1.0, 2.0, 7.0], atol=1e-6)


def test_two_dimensions_colours_and_scaling(tmp_path: Path) -> None:
    flat = stack(1)[0]
    write(tmp_path / "flat.nii", flat)
    np.testing.assert_array_equal(read_nifti(tmp_path / "flat.nii").voxels, flat[None])
    colour = np.random.default_rng(2).integers(0, 256, (2, 9, 12, 3)).astype(np.uint8)
    write(tmp_path / "rgb.nii.gz", colour)
    np.testing.assert_array_equal(read_nifti(tmp_path / "rgb.nii.gz").voxels, colour)
    interleaved = bytearray((tmp_path / "flat.nii").read_bytes()[:352]) + colour[0].tobytes()
    interleaved[40:56] = struct.pack("<8h", 2, 12, 9, 1, 1, 1, 1, 1)
    interleaved[70:74] = struct.pack("<2h", 128, 24)
    (tmp_path / "rgb24.nii").write_bytes(interleaved)
    np.testing.assert_array_equal(read_nifti(tmp_path / "rgb24.nii").voxels, colour[:1])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "rgb24.nii"))), colour[0])
    data = bytearray((tmp_path / "flat.nii").read_bytes())
    data[112:120] = struct.pack("<2f", 0.5, 3)
    (tmp_path / "scaled.nii").write_bytes(data)
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "scaled.nii")))
    np.testing.assert_allclose(read_nifti(tmp_path / "scaled.nii").voxels[0], expected)
    np.testing.assert_allclose(expected, flat * 0.5 + 3)


def test_big_endian_files_are_read(tmp_path: Path) -> None:
    values = np.arange(6 * 5, dtype=">i2").reshape(5, 6)
    header = bytearray(348)
    struct.pack_into(">i", header, 0, 348)
    struct.pack_into(">8h", header, 40, 2, 6, 5, 1, 1, 1, 1, 1)
    struct.pack_into(">2h", header, 70, 4, 16)
    struct.pack_into(">8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into(">f", header, 108, 352)
    header[344:348] = b"n+1\0"
    path = tmp_path / "big.nii"
    path.write_bytes(bytes(header) + b"\0" * 4 + values.tobytes())
    np.testing.assert_array_equal(read_nifti(path).voxels[0], values)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), values)


def test_phantom_of_the_ibsi_agrees_with_simpleitk(shared_dir: Path) -> None:
    for name in ("phantom", "mask"):
        path = shared_dir / "data" / "IBSI" / f"{name}.nii.gz"
        expected = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        np.testing.assert_array_equal(read_nifti(path).voxels, expected)


@pytest.mark.parametrize("labels", ["masks", "labels"])
def test_pairs_of_one_name_are_read_slice_by_slice(tmp_path: Path, labels: str) -> None:
    root = tmp_path / "pairs"
    write(root / "images" / "case1.nii.gz", stack(3), (0.3, 0.3, 1))
    write(root / labels / "case1.nii.gz", lesion(3, first=1) * 255, (0.3, 0.3, 1))
    write(root / "images" / "case2.nii", stack(1, seed=1)[0])
    write(root / labels / "case2.nii.gz", lesion(1)[0] * 255)
    assert layout_of(root).name == "volumes"
    found = load(root)
    assert [p.name for p in found] == ["case1-0000", "case1-0001", "case1-0002", "case2"]
    assert [p.group for p in found] == ["pairs/case1"] * 3 + ["pairs/case2"]
    assert [len(p.axes) for p in found] == [0, 1, 1, 1]
    np.testing.assert_array_equal(found[2].image, stack(3)[2])
    np.testing.assert_array_equal(found[2].labels, lesion(1)[0])


def test_index_says_which_volumes_belong_together(tmp_path: Path) -> None:
    root = tmp_path / "pairs"
    for name in ("v1", "v2"):
        write(root / "images" / f"{name}.nii", stack(2))
        write(root / "masks" / f"{name}.nii", lesion(2))
    (root / "index.csv").write_text("id,group,visit\nv1,child 3,1\nv2,child 3,2\n")
    assert {p.group for p in load(root)} == {"pairs/child 3"}
    (root / "index.csv").write_text("id,group\nv1,child 3\n")
    with pytest.raises(InputError, match="group of v2"):
        load(root)


@pytest.mark.parametrize("suffix", [".nii.gz", ".png"])
def test_nnunet_folder_takes_the_label_that_names_a_lesion(tmp_path: Path, suffix: str) -> None:
    root = tmp_path / "Dataset001_AUL"
    label = lesion(1)[0] * 2
    label[:, :15] = 1
    for folder, name, values in (("imagesTr", "liver_1_0000", stack(1)[0]), ("labelsTr", "liver_1", label)):
        path = root / folder / f"{name}{suffix}"
        if suffix == ".png":
            path.parent.mkdir(parents=True)
            Image.fromarray(values).save(path)
        else:
            write(path, values)
    with pytest.raises(InputError, match="which is the lesion"):
        load(root)
    for labels in ({"background": 0, "liver": 1, "Liver tumor": 2}, {"0": "background", "1": "liver", "2": "mass"}):
        (root / "dataset.json").write_text(json.dumps({"labels": labels, "numTraining": 1}))
        found = load(root)
        assert [(p.name, len(p.axes)) for p in found] == [("liver_1", 1)]
        np.testing.assert_array_equal(found[0].labels > 0, label == 2)
        np.testing.assert_array_equal(found[0].image, stack(1)[0])
    for text in ('{"labels": {"background": 0, "liver": 1, "spleen": 2}}', "{}", "[", '{"labels": {"a": [1, 2]}}'):
        (root / "dataset.json").write_text(text)
        with pytest.raises(InputError, match=r"dataset\.json"):
            load(root)


def test_grey_values_of_other_types(tmp_path: Path) -> None:
    eight = stack(2)
    cases = {
        "as float": (eight.astype(np.float32), eight),
        "as int16": (eight.astype(np.int16), eight),
        "0 to 1": (eight / np.float32(eight.max()), np.rint(eight / eight.max() * 255)),
        "12 bits": (eight.astype(np.uint16) * 16, np.rint(eight / eight.max() * 255)),
        "decibels": (eight.astype(np.float32) * 60 / 255 - 60, None),
        "flat": (np.zeros((2, 40, 56), np.float32), np.zeros((2, 40, 56))),
    }
    for name, (values, expected) in cases.items():
        root = tmp_path / name
        write(root / "images" / "v.nii", values)
        write(root / "masks" / "v.nii", lesion(2))
        found = np.stack([p.image for p in load(root)])
        if expected is not None:
            np.testing.assert_array_equal(found, expected, err_msg=name)
        else:
            assert np.corrcoef(found.ravel(), eight.ravel())[0, 1] > 0.999
            assert (found.min(), found.max()) == (0, 255) or found.max() - found.min() > 250


def good(root: Path) -> Path:
    write(root / "images" / "v.nii.gz", stack(2), (0.3, 0.3, 1))
    write(root / "masks" / "v.nii.gz", lesion(2), (0.3, 0.3, 1))
    return root


def patch(path: Path, offset: int, data: bytes) -> None:
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[offset : offset + len(data)] = data
    path.write_bytes(gzip.compress(bytes(content)))


BREAKS: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "no label": (lambda i, m: m.rename(m.with_name("w.nii.gz")), "no partner"),
    "smaller label": (lambda i, m: write(m, lesion(1), (0.3, 0.3, 1)), "differ in size"),
    "moved label": (lambda i, m: write(m, lesion(2), (0.3, 0.3, 1), origin=(0.3, 0, 0)), "different places"),
    "other spacing": (lambda i, m: write(m, lesion(2), (0.31, 0.3, 1)), "different places"),
    "probabilities": (lambda i, m: write(m, lesion(2) * 0.5, (0.3, 0.3, 1)), "whole numbers"),
    "negative label": (lambda i, m: write(m, -lesion(2).astype(np.int16), (0.3, 0.3, 1)), "whole numbers"),
    "two labels": (lambda i, m: write(m, lesion(2) + lesion(2, 1), (0.3, 0.3, 1)), "which is the lesion"),
    "cut off": (lambda i, m: i.write_bytes(i.read_bytes()[:-500]), "damaged"),
    "checksum": (lambda i, m: i.write_bytes(i.read_bytes()[:-8] + bytes(4) + i.read_bytes()[-4:]), "damaged"),
    "no gzip": (lambda i, m: i.write_bytes(b"something else entirely"), "damaged"),
    "short": (lambda i, m: i.write_bytes(gzip.compress(b"x" * 100)), "no NIfTI-1"),
    "NIfTI-2": (lambda i, m: patch(i, 0, struct.pack("<i", 540)), "NIfTI-2"),
    "header pair": (lambda i, m: patch(i, 344, b"ni1\0"), "no NIfTI-1"),
    "huge": (lambda i, m: patch(i, 40, struct.pack("<4h", 3, 32767, 32767, 32767)), "too large"),
    "negative size": (lambda i, m: patch(i, 40, struct.pack("<4h", 3, 56, -40, 2)), "dimensions"),
    "four dimensions": (lambda i, m: patch(i, 40, struct.pack("<5h", 4, 56, 20, 2, 2)), "dimensions"),
    "complex": (lambda i, m: patch(i, 70, struct.pack("<2h", 32, 64)), "type 32"),
    "bits": (lambda i, m: patch(i, 72, struct.pack("<h", 16)), "contradicts"),
    "offset": (lambda i, m: patch(i, 108, struct.pack("<f", float("nan"))), "not finite"),
    "offset in header": (lambda i, m: patch(i, 108, struct.pack("<f", 100)), "voxels begin"),
    "slope": (lambda i, m: patch(i, 112, struct.pack("<f", float("inf"))), "not finite"),
    "place": (lambda i, m: patch(i, 280, struct.pack("<f", float("nan"))), "not finite"),
    "longer": (lambda i, m: i.write_bytes(gzip.compress(gzip.decompress(i.read_bytes()) + b"x")), "longer"),
    "hidden name": (lambda i, m: [p.rename(p.with_name("v\u202e.nii.gz")) for p in (i, m)], "no plain name"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_broken_pairs_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    root = good(tmp_path / "pairs")
    assert len(load(root)) == 2
    damage, reason = BREAKS[name]
    damage(root / "images" / "v.nii.gz", root / "masks" / "v.nii.gz")
    with pytest.raises(InputError, match=reason):
        load(root)


def test_a_second_channel_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "c"
    write(root / "imagesTr" / "c_0001.nii.gz", stack(1))
    write(root / "labelsTr" / "c.nii.gz", lesion(1))
    with pytest.raises(InputError, match="_0000"):
        load(root)


@pytest.mark.parametrize("name", ["liver_0", "case_0003"])
def test_images_called_as_their_labels_are_those_of_the_decathlon(tmp_path: Path, name: str) -> None:
    root = tmp_path / "Task03_Liver"
    write(root / "imagesTr" / f"{name}.nii.gz", stack(1))
    write(root / "labelsTr" / f"{name}.nii.gz", lesion(1))
    (root / "dataset.json").write_text('{"labels": {"0": "background", "1": "cancer"}}')
    assert [(item.name, len(item.axes)) for item in load(root)] == [(name, 1)]


def test_regions_are_lesions_by_their_names(tmp_path: Path) -> None:
    """nnU-Net's region-based labels: a value is a lesion's where a lesion's region holds it."""
    root = tmp_path / "Dataset002"
    label = lesion(1)[0] * 2
    label[:, :15] = 1
    write(root / "imagesTr" / "c_0000.nii.gz", stack(1)[0])
    write(root / "labelsTr" / "c.nii.gz", label)
    (root / "dataset.json").write_text('{"labels": {"background": 0, "liver": [1, 2], "tumor": [2]}}')
    np.testing.assert_array_equal(load(root)[0].labels > 0, label == 2)


def test_qform_and_sform_of_one_place_agree_and_of_others_do_not(tmp_path: Path) -> None:
    """The image states a qform alone and the label an sform alone, as two tools write them."""
    root = good(tmp_path / "pairs")
    image, label = root / "images" / "v.nii.gz", root / "masks" / "v.nii.gz"
    patch(image, 254, struct.pack("<h", 0))
    patch(label, 252, struct.pack("<h", 0))
    assert len(load(root)) == 2
    patch(label, 280, struct.pack("<f", 0.3))
    with pytest.raises(InputError, match="different places"):
        load(root)


def test_a_picture_that_lies_on_its_side_by_its_header_is_refused(tmp_path: Path) -> None:
    root = good(tmp_path / "pairs")
    for path in (root / "images" / "v.nii.gz", root / "masks" / "v.nii.gz"):
        patch(path, 252, struct.pack("<2h", 0, 1))
        patch(path, 280, struct.pack("<12f", 0, 0.3, 0, 0, 0.3, 0, 0, 0, 0, 0, 1, 0))
    with pytest.raises(InputError, match="on its side"):
        load(root)


def test_pictures_of_another_format_among_volumes_are_not_passed_over(tmp_path: Path) -> None:
    root = good(tmp_path / "pairs")
    (root / "index.csv").write_text("id,group\nv,1\nw,2\n")
    with pytest.raises(InputError, match="'w', which is not there"):
        load(root)
    for part in ("images", "masks"):
        Image.fromarray(stack(1)[0]).save(root / part / "w.png")
    with pytest.raises(InputError, match=r"left out.*are read"):
        load(root)


def test_a_packed_bomb_costs_what_its_header_says(tmp_path: Path) -> None:
    root = good(tmp_path / "pairs")
    path = root / "images" / "v.nii.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content + bytes(200_000_000), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(InputError, match="longer than its header"):
        read_nifti(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_other_volume_files_are_read_as_nifti_is(tmp_path: Path, suffix: str) -> None:
    for folder, kind in (("a", ".nii.gz"), ("b", suffix)):
        write(tmp_path / folder / "images" / f"v{kind}", stack(3), (0.3, 0.2, 1.5), origin=(1.0, -2.0, 7.0))
        write(tmp_path / folder / "masks" / f"v{kind}", lesion(3), (0.3, 0.2, 1.5), origin=(1.0, -2.0, 7.0))
    ours, theirs = load(tmp_path / "a"), load(tmp_path / "b")
    assert len(ours) == len(theirs) == 3
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.labels, other.labels)
    write(tmp_path / "b" / "masks" / f"v{suffix}", lesion(3), (0.3, 0.2, 1.5), origin=(3.0, -2.0, 7.0))
    with pytest.raises(InputError, match="different places"):
        load(tmp_path / "b")
