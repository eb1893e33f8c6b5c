"""What outside programs say of DICOM objects: dciodvfy, dsrdump, highdicom."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from numpy.typing import NDArray


def checker(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: dicom3tools, dcmtk)")
    return found


_KINDS = ("Segmentation", "ComprehensiveSR", "KeyObjectSelectionDocument")


def errors(path: Path) -> list[str]:
    """Lines of dciodvfy that begin with Error."""
    done = subprocess.run([checker("dciodvfy"), str(path)], capture_output=True, text=True, errors="replace")
    lines = (done.stdout + done.stderr).splitlines()
    assert any(line.strip() in _KINDS for line in lines), lines[:5]
    return [line for line in lines if line.startswith(("Error", "Abort"))]


def dumped(path: Path) -> str:
    """What dsrdump reads; fails where it refuses the file."""
    done = subprocess.run([checker("dsrdump"), str(path)], capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stderr
    return done.stdout


def segments(path: Path) -> tuple[hd.seg.Segmentation, str, int | None, NDArray[np.bool_]]:
    """The object, its one image and frame, and the mask as highdicom reads it."""
    seg = hd.seg.segread(path)
    source = seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    uid, frame = source.ReferencedSOPInstanceUID, source.get("ReferencedFrameNumber")
    if frame is None:
        pixels = seg.get_pixels_by_source_instance([uid])
    else:
        pixels = seg.get_pixels_by_source_frame(uid, [int(frame)])
    return seg, uid, frame, pixels[0, :, :, 0] > 0


def groups(path: Path) -> list[hd.sr.MeasurementsAndQualitativeEvaluations]:
    """The measurement groups of a report, as highdicom reads them."""
    return hd.sr.srread(path).content.get_image_measurement_groups()
