"""Millimetres per pixel of one image, or the reason why not.

`regions` judges one ultrasound region by itself, `overlap` what it means that another one covers it; `scale` decides
what the regions of an image mean together.
"""

from lesion_measure.calibration.scale import calibrate, calibrate_at

__all__ = ["calibrate", "calibrate_at"]
