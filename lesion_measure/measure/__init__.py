"""Pixels and millimetres per pixel in, sizes and their error bars out.

`outline` finds the sub-pixel outline of a mask (`hardmask` that of a hard one), `sizes` measures it, `volume` does
the same in 3D, `uncertainty` says how far each number can be trusted, `geometry` holds the primitives. `insonation`
tells where on a frame there are echoes, `appearance` how a lesion looks.
"""

from lesion_measure.measure.sizes import (
    MaskMeasurement,
    area_length_volume_ml,
    biplane_volume_ml,
    caliper_length_mm,
    ellipsoid_volume_ml,
    measure_mask,
    measure_outline,
    percent_change,
    rotation_volume_ml,
)
from lesion_measure.measure.volume import VolumeMeasurement, measure_volume

__all__ = [
    "MaskMeasurement",
    "VolumeMeasurement",
    "area_length_volume_ml",
    "biplane_volume_ml",
    "caliper_length_mm",
    "ellipsoid_volume_ml",
    "measure_mask",
    "measure_outline",
    "measure_volume",
    "percent_change",
    "rotation_volume_ml",
]
