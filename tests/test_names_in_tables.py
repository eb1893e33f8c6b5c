"""Names as tables and file systems write them: umlauts taken apart, names with suffixes, columns of other names."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

import drawn_folders as written
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import load, load_all

NAMES = {"a": "Läsion ä", "b": "Größe 1", "c": "c", "d": "d"}


def _renamed(root: Path, form: str) -> None:
    """Files called by `NAMES`, in one of Unicode's forms: NFD as macOS keeps them, NFC as people type them."""
    for path in sorted(root.rglob("*.*")):
        stem, _, rest = path.name.partition(".")
        number = "_0000" if stem.endswith("_0000") else ""
        name = NAMES.get(stem.removesuffix("_0000"))
        if name is not None and path.is_file():
            path.rename(path.with_name(unicodedata.normalize(form, name) + number + "." + rest))


def _plain(root: Path) -> None:
    written.plain(root, written.sources())
    (root / "index.csv").write_text("id,group\n" + "".join(f"{name},{name}\n" for name in NAMES.values()), "utf-8")


def _nnunet(root: Path) -> None:
    written.nnunet(root, written.sources(), ".png", {"background": 0, "liver": 1, "lesion": 2, "ignore": 3})
    names = list(NAMES.values())
    (root / "splits_final.json").write_text(json.dumps([{"train": names[:2], "val": names[2:]}]))


def _coco(root: Path) -> None:
    written.coco(root, written.sources(), "polygon")
    for path in root.rglob("*.json"):
        content = json.loads(path.read_text())
        for one in content["images"]:
            stem = one["file_name"].rpartition("/")[2].partition(".")[0]
            one["file_name"] = one["file_name"].replace(f"{stem}.", f"{NAMES[stem]}.")
        path.write_text(json.dumps(content))


def _labelme(root: Path) -> None:
    written.labelme(root, written.sources(), "polygon")


@pytest.mark.parametrize("write", [_plain, _nnunet, _coco, _labelme])
@pytest.mark.parametrize("form", ["NFD", "NFC"])
def test_umlauts_that_a_file_system_takes_apart_are_the_same_names(
    tmp_path: Path, write: Callable[[Path], None], form: str
) -> None:
    write(tmp_path / "set")
    _renamed(tmp_path / "set", form)
    found = {item.name: item for item in load(tmp_path / "set")}
    assert set(found) == set(NAMES.values())
    for one in written.sources():
        assert found[NAMES[one.name]].image.tobytes() == one.image.tobytes()
        assert ((found[NAMES[one.name]].labels > 0) == one.lesion).all()


def test_an_id_with_a_suffix_is_told_what_to_write(tmp_path: Path) -> None:
    written.plain(tmp_path, written.sources())
    (tmp_path / "index.csv").write_text("id,group\n" + "".join(f"{name}.png,{name}\n" for name in NAMES))
    with pytest.raises(InputError, match=r"'a.png' lies there: its name without suffix is 'a'") as refused:
        load(tmp_path)
    assert "Write 'a' as its id" in refused.value.remedy


def test_pictures_in_folders_by_part_are_told_how_to_lie(tmp_path: Path) -> None:
    written.plain(tmp_path, written.sources())
    (tmp_path / "images/train").mkdir()
    (tmp_path / "images/a.png").rename(tmp_path / "images/train/a.png")
    with pytest.raises(InputError, match="It lies in train/, and folders in images/ are not looked into") as refused:
        load(tmp_path)
    assert "a column split states" in refused.value.remedy


@pytest.mark.parametrize("layout", ["plain", "COCO"])
def test_a_split_under_another_name_is_refused_not_lost(tmp_path: Path, layout: str) -> None:
    if layout == "plain":
        written.plain(tmp_path, written.sources())
    else:
        written.coco(tmp_path, written.sources(), "polygon")
    lines = [f"{name},{name},{'val' if name == 'd' else 'train'}" for name in NAMES]
    for column, lost in (("subset", True), ("split", False), ("note", True)):
        (tmp_path / "index.csv").write_text("\n".join([f"id,group,{column}", *lines]))
        if lost:
            with pytest.raises(InputError, match=f"The column '{column}' seems to state a split") as refused:
                load(tmp_path)
            assert "Call it split" in refused.value.remedy
        else:
            assert [item.split for item in load(tmp_path)] == ["train", "train", "train", "val"]
    (tmp_path / "index.csv").write_text("\n".join(["id,group,reader", *(f"{name},{name},test" for name in NAMES)]))
    assert {item.split for item in load(tmp_path)} == {""}


def test_pictures_that_an_index_does_not_list_are_counted(tmp_path: Path) -> None:
    written.plain(tmp_path / "set", written.sources())
    (tmp_path / "set/index.csv").write_text("id,group\na,a\nb,b\nc,c\n")
    (tmp_path / "set/masks/d.png").unlink()
    told: list[str] = []
    assert len(load_all([tmp_path / "set"], say=told.append)) == 3
    assert "set: 1 pictures that index.csv does not list are not read." in told
