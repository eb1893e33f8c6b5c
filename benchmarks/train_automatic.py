"""Train the automatic network alone, on the full schedule of a configuration, with some settings changed.

``python benchmarks/train_automatic.py AUL BUSI --work FOLDER [--config configs/train.yaml] [--set SETTING=VALUE ...]``
goes through the same stages, from the same split, as ``lesion-measure train``, but for the network for calipers, the
confidence and the card. ``automatic_grid.py --weights`` measures the last checkpoint in FOLDER beside the bundle. It
goes on where it was stopped. Test pictures are never looked at.
"""

from __future__ import annotations

from functools import partial

from ablation import arguments

from lesion_measure.lab.training.loop import StageJob, State, fit
from lesion_measure.lab.training.material import gather
from lesion_measure.lab.training.precision import settled
from lesion_measure.lab.training.progress import Meter, Planned
from lesion_measure.lab.training.settings import TrainSettings
from lesion_measure.lab.training.stages import stages_of, train_network
from lesion_measure.lab.training.team import Team, gathered

PART = "automatic"


def stage(job: StageJob, team: Team) -> State:
    """Train one stage, with its own line of progress."""
    samples, epoch = job.stage.epochs * job.stage.samples_per_epoch, job.stage.samples_per_epoch
    planned = Planned(job.name, PART, job.name, samples, epoch, job.part.side_of(job.stage))
    return fit(job, resume=True, team=team, meter=Meter([planned], print, lambda standing: None))


def main() -> None:
    """Train."""
    parser = arguments(__doc__)
    parser.add_argument("--set", action="append", default=[], help="a setting, as section.setting=value")
    asked = parser.parse_args()
    settings = TrainSettings.from_yaml(asked.config, asked.set)
    material = gather(asked.data, settings, asked.work / "simulated", frozenset(), print)
    with gathered("cpu") as team:
        stages = stages_of(PART, settings.automatic, material, settled(settings, team), asked.work)
        train_network(stages, None, partial(stage, team=team))


if __name__ == "__main__":
    main()
