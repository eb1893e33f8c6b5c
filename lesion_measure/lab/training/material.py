"""The pictures of a training: read, simulated, and split into what is learnt from and what is held back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import (
    SIMULATED,
    Picture,
    check_splits,
    data_card,
    group_duplicates,
    load_all,
    picture_digest,
    simulated_pictures,
    split_pictures,
    write_sheets,
)
from lesion_measure.lab.datasets.splits import TEST_STREAM, first_groups, folds, stated_part
from lesion_measure.lab.evaluation.trained import TRAINING_PICTURES, read_held_back, read_training_pictures
from lesion_measure.lab.training.progress import Say
from lesion_measure.lab.training.settings import TrainSettings


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """The pictures of a run: ``crossed`` are those of the cross-validated sets, ``folds`` the groups of each part.

    ``test`` pictures are looked at once, when everything is chosen. ``seen`` are the digests of what the bundle that
    training starts from was trained on, ``chosen_before`` those of what it was chosen on.
    """

    training: list[Picture]
    validation: list[Picture]
    crossed: list[Picture]
    folds: list[set[str]]
    seen: frozenset[str]
    test: list[Picture] = field(default_factory=list)
    chosen_before: frozenset[str] = frozenset()

    @property
    def held(self) -> list[Picture]:
        """Every picture that is measured by a network which has not seen it."""
        return [*self.validation, *self.crossed]

    def fold(self, number: int) -> tuple[list[Picture], list[Picture]]:
        """The cross-validated pictures of every other part, and those of this one."""
        left_out = self.folds[number]
        inside = [item for item in self.crossed if item.group not in left_out]
        return inside, [item for item in self.crossed if item.group in left_out]


def gather(
    data: Sequence[Path],
    settings: TrainSettings,
    cache: Path,
    seen: frozenset[str],
    say: Say,
    lesion_labels: Sequence[str] = (),
    chosen_before: frozenset[str] = frozenset(),
    links: Path | None = None,
) -> Material:
    """The pictures of every folder and of the simulator, split.

    Where every set is cross-validated, and nothing is simulated, the first stage has nothing to learn from: it must
    have no epochs. Pictures of other sets that share a group with one of a cross-validated set are cross-validated with
    it. What is stated as test is a test picture there, too. ``seen`` pictures are held back for nothing; those that
    first weights were ``chosen_before`` on are no test pictures.

    Parameters
    ----------
    data
        Folders of data.
    settings
        Of the training.
    cache
        Where simulated frames are kept.
    seen
        Digests of pictures that first weights were trained on.
    say
        Told of what was found.
    lesion_labels, links
        As those of `load_all`.
    chosen_before
        Digests of pictures that first weights were chosen on.

    Raises
    ------
    InputError
        A folder cannot be used, nothing is left to train or to validate on, or a cross-validated set was seen.
    """
    pictures, split, duplicates = load_all(data, lesion_labels, say, links), settings.split, None
    if split.join_near_duplicates:
        pictures, duplicates = group_duplicates(pictures)
    tested = {item.group for item in pictures if stated_part(item) == "test"}
    small = {item.group for item in pictures if item.source in split.cross_validated} - tested
    crossed = [item for item in pictures if item.group in small]
    others = [item for item in pictures if item.group not in small]
    others, test = split_pictures(others, split.test_share, {}, settings.seed, seen | chosen_before, TEST_STREAM)
    training, validation = split_pictures(others, split.share, split.share_by_set, settings.seed, seen)
    training = first_groups(training, split.groups, split.groups_by_set, settings.seed)
    if not split.join_near_duplicates:
        check_splits(training, validation)
        check_splits([*training, *validation], test)
        check_splits([*training, *validation], crossed)
    _add_simulated({"train": training, "validation": validation, "test": test}, settings, cache, say)
    _check_any(training, validation, crossed, settings)
    _check_unseen([*validation, *crossed, *test], seen)
    _tell_unknown_sets(settings, {item.source for item in [*pictures, *training]}, say)
    parts = folds(crossed, split.folds, settings.seed) if crossed else []
    say(data_card([*training, *crossed], validation, licences=settings.licences, duplicates=duplicates))
    return Material(training, validation, crossed, parts, seen, test, chosen_before)


def _check_any(
    training: Sequence[Picture], validation: Sequence[Picture], crossed: Sequence[Picture], settings: TrainSettings
) -> None:
    """Raise InputError where a stage has nothing to learn from, or nothing is held back."""
    pretrained = any(part.pretrain.epochs for _, part in settings.parts())
    if not (training or (crossed and not pretrained)) or not (validation or crossed):
        raise InputError(
            "There are no pictures to train on, or none to validate on.",
            remedy="Where every set is cross-validated, set pretrain.epochs to 0, or simulate frames.",
            code="dataset",
        )


def _add_simulated(parts: Mapping[str, list[Picture]], settings: TrainSettings, cache: Path, say: Say) -> None:
    """Add simulated frames to each part of the split."""
    simulated = settings.simulated
    counts = {"train": simulated.frames, "validation": simulated.validation_frames, "test": simulated.test_frames}
    if any(counts.values()):
        say(f"simulating {' + '.join(str(n) for n in counts.values() if n)} frames (kept for the next run)")
    for kind, part in parts.items():
        part += simulated_pictures(cache, kind, counts[kind], settings.seed, simulated.size)


def _tell_unknown_sets(settings: TrainSettings, sets: set[str], say: Say) -> None:
    """Say which sets the settings name that are not there: one set of settings serves many, but may be misspelled."""
    unknown = sorted(settings.named_sets() - sets - {SIMULATED})
    if unknown:
        say(f"Named in the settings but not among the data: {', '.join(unknown)}.")


def _check_unseen(held: Sequence[Picture], seen: frozenset[str]) -> None:
    """Raise InputError where first weights were trained on a picture, or another of its group, that is held back."""
    groups = {item.group for item in held if picture_digest(item) in seen}
    known = [item for item in held if item.group in groups]
    if known:
        sets = ", ".join(sorted({item.source for item in known}))
        raise InputError(
            f"The bundle to start from was trained on {len(known)} of the {len(held)} held-back pictures, or on others "
            f"of their groups ({sets}): figures on them would flatter.",
            remedy="Take these sets out of split.cross_validated, give other data, or train without --from.",
            code="dataset",
        )


def check_lesions(material: Material) -> None:
    """Raise InputError where there is no lesion to learn from, or none to measure on."""
    for pictures, what in (([*material.training, *material.crossed], "train"), (material.held, "measure")):
        if not any(item.axes for item in pictures):
            raise InputError(
                f"Of {len(pictures)} pictures to {what} on, none has a lesion.",
                remedy="Look at the masks with 'lesion-measure data FOLDER': perhaps their values are not understood.",
                code="dataset",
            )


def show_pictures(material: Material, folder: Path, say: Say) -> None:
    """Draw the outlines of each set, worst-looking first, and say where: a misreading is seen in time."""
    real = [item for item in [*material.training, *material.held] if item.source != SIMULATED]
    for path in write_sheets(real, folder):
        say(f"Pictures with their outlines, worst-looking first: {path}")


def chosen_by(start: Path) -> frozenset[str]:
    """What a bundle was chosen on; nothing where it does not say, as bundles before 0.4.0."""
    held = read_held_back(start)
    return frozenset() if held is None else frozenset(held.validation)


def seen_by(start: Path) -> frozenset[str]:
    """What a bundle was trained on; without that knowledge no picture could be called held back."""
    seen = read_training_pictures(start)
    if seen is None:
        raise InputError(
            "The bundle to start from does not say which pictures it was trained on.",
            remedy=f"Start from a bundle that has {TRAINING_PICTURES}.",
            code="dataset",
            path=str(start),
        )
    return seen
