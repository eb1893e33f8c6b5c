"""Images that are cut off are refused, whatever other libraries told Pillow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from lesion_measure.errors import InputError
from lesion_measure.image.masks import read_values
from lesion_measure.lab.datasets.files import read_grey


@pytest.mark.parametrize("read", [read_values, read_grey])
@pytest.mark.parametrize("lenient", [False, True])
def test_a_cut_off_image_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lenient: bool, read: Callable[[Path], object]
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    whole = tmp_path / "whole.png"
    Image.fromarray(np.random.default_rng(1).choice(np.array([0, 255], dtype=np.uint8), (64, 64))).save(whole)
    read(whole)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(InputError, match="intact"):
        read(cut)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is lenient
