"""Volume files: NIfTI read by its header alone, NRRD and MetaImage by SimpleITK once header and bytes are checked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesion_measure.errors import InputError, OutputError
from lesion_measure.image.volumes import nifti
from lesion_measure.image.volumes.headers import META, NRRD, check
from lesion_measure.image.volumes.volume import Volume, refused

SUFFIXES = (*nifti.SUFFIXES, NRRD, META)
_READERS = {NRRD: "NrrdImageIO", META: "MetaImageIO"}
_COLOURS = 3


def read_volume(path: Path) -> Volume:
    """Read one volume of any of `SUFFIXES`, by the end of its name.

    Raises
    ------
    InputError
        As `nifti.read_nifti` and `headers.check`; or its voxels are not finite, or neither numbers nor 8-bit colours.
    """
    suffix = next((each for each in _READERS if path.name.lower().endswith(each)), None)
    return nifti.read_nifti(path) if suffix is None else _by_simpleitk(path, _READERS[suffix], _checked)


def read_layers(path: Path) -> Volume:
    """Read an NRRD file whose voxels hold several layers: voxels (slices, rows, columns, layers).

    Raises
    ------
    InputError
        As `read_volume`; or its voxels are no whole numbers.
    """
    return _by_simpleitk(path, _READERS[NRRD], _checked_layers)


def nrrd(voxels: NDArray[np.uint8], *, spacing_mm: tuple[float, float, float], texts: Mapping[str, str]) -> bytes:
    """A label volume as the bytes of an NRRD file, packed; the same input gives the same bytes.

    Parameters
    ----------
    voxels
        (slices, rows, columns).
    spacing_mm
        Distance of slices, rows and columns.
    texts
        What else the header says, by name.
    """
    import SimpleITK as sitk  # noqa: N813

    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing_mm[::-1])
    for name, text in texts.items():
        image.SetMetaData(name, text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"volume{NRRD}"
        try:
            sitk.WriteImage(image, str(path), useCompression=True)
            check(path)
            return path.read_bytes()
        except (RuntimeError, OSError, InputError) as error:
            raise OutputError(
                "A lesion in 3D cannot be written as a volume file.",
                remedy="Check the space on the disk for temporary files.",
                code="volume_file",
            ) from error


def _by_simpleitk(
    path: Path, reader_name: str, checked: Callable[[NDArray[np.generic], int, Path], NDArray[np.generic]]
) -> Volume:
    import SimpleITK as sitk  # noqa: N813  here, since it takes long to load and few runs need it

    stated = check(path)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(reader_name)  # by no other reader, whatever the file looks like
    reader.SetFileName(str(path))
    try:
        with _silent():
            reader.ReadImageInformation()
            sizes = reader.GetSize()
            parts = reader.GetNumberOfComponents()
            if (sizes if parts == 1 else (parts, *sizes)) != stated.sizes or not 2 <= len(sizes) <= 3:
                raise refused("The volume does not have two or three dimensions.", path, "Save every part by itself.")
            image = reader.Execute()
    except RuntimeError as error:
        raise refused("The file cannot be read or is damaged.", path, "Save it anew.") from error
    flat = len(sizes) == 2
    values = sitk.GetArrayFromImage(image)
    voxels = checked(values[None] if flat else values, parts, path)
    turn = np.eye(3)
    turn[: len(sizes), : len(sizes)] = np.reshape(image.GetDirection(), (len(sizes), len(sizes)))
    spacing = np.array((*image.GetSpacing(), 1.0)[:3])
    origin = np.array((*image.GetOrigin(), 0.0)[:3])
    # left and back, as DICOM and ITK count, to right and front
    affine = np.column_stack([turn * spacing, origin]) * [[-1], [-1], [1]]
    return Volume(voxels, affine.ravel(), None, float(spacing[:2].min()))


def _checked(voxels: NDArray[np.generic], parts: int, path: Path) -> NDArray[np.generic]:
    if parts != 1 and (parts != _COLOURS or voxels.dtype != np.uint8):
        raise refused(
            f"The file holds {parts} layers.", path, "Save one layer; of a segmentation, segments that do not overlap."
        )
    if voxels.dtype.kind == "f" and not np.isfinite(voxels).all():
        raise refused("The volume holds values that are not finite.", path, "Write 0 there.")
    return voxels


def _checked_layers(voxels: NDArray[np.generic], parts: int, path: Path) -> NDArray[np.generic]:
    if voxels.dtype.kind not in "iu":
        raise refused("The segments are no whole numbers.", path, "Save the segmentation anew.")
    return voxels if parts != 1 else voxels[..., None]


@contextmanager
def _silent() -> Iterator[None]:
    """Without SimpleITK's remarks on the screen, which can quote a file."""
    import SimpleITK as sitk  # noqa: N813

    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
