"""A file that changes between its header and its pixels: refused, never the old scale under new pixels."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dicom_writing import DEFLATED, EXPLICIT, screen, write
from lesion_measure.config import Limits
from lesion_measure.dicom.frames import FrameReader
from lesion_measure.errors import InputError
from lesion_measure.files import archive
from lesion_measure.records import Instance
from lesion_measure.studies import load_studies


def one(path: Path) -> Instance:
    (instance,) = load_studies(path).instances
    return instance


def other(folder: Path, like: Path, **attributes: object) -> Path:
    """A file as long as another and as old, with something else in its header."""
    folder.mkdir()
    write(folder, screen(seed=2).tobytes(), screen().shape, **attributes)
    found = like.stat()
    os.utime(folder / "image.dcm", ns=(found.st_atime_ns, found.st_mtime_ns))
    assert (folder / "image.dcm").stat().st_size == found.st_size
    return folder / "image.dcm"


def touched(path: Path) -> None:
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000_000))


def longer(path: Path) -> None:
    found = path.stat()
    path.write_bytes(path.read_bytes() + b"\x00")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def replaced(path: Path) -> None:
    spare = path.with_name("spare")
    shutil.copyfile(path, spare)
    spare.replace(path)
    touched(path)


@pytest.mark.parametrize("change", [touched, longer, replaced])
@pytest.mark.parametrize("packed", [False, True])
def test_another_size_or_time(tmp_path: Path, change: Callable[[Path], None], packed: bool) -> None:
    path = write(tmp_path, screen().tobytes(), screen().shape).location.file
    if packed:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
            file.write(path, "image.dcm")
        path.unlink()
        path = tmp_path / "a.zip"
    instance = one(path)
    with FrameReader(instance) as reader:
        assert np.array_equal(reader.display(1), screen())
    digest = archive.sha256(instance.location, Limits())
    assert len(digest) == 64
    change(path)
    for reads in (lambda: FrameReader(instance), lambda: archive.sha256(instance.location, Limits())):
        with pytest.raises(InputError, match="changed or replaced") as caught:
            reads()
        assert caught.value.code == "file_changed"
        assert caught.value.remedy
    assert one(path).rows == instance.rows


@pytest.mark.parametrize("syntax", [EXPLICIT, DEFLATED])
def test_another_header_of_the_same_size_and_time(tmp_path: Path, syntax: str) -> None:
    """A copy that keeps its time (cp -p): the header's bytes tell."""
    path = write(tmp_path, screen().tobytes(), screen().shape, syntax, PatientID="AB01").location.file
    instance = one(path)
    if syntax == EXPLICIT:
        shutil.copy2(other(tmp_path / "b", path, PatientID="AB02"), path)
    else:
        found = path.stat()
        write(tmp_path, screen().tobytes(), screen().shape, syntax, PatientID="AB02")
        path.write_bytes(path.read_bytes().ljust(found.st_size, b"\x00")[: found.st_size])
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    with pytest.raises(InputError, match="changed or replaced") as caught:
        FrameReader(instance)
    assert caught.value.code == "file_changed"
