"""What an import understood: the data of some folders in numbers, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lesion_measure.lab.datasets.card import data_card, describe
from lesion_measure.lab.datasets.duplicates import DuplicateReport, group_duplicates
from lesion_measure.lab.datasets.layouts import layout_of, load_all
from lesion_measure.lab.datasets.pictures import Picture


@dataclass(frozen=True, slots=True)
class Summary:
    """The pictures of some folders, near-duplicates joined, and what was found on the way.

    ``taken`` says what was taken for lesions, in sentences.
    """

    layouts: dict[str, str]
    taken: tuple[str, ...]
    pictures: Sequence[Picture]
    duplicates: DuplicateReport

    def text(self) -> str:
        """A line a folder, and the data card."""
        read = [f"{name}: read as {layout}." for name, layout in self.layouts.items()]
        return "\n".join([*read, *self.taken, "", data_card(self.pictures, duplicates=self.duplicates)])

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "layouts": self.layouts,
            "taken": list(self.taken),
            "sets": [asdict(one) for one in describe(self.pictures)],
            "near_duplicates": asdict(self.duplicates),
        }


def data_summary(folders: Sequence[Path], lesion_labels: Sequence[str] = (), links: Path | None = None) -> Summary:
    """Read data folders and join near-duplicates; arguments and InputError as those of `layouts.load_all`."""
    layouts = {folder.resolve().name: layout_of(folder).name for folder in folders}
    taken: list[str] = []
    pictures, duplicates = group_duplicates(load_all(folders, lesion_labels, taken.append, links))
    return Summary(layouts, tuple(taken), pictures, duplicates)
