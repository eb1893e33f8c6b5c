"""The pipeline that one writes first, for `end_to_end.py`: ``python benchmarks/straightforward.py INPUT MODEL``.

pydicom decodes, MONAI's transforms prepare, PyTorch computes the same weights with the same mirrored copies, and
scikit-image measures. Every frame of every image is looked at. A line a lesion is printed, in millimetres by the
image's region.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from monai.transforms import Compose, EnsureChannelFirst, NormalizeIntensity, Resize, ScaleIntensityRangePercentiles
from pydicom import dcmread
from pydicom.pixels import convert_color_space
from skimage.measure import label, regionprops

from lesion_measure.network.bundle import read_bundle
from lesion_measure.network.weights import load_network


def main() -> None:
    """Outline and measure all that is in a folder."""
    inputs, model = map(Path, sys.argv[1:3])
    stored = read_bundle(model).automatic
    network = load_network(stored)
    prepare = Compose(
        [
            EnsureChannelFirst(channel_dim="no_channel"),
            ScaleIntensityRangePercentiles(0, 99.5, 0, 1, clip=True),
            Resize((stored.size, stored.size), mode="bilinear", anti_aliasing=True),
            NormalizeIntensity(),
        ]
    )
    rows = csv.writer(sys.stdout)
    for path in sorted(inputs.rglob("*.dcm")):
        data = dcmread(path)
        pixels = data.pixel_array
        frames = pixels if data.get("NumberOfFrames", 1) > 1 else pixels[None]
        region = data.SequenceOfUltrasoundRegions[0]
        spacing = 10 * region.PhysicalDeltaY, 10 * region.PhysicalDeltaX
        for number, frame in enumerate(frames, start=1):
            if data.PhotometricInterpretation.startswith("YBR"):
                frame = convert_color_space(frame, data.PhotometricInterpretation, "RGB")
            grey = frame.mean(axis=2) if frame.ndim == 3 else frame
            part = grey[region.RegionLocationMinY0 : region.RegionLocationMaxY1 + 1,
                        region.RegionLocationMinX0 : region.RegionLocationMaxX1 + 1].astype(np.float32)  # fmt: skip
            picture = torch.as_tensor(prepare(part))[None]
            picture = torch.cat([picture, torch.zeros_like(picture)], dim=1)
            with torch.no_grad():
                logits = network(torch.cat([picture, picture.flip(-1)]))
            probability = torch.sigmoid((logits[:1] + logits[1:].flip(-1)) / 2)[:, :1]
            back = torch.nn.functional.interpolate(probability, size=part.shape, mode="bilinear")[0, 0].numpy()
            for lesion in regionprops(label(back > 0.5), spacing=spacing):
                if lesion.area > 20:
                    rows.writerow([path.name, number, lesion.feret_diameter_max, lesion.axis_minor_length, lesion.area])


if __name__ == "__main__":
    main()
