"""The network: verify and load a bundle, the one preprocessing path, inference.

`bundle` reads and checks, `preprocess` is shared with training, `inference` runs, `confidence` says how sure it is.
"""

from lesion_measure.network.inference import Segmentation, SegmentedLesion, Segmenter
from lesion_measure.network.preprocess import CaliperLine, Preprocessing

__all__ = ["CaliperLine", "Preprocessing", "Segmentation", "SegmentedLesion", "Segmenter"]
