"""Which labels are lesions: the one place where values and names of labels become lesion, something else or nothing.

Every layout asks here. Who called a label what decides: the user (``--lesion-label``), else the label's name
(`vocabulary`), else that masks hold one value beside 0 throughout the set. Whatever that leaves open is an error that
names the label, the file and what would help; a value that nobody named is one as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lesion_measure.dicom.objects.vocabulary import LABELLING, Meaning, meaning_of, words_of
from lesion_measure.files.reading import parse_json, read_regular
from lesion_measure.image.masks import levels_of, value_name
from lesion_measure.lab.datasets.files import bad, regular
from lesion_measure.lab.datasets.pictures import liver_with_lesions
from lesion_measure.spelling import or_meant

DATASET_JSON = "dataset.json"
_MAX_JSON_BYTES = 5_000_000
_SHOWN = 8
SAY_WHICH = "Say which labels are lesions: --lesion-label NAME, several times where there are several."


_LIVER = frozenset({"liver", "whole"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user says of data folders: the labels that are lesions, by name or value, and where links may lead.

    ``links`` is a folder that files may be links into; without it they stay in their data folder. ``used`` are the
    labels that a folder has. ``told`` collects what readers took for lesions, in sentences for the user.
    """

    labels: tuple[str, ...] = ()
    links: Path | None = None
    used: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

    def bound(self, folder: Path) -> Path:
        """The folder that no file of a data folder may lie outside of, links followed."""
        return folder if self.links is None else self.links

    def tell(self, sentence: str) -> None:
        """Keep a sentence for the user, once."""
        if sentence not in self.told:
            self.told.append(sentence)

    def among(self, names: Iterable[str]) -> set[str]:
        """The ``names`` that the user calls lesions, letter case aside."""
        wanted = {label.casefold().strip(): label for label in self.labels}
        found = {name for name in names if name.casefold().strip() in wanted}
        self.used.update(wanted[name.casefold().strip()] for name in found)
        return found

    def check_used(self, path: Path) -> None:
        """Raise InputError where a label was asked for that no folder has."""
        if unknown := [label for label in self.labels if label not in self.used]:
            raise bad(f"No label is called '{unknown[0]}' (--lesion-label).", path, "Check its spelling.")


def lesions_among(names: Sequence[str], asked: Asked, path: Path | str) -> set[str]:
    """The names that stand for lesions.

    Raises
    ------
    InputError
        None does, or one may or may not; with ``asked`` labels, none of these is there.
    """
    listed = _listed(names)
    if asked.labels:
        if found := asked.among(names):
            return found
        hint = or_meant(asked.labels[0], names)
        raise bad(f"None of the labels ({listed}) is called '{asked.labels[0]}'{hint}", path, SAY_WHICH)
    meanings = {name: meaning_of(name) for name in names}
    if unsure := [name for name, meaning in meanings.items() if meaning is Meaning.OPEN]:
        raise bad(f"Is '{unsure[0]}' a lesion? Its name does not tell (labels: {listed}).", path, SAY_WHICH)
    found = {name for name, meaning in meanings.items() if meaning is Meaning.LESION}
    if not found:
        raise bad(f"None of the labels is named as a lesion: {listed}.", path, SAY_WHICH)
    return found


@dataclass(frozen=True, slots=True)
class Roles:
    """What the names of a set's labels stand for; those that are in no part are something else."""

    lesions: frozenset[str]
    ignored: frozenset[str]
    liver: frozenset[str]

    def told(self, names: Iterable[str], source: str) -> str:
        """What was taken for lesions among the ``names`` of a set called ``source``, as a sentence."""
        others = sorted(set(names) - self.lesions - self.ignored)
        rest = f"; {_listed(others)} is not" if others else ""
        return f"{source}: {_listed(sorted(self.lesions))} is lesion{rest}."


def roles_of(names: Sequence[str], asked: Asked, path: Path | str) -> Roles:
    """The part that each name plays.

    Raises
    ------
    InputError
        As `lesions_among`; or all names stand for what is to be ignored.
    """
    ignored = frozenset(name for name in names if meaning_of(name) is Meaning.IGNORE)
    told = [name for name in names if name not in ignored]
    if not told:
        raise bad("No label is named beside the background.", path, "Name the label of lesions.")
    return Roles(frozenset(lesions_among(told, asked, path)), ignored, frozenset(filter(_is_liver, told)))


def _is_liver(name: str) -> bool:
    words = set(words_of(name)) - LABELLING
    return "liver" in words and words <= _LIVER


@dataclass(frozen=True, slots=True)
class LabelScheme:
    """What the values of one set's masks stand for.

    ``names`` are the labels of each value, None where nobody named them: then ``met`` keeps the values found so far and
    where, of which there may be one, unless the user says which are ``lesions``. ``liver`` are the values of the liver
    around its lesions.
    """

    path: Path
    names: Mapping[int, tuple[str, ...]] | None
    lesions: frozenset[int]
    ignored: frozenset[int]
    asked: Asked
    liver: frozenset[int] = frozenset()
    met: dict[int, Path] = field(default_factory=dict)

    def lesion_mask(self, values: NDArray[np.integer], path: Path) -> NDArray[np.bool_]:
        """The lesions of a mask with these ``values`` (any shape).

        Raises
        ------
        InputError
            A value is none of the scheme's.
        """
        found = [int(value) for value in levels_of(values)]
        if self.names is None:
            return self._of_one_value(values, found, path)
        for value in found:
            if value not in self.names and value != 0:
                raise bad(
                    f"{int((values == value).sum())} pixels hold {value_name(value)}, which {self.path.name} does "
                    f"not name (it names {_listed([str(known) for known in sorted(self.names)])}).",
                    path,
                    f"Name {value_name(value)} there, or save the mask with the values that are named.",
                )
        return np.isin(values, sorted(self.lesions))

    def ignored_mask(self, values: NDArray[np.integer]) -> NDArray[np.bool_] | None:
        """The pixels that nobody judged; None where there are none."""
        found = np.isin(values, sorted(self.ignored)) if self.ignored else None
        return found if found is not None and found.any() else None

    def liver_mask(self, values: NDArray[np.integer]) -> NDArray[np.bool_] | None:
        """The liver (rows, columns) with the lesions that lie in it; None where the mask outlines none."""
        liver = np.isin(values, sorted(self.liver)) if self.liver else None
        if liver is None or not liver.any():
            return None
        return liver_with_lesions(liver, np.isin(values, sorted(self.lesions)))

    def classes(self, values: NDArray[np.integer], labels: NDArray[np.uint8], count: int) -> tuple[str, ...]:
        """What the set calls each of ``count`` lesions (``labels``, from 1): the name that most of its pixels have.

        Nothing where labels have no names.
        """
        if self.names is None:
            return ()
        most = [int(np.bincount(values[labels == label]).argmax()) for label in range(1, count + 1)]
        return tuple(self.names[value][-1] for value in most)

    def finish(self, name: str) -> None:
        """Say what was taken for lesions in the set ``name``, once it is read.

        Raises
        ------
        InputError
            Masks hold other values alone than those that the user calls lesions.
        """
        asked = self._asked_values()
        if self.names is None and asked and self.met and not {value_name(value) for value in self.met} & set(asked):
            value, where = next(iter(self.met.items()))
            raise bad(f"The masks hold {value_name(value)}, never {asked[0]} (--lesion-label).", where, SAY_WHICH)
        if self.names is None:
            values = asked or [value_name(value) for value in self.met]
            self.asked.tell(
                f"{name}: the value {' and '.join(values)} of the masks is lesion."
                if values
                else f"{name}: no mask holds a lesion."
            )
            return
        lesions, others = set[str](), set[str]()
        for value, names in self.names.items():
            (lesions if value in self.lesions else others if value else set()).update(names)
        self.asked.tell(Roles(frozenset(lesions), frozenset(), frozenset()).told(others, name))

    def _asked_values(self) -> list[str]:
        """What the user calls lesions by value: of masks whose values have no names, these alone are."""
        return [label for label in self.asked.labels if label.isdecimal() or label.startswith("#")]

    def _of_one_value(self, values: NDArray[np.integer], found: list[int], path: Path) -> NDArray[np.bool_]:
        for value in found:
            if value != 0:
                self.met.setdefault(value, path)
        if self._asked_values():
            return np.isin(values, [value for value in found if self.asked.among([value_name(value)])])
        if len(self.met) > 1:
            (first, where), (second, there), *_ = self.met.items()
            places = "" if where == there else f" ({value_name(first)} in {where.name})"
            listed = ", ".join(sorted(map(value_name, self.met))[:_SHOWN])
            raise bad(
                f"The masks hold several values beside 0, {listed}{places}; which is the lesion?",
                there if second in found else path,
                "Say which: --lesion-label VALUE. Or name them in dataset.json: "
                '{"labels": {"background": 0, "liver": 1, "lesion": 2}}.',
            )
        if found and 0 not in found:
            raise bad(
                f"Every pixel holds {value_name(found[0])}; 0 is background.",
                path,
                "Write 0 outside and one value on lesions.",
            )
        return np.asarray(values != 0)


def scheme_of(folder: Path, asked: Asked) -> LabelScheme:
    """The scheme of a set: that of its ``dataset.json``, else one value beside 0.

    Raises
    ------
    InputError
        ``dataset.json`` cannot be read, or does not tell which label is the lesion.
    """
    path = folder / DATASET_JSON
    if not path.exists():
        return LabelScheme(path, None, frozenset(), frozenset(), asked)
    return scheme_of_names(_labels(regular(asked.bound(folder), path)), asked, path)


def scheme_of_names(named: Mapping[str, tuple[int, ...]], asked: Asked, path: Path) -> LabelScheme:
    """The scheme of labels that the file at ``path`` names, each with its values.

    Raises
    ------
    InputError
        It names no label, or does not tell which is the lesion.
    """
    told = [name for name in named if named[name] != (0,)]
    if not told:
        raise bad(f"{path.name} names no label beside the background.", path, "Name the label of lesions.")
    roles = roles_of(told, asked, path)
    lesions, ignored, liver = (
        frozenset(value for name in names for value in named[name])
        for names in (roles.lesions, roles.ignored, roles.liver)
    )
    by_value: dict[int, tuple[str, ...]] = {}
    for name, values in named.items():
        for value in values:
            by_value[value] = tuple(sorted((*by_value.get(value, ()), name), key=lambda each: each in roles.lesions))
    if 0 in lesions:
        raise bad("A label of lesions has the value 0, which is background.", path, "Give it another value.")
    return LabelScheme(path, by_value, lesions, ignored, asked, liver)


def _labels(path: Path) -> dict[str, tuple[int, ...]]:
    """The labels of ``dataset.json``, each with its values.

    nnU-Net 2 writes {name: value}, or {name: [value, ...]} for regions; its first version and the Decathlon
    {"value": name}.
    """
    try:
        content: Any = parse_json(read_regular(path, _MAX_JSON_BYTES))
        labels = content["labels"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise bad(
            "dataset.json has no labels of the form {name: value}.", path, 'Expected {"labels": {"lesion": 1}}.'
        ) from error
    found: dict[str, tuple[int, ...]] = {}
    for key, entry in labels:
        name, values = (entry, key) if isinstance(entry, str) and not _is_whole(entry) else (key, entry)
        several = values if isinstance(values, list) else [values]
        if not several or not all(_is_whole(value) for value in several):
            raise bad(f"The label '{key}' of dataset.json has no whole number: {entry!r}.", path, "Give it its value.")
        if str(name) in found:
            raise bad(f"dataset.json names '{name}' twice.", path, "Give each label a name of its own.")
        found[str(name)] = tuple(int(value) for value in several)
    return found


def _is_whole(value: object) -> bool:
    """Whether this is a label's value: 0 to 65535, as number or as text."""
    if isinstance(value, str):
        return value.strip().isdecimal() and len(value) <= 5 and int(value) <= 65535
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 65535


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"'{name}'" for name in names[:_SHOWN]) + more
