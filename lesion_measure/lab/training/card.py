"""The model card: what a bundle is, what it was made from, how well it does, and what it cannot do."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from lesion_measure.lab.datasets import SIMULATED, Picture, picture_digest
from lesion_measure.lab.evaluation import Case, Estimate, HeldBack, Method, SetSummary, card_rows
from lesion_measure.lab.evaluation.cases import ELLIPSE_OF, NETWORK_PROMPTED
from lesion_measure.lab.evaluation.gallery import EACH
from lesion_measure.lab.evaluation.words import METHODS, PLACEMENTS, interval, moved, placings_told, shown, unit_of
from lesion_measure.lab.training.calibrate import Calibrated
from lesion_measure.lab.training.clicks import OFF
from lesion_measure.lab.training.precision import precision_told
from lesion_measure.lab.training.settings import NetworkSettings, TrainSettings
from lesion_measure.network.bundle import INFERENCE, BundleSettings
from lesion_measure.network.confidence import ConfidenceModel
from lesion_measure.network.definition import EfficientDefinition, FlexibleUNetDefinition, NetworkDefinition
from lesion_measure.report.words import fixed

WORST = 5
"""How many of the lesions of a set that are outlined worst the card names."""
_OTHER_PLACEMENTS = {
    "dice": "Dice",
    "short_axis_error_percent": "Short axis, median error in %",
    "area_error_percent": "Area, median error in %",
}

FAILURES = "failures.png"
"""The picture of the worst simulated cases, beside the card."""

_AGAIN = "python -m monai.bundle run --config_file configs/train.json"

NOT_CLICKED = "An outline from one click is never accepted unseen, and no chance that it is right was fitted."

CLICKED = (
    "The clicked network sees as much as the whole picture with the click in the middle; its second input falls with",
    "the distance from there.",
)

LIMITS = [
    "## What it cannot do",
    "",
    "- It can be trusted on nothing that the sets above do not show: see which organs, ages and diseases they are of.",
    "- Sets with few held-back pictures have wide intervals: read the interval, not the mean.",
    "- Simulated frames resemble the simulator, not a scanner; figures on them say that the program works, not how "
    "well it does in patients.",
    "- Diffuse disease has no outline, and it does not tell benign from malignant.",
    "- A caliper is trusted: from one placed on no lesion it still draws an outline.",
]


@dataclass(frozen=True, slots=True)
class Card:
    """What the model card says beyond the settings: pictures per set and split, figures, the bundle it started from.

    ``seen`` and ``chosen_before`` are digests of the pictures which that bundle was trained on, and chosen on.
    """

    training: Sequence[Picture]
    validation: Sequence[Picture]
    measured: Calibrated
    start: str | None = None
    rival: str = ""
    seen: frozenset[str] = frozenset()
    chosen_before: frozenset[str] = frozenset()
    test: Sequence[Picture] = ()

    @property
    def shown(self) -> Sequence[Picture]:
        """The pictures that the figures are of."""
        return self.test or self.validation

    @property
    def held_back(self) -> HeldBack:
        """The pictures that were held back, as the bundle lists them; those of the bundle it started from too.

        The parts of that one's cross-fitting are not its own.
        """
        earlier = dict.fromkeys(self.chosen_before)
        own = {picture_digest(item): self.measured.part_of.get(item.group) for item in self.validation}
        return HeldBack({**earlier, **own}, frozenset(map(picture_digest, self.test)))


def model_card(
    name: str, settings: TrainSettings, bundle: BundleSettings, card: Card, digest: str, pictured: bool
) -> str:
    """The model card, in Markdown; every figure in it comes from this training run.

    ``pictured`` says that `FAILURES` lies beside it.

    Parameters
    ----------
    name
        Name of the bundle.
    settings
        Of the training.
    bundle
        What the bundle runs with.
    card
        The figures.
    digest
        SHA-256 of the weights.
    pictured
        Whether `FAILURES` lies beside the card.
    """
    data, *figures = measured_sections(settings, bundle, card, pictured)
    sections = [
        _identity(name, settings, card, digest),
        data,
        _training(name, settings, card),
        _printing(name, card),
        *figures,
        LIMITS,
    ]
    return as_text(sections)


def as_text(sections: Sequence[Sequence[str]]) -> str:
    """Sections of a card as Markdown."""
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def measured_sections(settings: TrainSettings, bundle: BundleSettings, card: Card, pictured: bool) -> list[list[str]]:
    """The sections of a card that hold figures, that of the data first; parameters as those of `model_card`."""
    return [
        _data(settings, card),
        _figures(settings, card.measured, tested=bool(card.test)),
        *_placements(card.measured),
        *_worst(card.measured.cases, settings, pictured),
        *_comparison(card),
        _confidence(settings, bundle),
    ]


def _printing(name: str, card: Card) -> list[str]:
    """Which command prints the figures of the card, and from what."""
    sets = sorted({item.source for item in [*card.training, *card.shown]} - {SIMULATED})
    against = " --against OTHER" if card.measured.verdicts else ""
    return [
        "## How to print these figures again",
        "",
        f"`lesion-measure card {' '.join(sets)} --model models/{name}{against} --check`",
        "",
        "It reads the lists of pictures in this bundle, and measures those that the figures are of anew, by seed and",
        "placings of the training. It prints the table of the data and every one below. `--check` names each line that",
        "differs from this card. The counts under Confidence are those that the thresholds were fitted with.",
    ]


def _identity(name: str, settings: TrainSettings, card: Card, digest: str) -> list[str]:
    networks = [f"- {name}: {_architecture(part)}" for name, part in settings.parts()]
    return [
        f"# {name} {settings.version}",
        "",
        settings.description,
        "Research use only; not a medical device.",
        "",
        *networks,
        "",
        "Each has two inputs: the picture and a map of the reader's calipers (zero without). Without a caliper the",
        "network sees the whole picture; with one, a square around it, turned so that the caliper lies horizontal.",
        "Where there is a prompted network, it answers to calipers, and draws the automatic outlines a second time.",
        *(CLICKED if settings.clicked is not None else ()),
        f"SHA-256 of the weights: `{digest}`.",
    ]


def _architecture(part: NetworkSettings) -> str:
    """A network in words."""
    network, size = part.network, part.preprocessing.size
    first = "from ImageNet" if part.first_weights == "imagenet" else "from random weights"
    liver = "; lesion and liver" if network.out_channels > 1 else ""
    if isinstance(network, EfficientDefinition):
        channels = ", ".join(map(str, network.channels))
        return f"U-Net on EfficientNet-Lite0 ({first}), decoder channels {channels}, {size} x {size} pixels{liver}."
    if isinstance(network, NetworkDefinition):
        return f"MONAI UNet, channels {', '.join(map(str, network.channels))}, {size} x {size} pixels{liver}."
    backbone = f" on {network.backbone} ({first})" if isinstance(network, FlexibleUNetDefinition) else ""
    return f"MONAI {network.target}{backbone}, {size} x {size} pixels{liver}; its numbers stand in {INFERENCE}."


def _data(settings: TrainSettings, card: Card) -> list[str]:
    parts = {"training": card.training, "validation": card.validation} | ({"test": card.test} if card.test else {})
    every = [item for part in parts.values() for item in part]
    rows = []
    for source in sorted({item.source for item in every}):
        counts = [_count([item for item in part if item.source == source]) for part in parts.values()]
        licence = settings.licences.get(source, "not stated in the training configuration").strip()
        rows.append(f"| {source} | {' | '.join(counts)} | {licence} |")
    used = [
        "On the validation pictures choices were made and the confidence was fitted; nothing was chosen on the test",
        "pictures, and the figures are theirs.",
    ]
    return [
        "## Data",
        "",
        f"| set | {' | '.join(f'pictures for {name} (lesion-free)' for name in parts)} | origin and licence |",
        "|---|" + "---|" * (len(parts) + 1),
        *rows,
        "",
        *held_back(every, settings.split.cross_validated),
        *(used if card.test else []),
    ]


def held_back(pictures: Sequence[Picture], cross_validated: Sequence[str]) -> list[str]:
    """How it came about that ``pictures`` were held back, a sentence each: by chance, as stated, or by folds."""
    every = {item.source for item in pictures}
    real = every - {SIMULATED} or every
    crossed = real & set(cross_validated)
    stated = {item.source for item in pictures if item.split or item.fold is not None} - crossed
    told = []
    if real - crossed - stated:
        told.append("Whole groups (pictures of one lesion, near-duplicates) were held back, at random by the seed.")
    if stated:
        told.append(
            f"Of {', '.join(sorted(stated))} those were held back that the set states, what it leaves open by seed."
        )
    if crossed:
        told.append(
            f"Of {', '.join(sorted(crossed))} every picture was learnt from; it is measured by networks of a "
            "cross-validation that did not see its group."
        )
    return told


def _count(pictures: Sequence[Picture]) -> str:
    return f"{len(pictures)} ({sum(not item.axes for item in pictures)})"


def _training(name: str, settings: TrainSettings, card: Card) -> list[str]:
    sets = sorted({p.source for p in card.training} - {SIMULATED})
    folders = shlex.quote(json.dumps([f"DATA/{each}" for each in sets], ensure_ascii=False))
    origin = "" if card.start is None else " --run#start OLD"
    lines = [
        "## Training",
        "",
        f"`{_AGAIN} --dataset_dir {folders} --output_dir NEW{origin}`",
        "",
        "Run in this bundle's folder, it trains by the same settings again. DATA is the path of the folder that holds",
        f"the sets, NEW that of the new bundle{'' if card.start is None else ', OLD that of the one it started from'}.",
        f"Seed {settings.seed}, {settings.simulated.frames} simulated frames, computed in {precision_told(settings)}.",
        *(_stages(name, part) for name, part in settings.parts()),
        "The average of the weights over the steps is what is shipped.",
    ]
    if card.start is not None:
        lines.append(f"It started from the weights of {card.start}.")
    return [*lines, *(note.strip() for note in settings.notes)]


def _stages(name: str, part: NetworkSettings) -> str:
    names = ("pre-training", "fine-tuning", *(["longer"] * len(part.longer)))
    stages = [(what, stage) for what, stage in zip(names, part.stages(), strict=True) if stage is not None]
    told = ", then ".join(
        f"{stage.epochs} epochs of {stage.samples_per_epoch} samples {what} (batches of {stage.batch_size}"
        + (f", {side} x {side} pixels)" if (side := part.side_of(stage)) != part.preprocessing.size else ")")
        for what, stage in stages
    )
    asked = (
        "each sample is a click"
        if part.preprocessing.click_fall
        else (f"{100 * part.prompted_share:.0f} % of the samples have calipers")
    )
    return f"The {name} network: {told}; {asked}."


_CROSSED = (
    "The confidence model was fitted on these pictures: its figures are cross-fitted by group. The threshold was",
    "chosen on the same values: what it promises is under Confidence, the shares accepted here flatter a little.",
)
_TESTED = ("The confidence model and its threshold were fitted on the validation pictures.",)


def _figures(settings: TrainSettings, measured: Calibrated, *, tested: bool) -> list[str]:
    spread, sets = settings.caliper_jitter, sorted(measured.figures)
    figures = {name: card_rows(own, spread) for name, own in measured.figures.items()}
    names = list(dict.fromkeys(name for table in figures.values() for name in table))
    return [
        f"## Figures on the {'test' if tested else 'validation'} pictures",
        "",
        "Mean, or share, median or root mean square where a row says so, 95 % bootstrap interval over groups, and n:",
        "lesions, pictures or automatic outlines.",
        *(_TESTED if tested else _CROSSED),
        f"Calipers in the rows from an axis come from the outline, their {moved(spread)} where nothing else is said.",
        f"{placings_told(measured.figures)} All placings are pooled, and n counts lesions nevertheless.",
        "Contrast is the difference between the mean grey inside a lesion and around it, in standard deviations of a",
        "pixel: at less than about half, hardly visible.",
        "",
        f"| | {' | '.join(sets)} |",
        "|---|" + "---|" * len(sets),
        *(f"| {name} | {' | '.join(str(figures[s][name]) for s in sets)} |" for name in names),
    ]


def _placements(measured: Calibrated) -> list[list[str]]:
    """How much depends on where a reader places the calipers; nothing where no real picture was held back."""
    tables = {place: summary for place, summary in measured.placed.items() if summary}
    if not tables:
        return []
    sets = sorted(next(iter(tables.values())))
    lines = [
        "## Other placements",
        "",
        "The same calipers placed otherwise, moved as much; 95 % intervals and n as above, behind the stroke the plain",
        "ellipse of the same calipers:",
    ]
    for key, words in _OTHER_PLACEMENTS.items():
        lines += ["", f"| {words}: network / ellipse; calipers on | {' | '.join(sets)} |", "|---|" + "---|" * len(sets)]
        lines += [
            f"| {PLACEMENTS[place]}, {METHODS[method].removeprefix('Network ')} | "
            + " | ".join(_beside_ellipse(summary[name], method, key) for name in sets)
            + " |"
            for place, summary in tables.items()
            for method in NETWORK_PROMPTED
        ]
    return [lines]


def _beside_ellipse(summary: SetSummary, method: Method, key: str) -> str:
    return " / ".join(_told(summary.outlines[each][key], unit_of(key)) for each in (method, ELLIPSE_OF[method]))


def _told(estimate: Estimate, unit: str) -> str:
    if estimate.value is None:
        return shown(None, unit)
    return f"{shown(estimate.value, unit)} ({interval(estimate, unit)}; n = {estimate.count})"


def _worst(cases: Sequence[Case], settings: TrainSettings, pictured: bool) -> list[list[str]]:
    """The failures by name: pictures of others are not copied into a bundle, whoever has them can look."""
    lines = []
    sources = sorted({case.source for case in cases} - {SIMULATED})
    if sources:
        lines += [
            "",
            f"The {WORST} lesions of each real set that are outlined worst from a long axis, by the mean Dice of all",
            "placings of its calipers, and how many lesions the network misses altogether by itself. Who has the",
            f"pictures sees up to {EACH} of the worst, median and best by the first placing with",
            "`lesion-measure evaluate DATA --model BUNDLE -o DIR`.",
            *_drawn_by_folds([name for name in sources if name in settings.split.cross_validated]),
            "",
        ]
    for source in sources:
        own = [(case, lesion) for case in cases if case.source == source for lesion in case.lesions]
        scored = [(case, fmean(x.dice for x in case.outlines_of(lesion, Method.LONG_AXIS))) for case, lesion in own]
        ranked = sorted(scored, key=lambda pair: pair[1])[:WORST]
        told = ", ".join(f"{case.picture} {fixed(score, 2)}" for case, score in ranked)
        missed = sum(case.best(lesion.label) is None for case, lesion in own if case.automatic_dice is not None)
        looked = sum(case.automatic_dice is not None for case, _ in own)
        by_itself = f" Missed altogether by itself: {missed} of {looked} lesions." if looked else ""
        lines.append(f"- {source}: {told}.{by_itself}")
    if pictured:
        lines += [
            "",
            "The worst simulated cases (dashed yellow: true outline; solid blue: drawn; white: the calipers given):",
            "",
            f"![The worst outlines of simulated lesions]({FAILURES})",
        ]
    return [["## Where it fails", *lines]] if lines else []


def _drawn_by_folds(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [
        f"Here each picture of {', '.join(names)} is drawn by the fold of the cross-validation that left it out,",
        "there by the shipped network, which was trained on all of them: that flatters.",
    ]


def _comparison(card: Card) -> list[list[str]]:
    """Whether the bundle is better than another one; nothing where it was compared with none."""
    verdicts = card.measured.verdicts
    if not verdicts:
        return []
    lines = [f"- {name}: {verdict}" for name, verdict in sorted(verdicts.items())]
    told = f"Paired, on the held-back pictures that neither was trained on, against {card.rival}:"
    return [["## Better than the other bundle?", "", told, "", *lines]]


def _confidence(settings: TrainSettings, bundle: BundleSettings) -> list[str]:
    fit = settings.confidence
    models = {
        "An automatic lesion": bundle.confidence.automatic,
        "An outline from a caliper": bundle.confidence.prompted,
    }
    return [
        "## Confidence",
        "",
        f"A logistic model of the chance that an outline reaches a Dice of {fit.correct_dice}; below, it is wrong.",
        "The unit is a group (pictures of one lesion or patient): it counts once, as wrong where any outline accepted",
        "in it is, under any placing of calipers. The threshold was searched on cross-fitted confidences by",
        "fixed-sequence testing, so that the bound holds over the search, for pictures like those held back.",
        *(line for what, model in models.items() for line in ("", *_promise(what, model))),
        "",
        *(_clicked(fit.correct_dice) if bundle.confidence.click is not None else [NOT_CLICKED]),
    ]


def _clicked(correct_dice: float) -> list[str]:
    off = f"{100 * OFF:.0f}"
    return [
        "An outline from one click is never accepted unseen. The reading room tells the chance that it is right: a",
        f"Dice of {correct_dice}, and a long axis that is off by {off} % at most. It was fitted on the validation",
        "pictures, two clicks a lesion.",
    ]


def _promise(what: str, model: ConfidenceModel) -> list[str]:
    if not model.accepts:
        return [f"{what} is **never accepted**: {model.never or 'no reason is recorded'}."]
    if model.promise is None:
        return [f"{what} is accepted from a confidence of {model.threshold:.3f}; no bound of its risk is recorded."]
    promise = model.promise
    confidence = f"{100 * promise.confidence:.0f}"
    return [
        f"{what} is accepted from a confidence of {model.threshold:.3f}. With {confidence} % confidence, at",
        f"most {100 * promise.risk:.4g} % of the groups with an accepted one have a wrong one. Seen at this threshold:",
        "",
        "| set | groups with an accepted outline | with a wrong one | bound shown of this set alone |",
        "|---|---|---|---|",
        *(
            f"| {name} | {seen.groups} | {seen.wrong} | {'yes' if seen.shown else 'no: too few groups'} |"
            for name, seen in promise.sets.items()
        ),
    ]
