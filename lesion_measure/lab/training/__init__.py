"""Data sets -> a new model bundle.

``run`` is the order of it all: ``material`` gathers and splits the pictures, ``samples`` (`copies`, `blend`,
`augment`) makes network inputs of them, ``stages`` trains a network by ``loop``, ``calibrate`` measures held-back
pictures and fits how sure to be (`confidence_fit`), ``export`` writes the bundle and ``card`` its model card.
``dry_run`` does what comes before a training, and says what it would take.
"""

from lesion_measure.lab.training.dry_run import dry_run
from lesion_measure.lab.training.request import TrainingRequest
from lesion_measure.lab.training.run import train
from lesion_measure.lab.training.settings import TrainSettings

__all__ = ["TrainSettings", "TrainingRequest", "dry_run", "train"]
