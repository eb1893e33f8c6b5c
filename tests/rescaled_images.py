"""Real images whose pixels were rescaled after acquisition, with their regions left as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from lesion_measure.config import Limits
from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.studies import load_studies


def rescaled(source: Path, folder: Path, factor: float) -> Path:
    """The first frame of a file with so many times its rows and columns, in colour, uncompressed, in a folder."""
    (instance,) = load_studies(source).instances
    with OpenImage(instance, Limits()) as opened:
        shown = Image.fromarray(opened.frame(1).display())
    size = round(shown.width * factor), round(shown.height * factor)
    pixels = np.asarray(shown.resize(size, Image.Resampling.BICUBIC))
    file = dcmread(source)
    for keyword in [element.keyword for element in file if "Palette" in element.keyword]:
        delattr(file, keyword)
    file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = *pixels.shape[:2], 3, "RGB"
    file.PlanarConfiguration, file.PixelData = 0, pixels.tobytes() + b"\0" * (pixels.size % 2)
    file["PixelData"].is_undefined_length = False
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = folder / "rescaled.dcm"
    file.save_as(path)
    return path
