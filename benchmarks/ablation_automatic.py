"""What each lever of the training adds to the automatic network, and its learning curve: short trainings, side by side.

``python benchmarks/ablation_automatic.py AUL BUSI --work FOLDER [--samples 4800] [--variant NAME ...] [--plot FILE]``
trains every variant for so many samples from ImageNet weights, draws the liver pictures that were held back for
validation, and prints beside the baseline, with 95 % bootstrap intervals over groups: mean Dice (missed = 0), benign
and malignant, lesions touched, lesion-free pictures with something drawn. ``--plot`` draws the learning curve. A
variant that was trained and measured already is not done again, and one that was killed goes on. Test pictures are
never looked at. Outlines are not drawn again by the network for calipers, which learnt from all pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ablation import arguments
from automatic_grid import Averaged, Drawn, draw
from learning_curve import plot

from lesion_measure.files.reading import parse_json
from lesion_measure.files.writing import make_folder, write_json
from lesion_measure.lab.datasets import SIMULATED, Picture
from lesion_measure.lab.datasets.splits import first_groups
from lesion_measure.lab.training.identity import differing, kept_of
from lesion_measure.lab.training.imagenet import imagenet_start
from lesion_measure.lab.training.loop import StageJob, State, fit
from lesion_measure.lab.training.material import Material, gather
from lesion_measure.lab.training.precision import settled
from lesion_measure.lab.training.progress import Meter, Planned
from lesion_measure.lab.training.settings import TrainSettings
from lesion_measure.lab.training.team import gathered
from lesion_measure.network import Segmenter
from lesion_measure.network.backend import Computed
from lesion_measure.network.on_torch import TorchNetwork
from lesion_measure.network.weights import build_network
from lesion_measure.stats.bootstrap import mean, rate
from lesion_measure.stats.estimates import Estimate

Found = dict[str, Any]
EPOCHS = 10
SET, KINDS = "AUL", ("benign", "malignant")
BASELINE, FOCAL = "baseline", "Dice and focal loss"
HEAD = "| | liver pictures | Dice, missed = 0 | to the baseline | benign | malignant | touched | lesion-free drawn |"
CURVE = ("50 groups", "100 groups", "200 groups", BASELINE)
BUDGET = ("automatic.finetune=null", f"automatic.pretrain.epochs={EPOCHS}", "simulated.validation_frames=0",
          "simulated.test_frames=0")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variant:
    """What differs from the baseline: settings as ``--set`` takes them, and how its pictures are drawn.

    Attributes
    ----------
    changes
        Settings of its training.
    trained_as
        Variants whose weights are measured, of several the mean of their logits; none: its own.
    flips
        Whether the answer is averaged over mirrored copies.
    """

    changes: tuple[str, ...] = ()
    trained_as: tuple[str, ...] = ()
    flips: bool = True


def _weights(**shares: float) -> str:
    told = ", ".join(f"{name}: {share}" for name, share in ({"AUL": 1.0, "BUSI": 0.4, SIMULATED: 0.2} | shares).items())
    return f"automatic.pretrain.set_weights={{{told}}}"


_AS_THEY_ARE = tuple(
    f"automatic.augmentation.{name}=0"
    for name in ("gamma_sd", "gain_sd", "speckle", "blur", "shadow", "fan", "text", "marks")
)
_UPRIGHT = tuple(f"automatic.augmentation.{name}=0" for name in ("rotation_deg", "scale", "shift", "zoom"))
_TRIVIAL = (*_AS_THEY_ARE, *_UPRIGHT, "automatic.augmentation.trivial=true")
VARIANTS = {
    BASELINE: Variant(),
    "50 groups": Variant(("split.groups_by_set={AUL: 50}",)),
    "100 groups": Variant(("split.groups_by_set={AUL: 100}",)),
    "200 groups": Variant(("split.groups_by_set={AUL: 200}",)),
    "another seed": Variant(("seed=2",)),
    "no breast pictures": Variant((_weights(BUSI=0.0),)),
    "no simulated frames": Variant((_weights(simulated=0.0),)),
    "random encoder": Variant(
        (
            "automatic.first_weights=random",
            "automatic.frozen_blocks=0",
            "automatic.frozen_filters=false",
        )
    ),
    "sector not blackened": Variant(("automatic.preprocessing.sector=false",)),
    FOCAL: Variant(("automatic.loss={_target_: DiceFocalLoss}",)),
    "grey values as they are": Variant(_AS_THEY_ARE),
    "no liver": Variant(("automatic.network.out_channels=1",)),
    "more simulated frames": Variant((_weights(simulated=0.6),)),
    # Donors are the sets that are not named; with all named, those of all sets.
    "blended lesions": Variant(("automatic.pretrain.blend_share={AUL: 0.5, BUSI: 0, simulated: 0}",)),
    "bent and stretched": Variant(("automatic.augmentation.bend=0.02", "automatic.augmentation.stretch=0.2")),
    "TrivialAugment, grey values else as they are": Variant((*_AS_THEY_ARE, "automatic.augmentation.trivial=true")),
    "TrivialAugment alone": Variant(_TRIVIAL),
    "TrivialAugment alone, another seed": Variant((*_TRIVIAL, "seed=2")),
    "mirrored alone": Variant((*_AS_THEY_ARE, *_UPRIGHT)),
    "deep supervision": Variant(("automatic.deep_supervision=0.5",)),
    "192 pixels": Variant(("automatic.preprocessing.size=192",)),
    "no mirrored pass": Variant(trained_as=(BASELINE,), flips=False),
    "two seeds averaged": Variant(trained_as=(BASELINE, "another seed")),
    "logit of lesion as it is": Variant(("answering_shift=0",), trained_as=(BASELINE,)),
    "Dice and focal loss, logit as it is": Variant(("answering_shift=0",), trained_as=(FOCAL,)),
    "Dice and focal loss, logit - 1": Variant(("answering_shift=-1",), trained_as=(FOCAL,)),
    "Dice and focal loss, logit - 2": Variant(("answering_shift=-2",), trained_as=(FOCAL,)),
}


@dataclass(frozen=True)
class Bench:
    """What all variants share: configuration, budget, data and the folder of what was found."""

    config: Path
    samples: int
    frames: int
    size: int
    data: Sequence[Path]
    work: Path

    def settings(self, name: str = BASELINE) -> TrainSettings:
        """The settings of a variant."""
        own = VARIANTS[name]
        shared = VARIANTS[own.trained_as[0]].changes if own.trained_as else ()
        budget = (
            f"automatic.pretrain.samples_per_epoch={self.samples // EPOCHS}",
            f"automatic.preprocessing.size={self.size}",
            f"simulated.frames={self.frames}",
        )
        return TrainSettings.from_yaml(self.config, [*BUDGET, *budget, *shared, *own.changes])

    @cached_property
    def material(self) -> Material:
        """The pictures, read when the first variant needs them; the split is the baseline's."""
        return gather(self.data, self.settings(), self.work / "simulated", frozenset(), print)

    def learnt_from(self, name: str) -> list[Picture]:
        """The training pictures of a variant; which groups they are is drawn by the seed of the baseline."""
        split = self.settings(name).split
        return first_groups(self.material.training, split.groups, split.groups_by_set, self.settings().seed)

    def trained(self, name: str) -> State:
        """The averaged weights of a variant that has its own."""
        settings = self.settings(name)
        part, stage = settings.automatic, settings.automatic.pretrain
        samples = stage.epochs * stage.samples_per_epoch
        planned = Planned(name, "automatic", name, samples, stage.samples_per_epoch, part.side_of(stage))
        with gathered("cpu") as team:
            start = imagenet_start(part.network, settings.seed) if part.first_weights == "imagenet" else None
            job = StageJob(
                name=name, part=part, stage=stage, training=self.learnt_from(name), validation=[], seed=settings.seed,
                checkpoint=self.work / f"{name.replace(' ', '-')}.pt", threads=settings.threads, start=start,
                bfloat16=settled(settings, team).bfloat16 is True, compiled=settings.compiled,
                validate_every=stage.epochs,
            )  # fmt: skip
            return fit(job, resume=True, team=team, meter=Meter([planned], print, lambda standing: None))

    def found(self, name: str) -> Found:
        """How a variant drew each held-back picture, from its file where that is there."""
        own, path = VARIANTS[name], self.work / f"{name.replace(' ', '-')}.json"
        settings = self.settings(name)
        kept = parse_json(path.read_bytes()) if path.is_file() else None
        if kept is None or differing(kept["settings"], settings):
            held = [item for item in self.material.validation if item.source == SET]
            network = segmenter(settings, [self.trained(each) for each in own.trained_as or (name,)])
            drawn = draw(network, held, flips=own.flips)
            learnt = sum(item.source == SET for item in self.learnt_from(name))
            kept = {"settings": kept_of(settings), "pictures": learnt, "drawn": [_noted(one) for one in drawn]}
            write_json(path, kept)
        return kept


def _noted(one: Drawn) -> dict[str, Any]:
    item = one.item
    return {
        "name": item.name, "kind": item.kind, "group": item.group, "dice": one.dice, "touched": one.touched,
        "outlines": one.outlines,
    }  # fmt: skip


def segmenter(settings: TrainSettings, states: Sequence[State]) -> Segmenter:
    """The network of a variant, alone, or the mean of several."""
    networks = [build_network(settings.automatic.network) for _ in states]
    for network, state in zip(networks, states, strict=True):
        network.load_state_dict(dict(state))
    answering = settings.answering().model_copy(update={"prompted_preprocessing": None})
    averaged = TorchNetwork(Averaged(networks), threads=1)
    return Segmenter(Computed(averaged, None, None, ""), answering, name="", sha256="", calipers=False)


def with_lesion(found: Found, kind: str = "") -> list[dict[str, Any]]:
    """What was drawn on pictures with a lesion, of one kind or of all."""
    return [one for one in found["drawn"] if one["dice"] is not None and kind in ("", one["kind"])]


def mean_dice(seen: Sequence[dict[str, Any]], before: Mapping[str, float] | None = None) -> Estimate:
    """Mean Dice, or its difference to another variant's Dice of the same pictures, by their names."""
    values = [one["dice"] - (before[one["name"]] if before else 0.0) for one in seen]
    return mean(values, [one["group"] for one in seen], 1)


def row(found: Found, baseline: Found) -> str:
    """One row of the table."""
    seen, free = with_lesion(found), [one for one in found["drawn"] if one["dice"] is None]
    was = {one["name"]: one["dice"] for one in with_lesion(baseline)}
    touched = rate([one["touched"] for one in seen], [one["group"] for one in seen], 1)
    means = [mean_dice(seen), mean_dice(seen, was), *(mean_dice(with_lesion(found, kind)) for kind in KINDS)]
    drawn = f"{sum(one['outlines'] > 0 for one in free)} of {len(free)}"
    return " | ".join(str(cell) for cell in (found["pictures"], *means, touched, drawn))


def main() -> None:
    """Run and print."""
    parser = arguments(__doc__)
    parser.add_argument("--variant", nargs="*", help="names; all where left out")
    parser.add_argument("--samples", type=int, default=4800)
    parser.add_argument("--frames", type=int, default=100, help="simulated frames")
    parser.add_argument("--size", type=int, default=128, help="side of the network's grid")
    parser.add_argument("--plot", type=Path, help="draw the learning curve here")
    asked = parser.parse_args()
    make_folder(asked.work)
    bench = Bench(asked.config, asked.samples, asked.frames, asked.size, asked.data, asked.work)
    baseline = bench.found(BASELINE)
    print(HEAD)
    for name in asked.variant or VARIANTS:
        print(f"| {name} | {row(bench.found(name), baseline)} |", flush=True)
    if asked.plot:
        points = {found["pictures"]: mean_dice(with_lesion(found)) for found in map(bench.found, CURVE)}
        plot(points, asked.samples, asked.plot)


if __name__ == "__main__":
    main()
