"""Splits that names, files and tables state: test pictures are never learnt from, and nothing is lost in silence."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import drawn_folders as written
from drawn_folders import Drawn
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import Picture, load, load_all, split_pictures

Write = Callable[[Path, Sequence[Drawn]], object]
WRITERS: dict[str, Write] = {
    "COCO": lambda root, drawn: written.coco(root, drawn, "polygon"),
    "CVAT": lambda root, drawn: written.cvat(root, drawn, "polygon"),
    "LabelMe": lambda root, drawn: written.labelme(root / "images", drawn, "polygon"),
    "YOLO": lambda root, drawn: written.yolo(
        root, drawn, parts=False, names="names: [liver, lesion, ignore]\ntrain: elsewhere\nval: elsewhere"
    ),
}


def _put(root: Path, drawn: Sequence[Drawn], homes: Sequence[str]) -> None:
    """Move each picture, and the annotation file of its name, into a folder in the one that it lies in."""
    for one, home in zip(drawn, homes, strict=True):
        for path in sorted(root.rglob(f"{one.name}.*")) if home else ():
            (path.parent / home).mkdir(exist_ok=True)
            path.rename(path.parent / home / path.name)


def _splits(found: Sequence[Picture], drawn: Sequence[Drawn]) -> list[str]:
    splits = {item.image.tobytes(): item.split for item in found}
    return [splits[one.image.tobytes()] for one in drawn]


LONE = {
    "test of some": (["", "", "test", "test"], ["", "", "test", "test"], "2 test; 2 in no part are learnt from or"),
    "test of all": (["test"] * 4, ["test"] * 4, "4 test, so none is learnt from."),
    "validation of some": (["", "", "", "val"], ["", "", "", "val"], "1 val; 3 in no part are learnt from."),
    "validation of all": (["val"] * 4, [""] * 4, "all pictures are called validation, which is no split."),
    "training of some": (["", "", "train", "train"], [""] * 4, None),
    "training of all": (["train"] * 4, [""] * 4, None),
}


@pytest.mark.parametrize("layout", WRITERS)
@pytest.mark.parametrize("name", LONE)
def test_a_lone_part_is_kept_where_it_says_something(tmp_path: Path, layout: str, name: str) -> None:
    homes, expected, said = LONE[name]
    drawn, told = written.sources(), list[str]()
    WRITERS[layout](tmp_path / "set", drawn)
    _put(tmp_path / "set", drawn, homes)
    found = load_all([tmp_path / "set"], say=told.append)
    assert _splits(found, drawn) == expected
    sentences = [one for one in told if "split is stated" in one or "no split" in one]
    assert len(sentences) == (said is not None)
    assert (said or "") in "".join(sentences)
    others, test = split_pictures(found, 0.5, {}, seed=1, stream=41)
    if "test" in homes:
        assert sorted(item.name for item in test) == [one.name for one, home in zip(drawn, homes, strict=True) if home]
    assert not {item.group for item in others} & {item.group for item in test}


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"trainval": "abc", "test": "d"}, ["", "", "", "test"]),
        ({"test": "abcd"}, ["test"] * 4),
        ({"train": "abcd"}, [""] * 4),
        ({"val": "abcd"}, [""] * 4),
        ({"default": "abc", "val": "d"}, ["", "", "", "val"]),
    ],
)
def test_a_lone_list_of_voc_is_kept_where_it_says_something(
    tmp_path: Path, lists: dict[str, str], expected: list[str]
) -> None:
    drawn, home = written.sources(), tmp_path / "ImageSets/Segmentation"
    written.voc(tmp_path, drawn, labelmap=True, objects=False)
    for path in home.iterdir():
        path.unlink()
    for name, stems in lists.items():
        (home / f"{name}.txt").write_text("\n".join(stems))
    assert _splits(load(tmp_path), drawn) == expected


FILES = {
    "validation over training and validation": ("instances_val", ["train2017"] * 3 + ["val2017"], None),
    "training over training and validation": ("train", ["train"] * 3 + ["val"], None),
    "test over training and test": ("test", ["train", "train", "test", "test"], None),
    "training over none and test": ("instances_train", ["", "", "", "test"], None),
    "test over training and validation": ("test", ["train", "train", "val", "val"], ["test"] * 4),
    "test over training": ("test", ["train"] * 4, ["test"] * 4),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_says_one_part_of_all_does_not_hide_what_folders_say(tmp_path: Path, name: str) -> None:
    called, homes, expected = FILES[name]
    drawn, told = written.sources(), list[str]()
    written.coco(tmp_path / "set", drawn, "polygon", name=f"annotations/{called}.json")
    _put(tmp_path / "set/images", drawn, homes)
    found = load_all([tmp_path / "set"], say=told.append)
    assert _splits(found, drawn) == (expected or [home.rstrip("2017") for home in homes])
    assert any("so their folders say the split" in one for one in told) == (expected is None)


def test_what_files_say_counts_before_folders_where_it_is_a_split(tmp_path: Path) -> None:
    drawn = written.sources()
    written.coco(tmp_path, drawn[:2], "polygon", home="images/val", name="annotations/instances_train.json")
    written.coco(tmp_path, drawn[2:], "polygon", home="images/train", name="annotations/instances_test.json")
    assert _splits(load(tmp_path), drawn) == ["train", "train", "test", "test"]


@pytest.mark.parametrize("subset", ["Test", "Train"])
def test_a_lone_subset_of_cvat(tmp_path: Path, subset: str) -> None:
    drawn = written.sources()
    written.cvat(tmp_path, drawn, "polygon")
    path = tmp_path / "annotations.xml"
    path.write_text(path.read_text().replace('name="d.png"', f'name="d.png" subset="{subset}"'))
    assert _splits(load(tmp_path), drawn) == ["", "", "", "test" if subset == "Test" else ""]


def _yolo(root: Path, drawn: Sequence[Drawn], homes: Sequence[str], stated: str) -> None:
    written.yolo(root, drawn, parts=False, names="")
    _put(root, drawn, homes)
    (root / "data.yaml").write_text(f"names: [liver, lesion, ignore]\n{stated}", encoding="utf-8")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("other", ["NFC", "NFD"])
def test_umlauts_of_data_yaml_are_the_same_however_they_are_composed(tmp_path: Path, form: str, other: str) -> None:
    """macOS takes the letter apart (NFD); keyboards write it whole (NFC)."""
    drawn = written.sources()
    homes = [unicodedata.normalize(form, home) for home in ("Läsionen", "Läsionen", "Prüfung", "Prüfung")]
    train, val = (unicodedata.normalize(other, home) for home in ("Läsionen", "Prüfung"))
    _yolo(tmp_path, drawn, homes, f"train: images/{train}\nval: images/{val}\n")
    assert _splits(load(tmp_path), drawn) == ["train", "train", "val", "val"]


YAML: dict[str, tuple[str, list[str], str]] = {
    "test alone": ("test: images/two", ["", "", "test", "test"], "2 test; 2 in no part"),
    "test alone, elsewhere": ("test: far/away", [""] * 4, "states test as 'far/away'; nothing of it is there"),
    "all elsewhere": (
        "train: far/train\nval: [far/val, far/more]",
        [""] * 4,
        "data.yaml states train as 'far/train', val as 'far/more'; nothing of it is there, so it is not used.",
    ),
    "the same, and a test": (
        "train: images/one\nval: images/one\ntest: images/two",
        ["", "", "test", "test"],
        "the same pictures as train and val, which is no split",
    ),
    "all three the same": (
        "train: images\nval: images\ntest: images", [""] * 4, "the same pictures as train and val, which is no split"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", YAML)
def test_what_data_yaml_states_counts_or_is_told(tmp_path: Path, name: str) -> None:
    stated, expected, said = YAML[name]
    drawn, told = written.sources(), list[str]()
    _yolo(tmp_path / "set", drawn, ["one", "one", "two", "two"], stated)
    assert _splits(load_all([tmp_path / "set"], say=told.append), drawn) == expected
    assert any(said in one for one in told)


def test_validation_that_is_not_there_is_refused_as_training_is(tmp_path: Path) -> None:
    for stated in ("train: images/one\nval: far/away", "val: images/one\ntrain: far/away"):
        _yolo(tmp_path / "set", written.sources(), ["one", "one", "two", "two"], stated)
        with pytest.raises(InputError, match="as 'far/away', which is not there") as refused:
            load(tmp_path / "set")
        assert "correct the path" in refused.value.remedy
        shutil.rmtree(tmp_path / "set")


def _table(root: Path, drawn: Sequence[Drawn], column: str, cells: Sequence[object], groups: str = "abcd") -> Path:
    written.plain(root, drawn)
    rows = [f"{one.name},{group},{cell}" for one, group, cell in zip(drawn, groups, cells, strict=True)]
    (root / "index.csv").write_text("\n".join([f"id,group,{column}", *rows]))
    return root


@pytest.mark.parametrize("cells", [(1, 2, 1, 2), (1, 1, 1, 1), (0, 0, 2, 2), ("", "", "", 1), (0, 1, 3, 3)])
def test_folds_that_leave_out_a_number_are_refused(tmp_path: Path, cells: tuple[object, ...]) -> None:
    drawn = written.sources()
    _table(tmp_path / "plain", drawn, "fold", cells)
    written.coco(tmp_path / "COCO", drawn, "polygon")
    (tmp_path / "plain/index.csv").rename(tmp_path / "COCO/index.csv")
    _table(tmp_path / "plain", drawn, "fold", cells)
    for name in ("plain", "COCO"):
        with pytest.raises(InputError, match="no picture is in fold") as refused:
            load(tmp_path / name)
        assert "Number folds from 0" in refused.value.remedy


def test_the_first_of_stated_folds_is_validated_on_and_no_other(tmp_path: Path) -> None:
    drawn = written.sources()
    found = load(_table(tmp_path, drawn, "fold", (0, 1, 0, 2)))
    for seed in range(5):
        training, validation = split_pictures(found, 0.9, {}, seed)
        assert [item.name for item in validation] == ["a", "c"]
        assert [item.name for item in training] == ["b", "d"]
    several = [replace(item, source="x" if item.fold else "y") for item in found]
    training, validation = split_pictures(several, 0.9, {}, seed=1)
    assert [item.name for item in validation] == ["a", "c"]


def test_validation_is_drawn_where_folds_stand_beside_training_and_test(tmp_path: Path) -> None:
    found = load(_table(tmp_path, written.sources(), "split,fold", ("train,0", "train,1", "train,1", "test,")))
    others, test = split_pictures(found, 0.5, {}, seed=1, stream=41)
    assert [item.name for item in test] == ["d"]
    assert split_pictures(others, 0.5, {}, seed=1)[1]


@pytest.mark.parametrize(
    ("column", "cells", "said"),
    [
        ("fold", ("0", "1", "1", "0"), "set/a is stated in fold 0 (validated on), set/b in fold 1 (learnt from)"),
        ("fold", ("1", "0", "1", "0"), "set/a is stated in fold 1 (learnt from), set/b in fold 0 (validated on)"),
        ("split", ("val", "train", "train", "val"), "set/a is stated as val, set/b as train"),
        ("split,fold", ("val,", ",1", ",0", "val,"), "set/a is stated as val, set/b in fold 1 (learnt from)"),
    ],
)
def test_a_group_on_two_sides_is_told_in_the_words_that_were_written(
    tmp_path: Path, column: str, cells: tuple[str, ...], said: str
) -> None:
    found = load(_table(tmp_path / "set", written.sources(), column, cells, groups="ppcd"))
    with pytest.raises(InputError, match=re.escape(said)) as refused:
        split_pictures(found, 0.2, {}, seed=1)
    assert refused.value.code == "leak"


@pytest.mark.parametrize(
    ("cells", "odd"),
    [
        (("train", "train", "val", "unused"), "No part of one: 'unused'."),
        (("train", "spare", "test", "unused"), "No part of one: 'spare', 'unused'."),
        (("Training", "dev", "", "excluded"), "No part of one: 'excluded'."),
        (("tr", "tr", "ts", "ts"), ""),
        (("train", "", "val", ""), ""),
    ],
)
def test_a_column_that_names_two_parts_of_a_split_is_refused(tmp_path: Path, cells: tuple[str, ...], odd: str) -> None:
    with pytest.raises(InputError, match="The column 'subset' seems to state a split") as refused:
        load(_table(tmp_path, written.sources(), "subset", cells))
    assert ("No part of one" in refused.value.reason) == bool(odd)
    assert odd in refused.value.reason
    assert "Call it split" in refused.value.remedy


@pytest.mark.parametrize("cells", [("TR", "TS", "AB", "CD"), ("test", "ok", "ok", "ok"), ("train", "train", "x", "")])
def test_a_column_of_other_words_is_none_of_a_split(tmp_path: Path, cells: tuple[str, ...]) -> None:
    assert {item.split for item in load(_table(tmp_path, written.sources(), "reader", cells))} == {""}
