"""DICOM images with masks as pictures, cut to what a run looks at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dicom_writing import screen
from lesion_measure.dicom.colour import luminance
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import layout_of, load
from segmentations import COLUMNS, ROWS, image, mask, region


def draw(root: Path, name: str, values: np.ndarray) -> Path:
    path = root / "masks" / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    Image.fromarray((values * 255).astype(np.uint8)).save(path)
    return path


def test_a_mask_beside_a_dicom_image_is_read_to_the_pixel(tmp_path: Path) -> None:
    source = image(tmp_path / "images")
    draw(tmp_path, source.stem, mask())
    assert layout_of(tmp_path).name == "DICOM with masks"
    (found,) = load(tmp_path)
    np.testing.assert_array_equal(found.labels, mask())
    np.testing.assert_array_equal(found.image, luminance(screen(ROWS, COLUMNS)))
    assert found.spacing_mm is not None
    assert found.group.startswith("subject-")
    assert "Doe" not in found.group + found.name


def test_frames_of_a_cine_are_told_by_the_number_behind_the_name(tmp_path: Path) -> None:
    source = image(tmp_path / "images", frames=3)
    for number, top in ((1, 20), (3, 26)):
        draw(tmp_path, f"{source.stem}-{number}", mask(top))
    found = load(tmp_path)
    assert [item.name for item in found] == [f"{source.stem}-1", f"{source.stem}-3"]
    np.testing.assert_array_equal(found[1].labels, mask(26))
    assert len({item.group for item in found}) == 1
    draw(tmp_path, f"{source.stem}-4", mask())
    with pytest.raises(InputError, match="no image of its name"):
        load(tmp_path)
    (tmp_path / "masks" / f"{source.stem}-4.png").rename(tmp_path / "masks" / f"{source.stem}.png")
    with pytest.raises(InputError, match="several frames"):
        load(tmp_path)


def test_pictures_are_cut_to_the_region_that_a_run_looks_at(tmp_path: Path) -> None:
    rows, columns = (8, ROWS - 5), (12, COLUMNS - 3)
    source = image(tmp_path / "images", SequenceOfUltrasoundRegions=[region(rows, columns)])
    draw(tmp_path, source.stem, mask())
    (found,) = load(tmp_path)
    np.testing.assert_array_equal(found.labels, mask()[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1])


def test_masks_and_images_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    source = image(tmp_path / "images")
    draw(tmp_path, source.stem, mask()[:-1])
    with pytest.raises(InputError, match=f"{ROWS - 1} x {COLUMNS} pixels"):
        load(tmp_path)
    (tmp_path / "masks" / f"{source.stem}.png").rename(tmp_path / "masks" / "other.png")
    with pytest.raises(InputError, match="no image of its name"):
        load(tmp_path)
