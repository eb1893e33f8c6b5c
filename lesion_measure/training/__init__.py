"""Data sets -> a new model bundle.

``data`` reads and simulates pictures, ``samples`` and ``augment`` make network inputs of them, ``loop`` trains,
``assess`` measures on held-back pictures, ``confidence_fit`` fits how sure to be, ``export`` writes the
bundle and ``card`` its model card.
"""

from lesion_measure.training.run import train
from lesion_measure.training.settings import TrainSettings

__all__ = ["TrainSettings", "train"]
