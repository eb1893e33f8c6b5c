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

from lesion_measure.dicom.objects.vocabulary import Meaning, meaning_of
from lesion_measure.files.reading import parse_json, read_regular
from lesion_measure.image.masks import value_name
from lesion_measure.lab.datasets.files import bad, regular
from lesion_measure.spelling import or_meant

DATASET_JSON = "dataset.json"
_MAX_JSON_BYTES = 5_000_000
_SHOWN = 8
SAY_WHICH = "Say which labels are lesions: --lesion-label NAME, several times where there are several."


@dataclass(frozen=True, slots=True)
class LesionLabels:
    """The labels that the user calls lesions, by name or value; ``used`` are those that a folder has.

    ``told`` collects what readers took for lesions, in sentences for the user.
    """

    labels: tuple[str, ...] = ()
    used: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

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


def lesions_among(names: Sequence[str], asked: LesionLabels, path: Path | str) -> set[str]:
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
class LabelScheme:
    """What the values of one set's masks stand for.

    ``names`` are the labels of each value, None where nobody named them: then ``met`` keeps the values found so far and
    where, of which there may be one, unless the user says which are ``lesions``.
    """

    path: Path
    names: Mapping[int, tuple[str, ...]] | None
    lesions: frozenset[int]
    ignored: frozenset[int]
    asked: LesionLabels
    met: dict[int, Path] = field(default_factory=dict)

    def lesion_mask(self, values: NDArray[np.integer], path: Path) -> NDArray[np.bool_]:
        """The lesions of a mask with these ``values`` (any shape).

        Raises
        ------
        InputError
            A value is none of the scheme's, or pixels are labelled as to be ignored.
        """
        found = [int(value) for value in np.unique(values)]
        if self.names is None:
            return self._of_one_value(values, found, path)
        for value in found:
            if value in self.ignored:
                raise bad(
                    f"{int((values == value).sum())} pixels hold {value}, which {self.path.name} calls 'ignore'; "
                    "they would count as background.",
                    path,
                    "Label these pixels, or take the picture out.",
                )
            if value not in self.names and value != 0:
                raise bad(
                    f"{int((values == value).sum())} pixels hold {value_name(value)}, which {self.path.name} does "
                    f"not name (it names {_listed([str(known) for known in sorted(self.names)])}).",
                    path,
                    f"Name {value_name(value)} there, or save the mask with the values that are named.",
                )
        return np.isin(values, sorted(self.lesions))

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
        rest = f"; {_listed(sorted(others - lesions))} is not" if others - lesions else ""
        self.asked.tell(f"{name}: {_listed(sorted(lesions))} is lesion{rest}.")

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


def scheme_of(folder: Path, asked: LesionLabels) -> LabelScheme:
    """The scheme of a set: that of its ``dataset.json``, else one value beside 0.

    Raises
    ------
    InputError
        ``dataset.json`` cannot be read, or does not tell which label is the lesion.
    """
    path = folder / DATASET_JSON
    if not path.exists():
        return LabelScheme(path, None, frozenset(), frozenset(), asked)
    named = _labels(regular(folder, path))
    names = {name: meaning_of(name) for name in named if named[name] != (0,)}
    ignored = {value for name, meaning in names.items() if meaning is Meaning.IGNORE for value in named[name]}
    told = [name for name, meaning in names.items() if meaning is not Meaning.IGNORE]
    if not told:
        raise bad("dataset.json names no label beside the background.", path, 'Expected {"labels": {"lesion": 1}}.')
    lesions = {value for name in lesions_among(told, asked, path) for value in named[name]}
    by_value: dict[int, tuple[str, ...]] = {}
    for name, values in named.items():
        for value in values:
            by_value[value] = (*by_value.get(value, ()), name)
    if 0 in lesions:
        raise bad("A label of lesions has the value 0, which is background.", path, "Give it another value.")
    return LabelScheme(path, by_value, frozenset(lesions), frozenset(ignored), asked)


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
