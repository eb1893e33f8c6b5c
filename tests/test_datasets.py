"""Data folders of pictures: the plain layout, AUL and BUSI as published, corrections; what is refused."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.draw import polygon2mask
from typer.testing import CliRunner

from lesion_measure.cli import app
from lesion_measure.errors import InputError
from lesion_measure.image.masks import read_mask
from lesion_measure.job.folder import MARKER
from lesion_measure.lab.datasets import (
    LesionAxes,
    choose_calipers,
    jitter,
    layout_of,
    load,
    load_all,
    load_folder,
    picture_of_lesions,
)
from lesion_measure.lab.datasets.files import read_grey
from lesion_measure.lab.datasets.polygons import filled, read_polygons
from lesion_measure.network.window import lie_apart

HERE = Path("outline.json")


def ellipse(rows: int, cols: int, middle: tuple[float, float], radii: tuple[float, float]) -> NDArray[np.bool_]:
    r, c = np.mgrid[:rows, :cols]
    return ((r - middle[0]) / radii[0]) ** 2 + ((c - middle[1]) / radii[1]) ** 2 <= 1


def save(path: Path, values: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values)).save(path)


def grey(rows: int = 60, cols: int = 80, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(20, 200, (rows, cols)).astype(np.uint8)


def mask_255(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return (mask * 255).astype(np.uint8)


def write_plain(root: Path, names: tuple[str, ...] = ("a", "b"), index: str | None = None) -> Path:
    for number, name in enumerate(names):
        save(root / "images" / f"{name}.png", grey(seed=number))
        save(root / "masks" / f"{name}.png", mask_255(ellipse(60, 80, (30, 40), (10, 20))))
    lines = ["id,group", *(f"{name},patient {name}" for name in names)]
    (root / "index.csv").write_text(index if index is not None else "\n".join(lines) + "\n")
    return root


# The plain layout


def test_plain_folder_is_read_exactly(tmp_path: Path) -> None:
    root = write_plain(tmp_path / "mine")
    found = load(root)
    assert [p.name for p in found] == ["a", "b"]
    assert {p.source for p in found} == {"mine"}
    assert [p.group for p in found] == ["mine/patient a", "mine/patient b"]
    np.testing.assert_array_equal(found[1].image, grey(seed=1))
    np.testing.assert_array_equal(found[0].labels, ellipse(60, 80, (30, 40), (10, 20)))
    assert math.dist(*found[0].axes[0].long) == pytest.approx(40, abs=1.5)
    assert load(root, "other")[0].source == "other"
    assert [p.name for p in load_folder(root)] == ["a", "b"]


def test_index_may_hold_other_columns_and_name_the_set(tmp_path: Path) -> None:
    text = "\ufeffid;Group;class;source\r\nb;1;benign;hospital A\r\na;1;;\r\n"
    found = load(write_plain(tmp_path / "mine", index=text))
    assert [(p.name, p.source, p.group) for p in found] == [("b", "hospital A", "mine/1"), ("a", "mine", "mine/1")]


def test_jpeg_pictures_and_colour_are_read_as_luminance(tmp_path: Path) -> None:
    root = write_plain(tmp_path / "mine")
    (root / "images" / "a.png").unlink()
    Image.fromarray(grey()).save(root / "images" / "a.JPG", quality=95)
    colour = np.zeros((60, 80, 3), np.uint8)
    colour[:, :, 1] = 200
    save(root / "images" / "b.png", colour)
    found = load(root)
    assert np.abs(found[0].image.astype(int) - grey()).mean() < 5
    assert (found[1].image == round(0.587 * 200)).all()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("RGBA", 100), ("P", 100), ("1", 255), ("I;16", 100)],
)
def test_every_picture_mode_gives_its_grey(tmp_path: Path, mode: str, expected: int) -> None:
    path = tmp_path / "p.png"
    if mode == "I;16":
        Image.fromarray(np.full((20, 20), 100, np.uint16)).save(path)
    else:
        Image.new("L", (20, 20), 255 if mode == "1" else 100).convert(mode).save(path)
    assert (read_grey(path) == expected).all()


@pytest.mark.parametrize("bits", [8, 9, 12, 16])
def test_16_bit_files_keep_their_greys_whatever_they_use_of_the_range(tmp_path: Path, bits: int) -> None:
    """A ramp over all values of so many bits has all 256 greys, each as often; 8 bits come back as they are."""
    path = tmp_path / "p.png"
    ramp = np.arange(2**bits).reshape(16, -1)
    Image.fromarray(ramp.astype(np.uint16)).save(path)
    found = read_grey(path)
    np.testing.assert_allclose(found, ramp * 255 / (2**bits - 1), atol=0.5 + 1e-9)
    assert np.unique(found).size == 256
    if bits == 8:
        save(path, ramp.astype(np.uint8))
        np.testing.assert_array_equal(read_grey(path), found)


def test_a_black_16_bit_picture_stays_black(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    save(path, np.zeros((20, 20), np.uint16))
    assert (read_grey(path) == 0).all()


@pytest.mark.parametrize("value", [1, 2, 127, 128, 255])
def test_any_single_value_is_the_lesion(tmp_path: Path, value: int) -> None:
    mask = ellipse(60, 80, (20, 30), (8, 12))
    path = tmp_path / "m.png"
    save(path, (mask * value).astype(np.uint8))
    np.testing.assert_array_equal(read_mask(path), mask)
    Image.fromarray(mask).save(path)
    np.testing.assert_array_equal(read_mask(path), mask)
    save(path, np.repeat((mask * value).astype(np.uint8)[..., None], 3, axis=2))
    np.testing.assert_array_equal(read_mask(path), mask)


def test_smoothed_mask_is_cut_at_half_and_labels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    smooth = np.clip(np.hypot(*(np.mgrid[:60, :80] - np.array([30, 40])[:, None, None])) * -12 + 300, 0, 255)
    save(path, smooth.astype(np.uint8))
    np.testing.assert_array_equal(read_mask(path), smooth.astype(np.uint8) > 127)
    labels = ellipse(60, 80, (30, 40), (25, 30)).astype(np.uint8) + ellipse(60, 80, (30, 40), (8, 9))
    for bad in (labels, labels * 100, np.full((60, 80), 255), grey()[..., None].repeat(3, 2) // np.array([1, 2, 3])):
        save(path, bad.astype(np.uint8))
        with pytest.raises(InputError, match=r"mask is not|in colour"):
            read_mask(path)


def test_touching_lesions_outlined_one_by_one_stay_apart() -> None:
    one, other = np.zeros((2, 40, 60), dtype=bool)
    one[5:20, 10:30] = True
    other[5:20, 28:50] = True
    found = picture_of_lesions("p", "s", "g", np.zeros((40, 60), np.uint8), [one, other])
    assert len(found.axes) == 2
    np.testing.assert_array_equal(found.labels == 1, one)
    np.testing.assert_array_equal(found.labels == 2, other & ~one)


def test_a_large_lesion_among_specks_is_found_and_noise_is_refused() -> None:
    mask = np.zeros((100, 100), dtype=bool)
    mask[:60:3, ::3] = True
    mask[70:95, 20:60] = True
    assert len(picture_of_lesions("p", "s", "g", np.zeros((100, 100), np.uint8), [mask]).axes) == 1
    squares = np.kron(np.indices((40, 40)).sum(axis=0) % 2 * (np.indices((40, 40))[0] % 2), np.ones((5, 5))).astype(
        bool
    )
    with pytest.raises(InputError, match="more than 200"):
        picture_of_lesions("p", "s", "g", np.zeros(squares.shape, np.uint8), [squares])


def test_no_large_move_takes_the_calipers_of_one_lesion_apart() -> None:
    axes = LesionAxes(long=((50.0, 40.0), (50.0, 60.0)), short=((45.0, 50.0), (55.0, 50.0)))
    shape = (100, 100)
    stayed = []
    for seed in range(300):
        lines = choose_calipers(axes, True, 1.0, np.random.default_rng(seed), shape)
        assert not lie_apart(lines)
        stayed.append(lines == [axes.long, axes.short])
        rng = np.random.default_rng(seed)
        assert choose_calipers(axes, True, 0.1, np.random.default_rng(seed), shape) == [
            jitter(axes.long, 0.1, rng, shape),
            jitter(axes.short, 0.1, rng, shape),
        ]
    assert 10 < sum(stayed) < 290


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "id twice": (lambda r: (r / "index.csv").write_text("id,group\na,1\na,2\n"), "twice"),
    "climbs": (lambda r: (r / "index.csv").write_text("id,group\n../a,1\n"), "no plain name"),
    "absolute": (lambda r: (r / "index.csv").write_text("id,group\n/etc/passwd,1\n"), "no plain name"),
    "bad group": (lambda r: (r / "index.csv").write_text("id,group\na,../../x\n"), "no plain name"),
    "no group column": (lambda r: (r / "index.csv").write_text("id\na\n"), "'group' is missing"),
    "no rows": (lambda r: (r / "index.csv").write_text("id,group\n"), "lists no pictures"),
    "no mask": (lambda r: (r / "masks" / "a.png").unlink(), "no file of this name in masks"),
    "no image": (lambda r: (r / "images" / "b.png").unlink(), "no file of this name in images"),
    "two images": (lambda r: (r / "images" / "a.jpg").write_bytes(b"x"), "two files of this name"),
    "no picture": (lambda r: (r / "images" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 50), "cannot be read"),
    "cut off": (lambda r: os.truncate(r / "images" / "a.png", 500), "cannot be read"),
    "not a png": (lambda r: Image.new("L", (80, 60)).save(r / "images" / "a.png", "TIFF"), "cannot be read"),
    "other size": (lambda r: save(r / "masks" / "a.png", np.zeros((61, 80), np.uint8)), "61 x 80"),
    "tiny": (lambda r: save(r / "images" / "a.png", np.zeros((4, 80), np.uint8)), "cannot be used"),
    "huge": (lambda r: Image.new("1", (9000, 10)).save(r / "images" / "a.png"), "cannot be used"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_broken_plain_folders_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    root = write_plain(tmp_path / "mine")
    damage, reason = BREAKS[name]
    damage(root)
    with pytest.raises(InputError, match=reason) as caught:
        load(root)
    assert caught.value.remedy
    done = CliRunner().invoke(app, ["data", str(root)])
    assert done.exit_code == 1  # whatever of the data is wrong


def test_a_line_without_a_file_names_its_id_and_what_to_add(tmp_path: Path) -> None:
    root = write_plain(tmp_path / "mine")
    (root / "masks" / "b.png").unlink()
    with pytest.raises(InputError) as caught:
        load(root)
    assert caught.value.reason == "Line 3: there is no file of this name in masks/: 'b'."
    assert "Add masks/b.png (all 0 where there is no lesion)" in caught.value.remedy


def test_an_index_without_groups_says_what_a_group_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"The columns are: id, group.*Pictures of one patient share a group"):
        load(write_plain(tmp_path / "mine", index="id\na\n"))


def test_a_plain_folder_that_lacks_its_index_alone_says_so(tmp_path: Path) -> None:
    root = write_plain(tmp_path / "mine")
    (root / "index.csv").unlink()
    with pytest.raises(InputError, match=r"no index\.csv\. Write one with the columns id") as caught:
        load(root)
    assert "Expected one of" not in str(caught.value)


def test_the_folder_above_data_folders_names_them(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_plain(tmp_path / "raw" / name)
    (tmp_path / "raw" / "0 notes").mkdir()
    with pytest.raises(InputError) as caught:
        load(tmp_path / "raw")
    raw = tmp_path / "raw"
    assert caught.value.remedy == f"Give '{raw / 'a'}' (plain) or '{raw / 'b'}' (plain)."


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    root = write_plain(tmp_path / "mine")
    save(tmp_path / "secret.png", grey(seed=9))
    (root / "images" / "a.png").unlink()
    (root / "images" / "a.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(InputError, match="leads out"):
        load(root)


def test_a_picture_on_its_side_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(grey()).save(path, exif=exif)
    with pytest.raises(InputError, match="rotated"):
        read_grey(path)


# Polygons


def test_polygon_counts_its_area() -> None:
    square = filled(np.array([[2.0, 3], [7, 3], [7, 9], [2, 9]]), (20, 20), HERE)
    assert square.sum() == 30
    assert square[3:9, 2:7].all()
    beside = filled(np.array([[7.0, 3], [12, 3], [12, 9], [7, 9]]), (20, 20), HERE)
    assert not (square & beside).any()


def test_polygon_of_a_circle_and_of_a_concave_star_are_exact_on_average() -> None:
    rng = np.random.default_rng(3)
    turn = np.linspace(0, 2 * np.pi, 11)[:-1]
    errors = []
    for _ in range(200):
        row, col = rng.uniform(45, 55, 2)
        radii = np.where(np.arange(10) % 2, 15, 40)
        angle = turn + rng.uniform(0, 6)
        star = np.stack([col + radii * np.cos(angle), row + radii * np.sin(angle)], axis=1)
        true = 10 * 0.5 * 15 * 40 * math.sin(math.pi / 5)
        mask = filled(star, (100, 100), HERE)
        errors.append(mask.sum() / true - 1)
        reference = polygon2mask((100, 100), star[:, ::-1])
        np.testing.assert_array_equal(mask, reference)
    assert abs(np.mean(errors)) < 0.001
    circle = np.stack([50.3 + 30.4 * np.cos(a := np.linspace(0, 2 * np.pi, 400)), 49.6 + 30.4 * np.sin(a)], axis=1)
    assert filled(circle, (100, 100), HERE).sum() == pytest.approx(math.pi * 30.4**2, rel=0.003)


def test_outline_that_crosses_itself_has_no_hole() -> None:
    loop = np.array([[10.0, 10], [40, 10], [40, 40], [10, 40], [10, 5], [20, 5], [20, 20], [10, 20]])
    assert filled(loop, (50, 50), HERE)[12:38, 12:38].all()


def test_outline_of_another_picture_is_refused() -> None:
    with pytest.raises(InputError, match="outside"):
        filled(np.array([[200.0, 10], [240, 10], [240, 40], [200, 40]]), (100, 100), HERE)
    clipped = filled(np.array([[-5.0, 10], [30, 10], [30, 40], [-5, 40]]), (100, 100), HERE)
    assert clipped.sum() == 30 * 30


TRIANGLE = [[10, 10], [40, 12], [20, 40]]


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (TRIANGLE, 1),
        ([TRIANGLE], 1),
        ([TRIANGLE, [[50, 50.5], [70, 50], [60, 70], [50, 50.5]]], 2),
        ({"points": TRIANGLE}, 1),
        ([{"points": TRIANGLE}, {"points": TRIANGLE}], 2),
        ({"version": "5", "shapes": [{"label": "mass", "points": TRIANGLE, "shape_type": "polygon"}]}, 1),
        ([], 0),
    ],
)
def test_plausible_forms_of_outlines_are_read(tmp_path: Path, content: object, count: int) -> None:
    path = tmp_path / "o.json"
    path.write_text(json.dumps(content))
    found = read_polygons(path)
    assert len(found) == count
    assert all(points[0].tolist() in ([10, 10], [50, 50.5]) for points in found)


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "nothing", "null", "3", '"text"', "[1, 2, 3, 4, 5, 6]", "[[1, 2], [3, 4]]", "[[1, 2, 3], [4, 5, 6]]",
        '[["1", "2"], ["3", "4"], ["5", "6"]]', "[[NaN, 1], [2, 3], [4, 9]]", "[[1e999, 1], [2, 3], [4, 9]]",
        "[[1, 1], [2, 2], [3, 3]]", "[[true, false], [true, true], [false, true]]", "[" * 100_000,
        '{"points": [[1, 2], [30, 4], [5, 60]], "polygon": []}', "[[], [[1, 2], [30, 4], [5, 60]]]",
        f"[[{'9' * 5000}, 1], [2, 3], [4, 9]]", " " * 5_000_001,
    ],
)  # fmt: skip
def test_nonsense_is_no_outline(tmp_path: Path, text: str) -> None:
    path = tmp_path / "o.json"
    path.write_text(text)
    with pytest.raises(InputError):
        read_polygons(path)


# Published layouts


def write_aul(root: Path, nested: str = "") -> Path:
    for kind in ("Benign", "Malignant", "Normal"):
        home = root / kind / nested.replace("*", kind)
        for number in (7, 8):
            (home / "image").mkdir(parents=True, exist_ok=True)
            Image.fromarray(grey(90, 120, number)).save(home / "image" / f"{number}.jpg")
            for part in ("liver", "outline", *(("mass",) if kind != "Normal" else ())):
                (home / "segmentation" / part).mkdir(parents=True, exist_ok=True)
                corner = 30 if part == "mass" else 5
                box = [[corner, 20], [corner + 40, 20], [corner + 40, 60], [corner + 20, 30], [corner, 60]]
                (home / "segmentation" / part / f"{number}.json").write_text(json.dumps(box))
    return root


@pytest.mark.parametrize("nested", ["", "*"])
def test_aul_is_read_as_published(tmp_path: Path, nested: str) -> None:
    root = write_aul(tmp_path / "AUL", nested)
    assert layout_of(root).name == "AUL"
    found = load(root)
    assert [p.name for p in found] == [f"{c}_{n}" for c in ("benign", "malignant", "normal") for n in (7, 8)]
    assert len({p.group for p in found}) == 6
    assert [len(p.axes) for p in found] == [1, 1, 1, 1, 0, 0]
    # x counts columns: 40 wide, 40 high, less the notch of half the width's triangle
    assert (found[0].labels > 0).sum() == pytest.approx(40 * 40 - 40 * 30 / 2, rel=0.03)
    rows, cols = np.nonzero(found[0].labels)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (20, 59, 30, 69)
    assert [p.kind for p in found] == ["benign"] * 2 + ["malignant"] * 2 + ["normal"] * 2
    assert found[0].liver is not None
    rows, cols = np.nonzero(found[0].liver)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (20, 59, 5, 44)


def test_aul_pictures_of_one_lesion_are_one_group_and_a_liver_may_be_missing(tmp_path: Path) -> None:
    root = write_aul(tmp_path / "AUL")
    (root / "groups.csv").write_text(
        "picture,class,group\nBenign/image/7.jpg,benign,g1\nMalignant/image/8.jpg,malignant,g1\n"
    )
    (root / "Malignant/segmentation/liver/7.json").unlink()
    found = {item.name: item for item in load(root)}
    assert found["benign_7"].group == found["malignant_8"].group == "AUL/g1"
    assert len({item.group for item in found.values()}) == 5
    assert found["malignant_7"].liver is None
    (root / "groups.csv").write_text("picture\nBenign/image/7.jpg\n")
    with pytest.raises(InputError, match="group"):
        load(root)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda r: (r / "Benign/segmentation/mass/7.json").unlink(), "no outline"),
        (lambda r: (r / "Benign/segmentation/mass/9.json").write_text("[]"), "no picture"),
        (lambda r: (r / "Benign/segmentation/mass/7.json").write_text("[]"), "no outline"),
        (
            lambda r: (
                (r / "Normal/segmentation/mass").mkdir()
                or (r / "Normal/segmentation/mass/7.json").write_text(json.dumps(TRIANGLE))
            ),
            "has an outline",
        ),
        (lambda r: (r / "Benign/segmentation/mass/7.json").write_text("[[900, 9], [990, 9], [950, 80]]"), "outside"),
        (lambda r: (r / "Benign/image/7.jpg").write_bytes(b"jpg"), "cannot be read"),
    ],
)
def test_aul_nonsense_is_refused(tmp_path: Path, damage: Callable[[Path], object], reason: str) -> None:
    root = write_aul(tmp_path / "AUL")
    damage(root)
    with pytest.raises(InputError, match=reason):
        load(root)


SQUARE = [[30, 20], [70, 20], [70, 60], [30, 60]]


def shape(label: str, kind: str = "polygon", points: object = None) -> dict[str, object]:
    return {"label": label, "shape_type": kind, "points": SQUARE if points is None else points}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"shapes": [shape("mass")], "imageHeight": 90, "imageWidth": 120}, None),
        ({"shapes": [shape("mass"), shape("liver", points=[[5, 5], [100, 5], [100, 80], [5, 80]])]}, None),
        ({"shapes": [shape("mass"), shape("gallbladder", "linestrip", [[1, 1], [9, 9]])]}, None),
        ({"shapes": [shape("mass", "rectangle", [[30, 20], [70, 60]])]}, None),
        ({"shapes": [shape("m")]}, None),
        ({"shapes": [shape("mass"), shape("unclear")]}, "Is 'unclear' a lesion"),
        ({"shapes": [shape("liver")]}, "None of the labels is named as a lesion: 'liver'"),
        ({"shapes": [shape("mass", "linestrip")]}, "is a linestrip, not an area"),
        ({"shapes": [shape("mass", "line", [[1, 1], [9, 9]])]}, "is a line, not an area"),
        ({"shapes": [shape("mass", "point", [[30, 20]])]}, "is a point, not an area"),
        ({"shapes": [shape("mass")], "imageHeight": 120, "imageWidth": 90}, "picture of 120 x 90 pixels"),
    ],
)
def test_labelme_files_are_read_by_label_kind_and_size(tmp_path: Path, content: object, said: str | None) -> None:
    root = write_aul(tmp_path / "AUL")
    (root / "Benign/segmentation/mass/7.json").write_text(json.dumps(content))
    if said is None:
        found = load(root)[0].labels > 0
        assert found.sum() == 1600
        assert found[20:60, 30:70].all()
        return
    with pytest.raises(InputError, match=said) as caught:
        load(root)
    assert caught.value.path is not None
    assert caught.value.path.endswith("7.json")
    assert caught.value.remedy


def test_groups_beside_published_sets_are_honoured(tmp_path: Path) -> None:
    aul, busi = write_aul(tmp_path / "AUL"), write_busi(tmp_path / "BUSI")
    (aul / "groups.csv").write_text(
        "picture,class,group\nBenign/image/7.jpg,benign,p1\nMalignant/image/8.jpg,malignant,p1\nnormal_7,normal,p2\n"
    )
    groups = {item.name: item.group for item in load(aul)}
    assert groups["benign_7"] == groups["malignant_8"] == "AUL/p1"
    assert groups["normal_7"] == "AUL/p2"
    assert len(set(groups.values())) == 5
    (busi / "groups.csv").write_text("id;group\nbenign (1);p1\nmalignant/malignant (1).png;p1\nbenign (2);\n")
    groups = {item.name: item.group for item in load(busi)}
    assert groups["benign (1)"] == groups["malignant (1)"] == "BUSI/p1"
    assert groups["benign (2)"] == "BUSI/benign (2)"
    for text, said in (
        ("id,group\nbenign (3),1\n", r"'benign \(3\)' is not there"),
        ("name,group\na,1\n", "no column picture"),
        ("id,patient\na,1\n", "'group' is missing"),
    ):
        (busi / "groups.csv").write_text(text)
        with pytest.raises(InputError, match=said):
            load(busi)


def write_busi(root: Path) -> Path:
    first, second = ellipse(60, 80, (30, 25), (10, 12)), ellipse(60, 80, (30, 50), (10, 14))
    for kind in ("benign", "malignant", "normal"):
        for number in (1, 2):
            stem = root / kind / f"{kind} ({number})"
            save(stem.with_name(stem.name + ".png"), np.repeat(grey(seed=number)[..., None], 3, axis=2))
            masks = [first, second] if (kind, number) == ("benign", 2) else [first]
            for index, mask in enumerate(masks):
                save(
                    stem.with_name(f"{stem.name}_mask{f'_{index}' if index else ''}.png"),
                    mask_255(mask & (kind != "normal")),
                )
    return root


def test_busi_is_read_as_published(tmp_path: Path) -> None:
    root = write_busi(tmp_path / "BUSI")
    assert layout_of(root).name == "BUSI"
    found = load(root)
    assert [p.name for p in found] == [f"{c} ({n})" for c in ("benign", "malignant", "normal") for n in (1, 2)]
    assert [len(p.axes) for p in found] == [1, 2, 1, 1, 0, 0]
    first, second = ellipse(60, 80, (30, 25), (10, 12)), ellipse(60, 80, (30, 50), (10, 14))
    np.testing.assert_array_equal(found[1].labels > 0, first | second)
    np.testing.assert_array_equal(found[1].labels == 1, first)
    np.testing.assert_array_equal(found[0].image, grey(seed=1))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda r: (r / "benign/benign (1)_mask.png").unlink(), "has no mask"),
        (lambda r: (r / "benign/benign (1).png").unlink(), "no picture"),
        (lambda r: save(r / "normal/normal (1)_mask.png", mask_255(ellipse(60, 80, (9, 9), (5, 5)))), "shows a lesion"),
        (lambda r: save(r / "benign/benign (1)_mask.png", np.zeros((60, 80), np.uint8)), "is empty"),
        (lambda r: save(r / "benign/benign (1)_mask.png", mask_255(ellipse(60, 79, (9, 9), (5, 5)))), "60 x 79"),
    ],
)
def test_busi_nonsense_is_refused(tmp_path: Path, damage: Callable[[Path], object], reason: str) -> None:
    root = write_busi(tmp_path / "BUSI")
    damage(root)
    with pytest.raises(InputError, match=reason):
        load(root)


# Corrections, and folders of no layout


def test_corrections_of_a_results_folder_are_read(tmp_path: Path) -> None:
    out = tmp_path / "out"
    head = "id,group,path,frame,reader,row_min,row_max,col_min,col_max\n"
    write_plain(out / "corrections", index=f"{head}a,S01,x.dcm,1,R1,0,59,0,79\nb,S01,x.dcm,2,R1,10,54,5,74\n")
    (out / MARKER).write_text("")
    assert layout_of(out).name == "corrections"
    found = load(out)
    assert [(p.source, p.group) for p in found] == [("out", "out/S01")] * 2
    np.testing.assert_array_equal(found[0].image, grey(seed=0))
    np.testing.assert_array_equal(found[1].image, grey(seed=1)[10:55, 5:75])
    np.testing.assert_array_equal(found[1].labels, ellipse(60, 80, (30, 40), (10, 20))[10:55, 5:75])
    for cells, said in (
        (",,,", r"does not say which region.*row_min"),
        ("0,60,0,79", "does not lie in its picture"),
        ("45,59,0,79", "mostly outside of the regions"),
    ):
        (out / "corrections" / "index.csv").write_text(f"{head}a,S01,x.dcm,1,R1,0,59,0,79\nb,S01,x.dcm,2,R1,{cells}\n")
        with pytest.raises(InputError, match=said):
            load(out)
    (out / "corrections" / "index.csv").unlink()
    with pytest.raises(InputError, match="holds no corrections"):
        load(out)


def test_a_folder_of_no_layout_is_told_every_layout(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("nothing here")
    with pytest.raises(InputError) as caught:
        load(tmp_path)
    for word in ("index.csv", "segmentation/mass", "_mask.png", "labelsTr", "DICOM SEG", "corrections/"):
        assert word in str(caught.value)
    with pytest.raises(InputError, match="no such data folder"):
        load(tmp_path / "missing")
    with pytest.raises(InputError, match="unpacked"):
        load(tmp_path / "note.txt")


def test_two_folders_of_one_name_are_refused(tmp_path: Path) -> None:
    roots = [write_plain(tmp_path / part / "data") for part in ("x", "y")]
    with pytest.raises(InputError, match="same name"):
        load_all(roots)
    assert len(load_all([roots[0], write_plain(tmp_path / "other")])) == 4


# The command


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["data", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def test_data_command_says_what_an_import_understood(tmp_path: Path) -> None:
    plain, busi = write_plain(tmp_path / "mine"), write_busi(tmp_path / "breast")
    code, out, _ = run(plain, busi)
    assert code == 0
    assert "mine: read as plain." in out
    assert "breast: read as BUSI." in out
    row = next(line for line in out.splitlines() if line.startswith("| breast"))
    assert [cell.strip() for cell in row.split("|")[2:6]] == ["6", "2", "2", "5"]  # noise of two seeds, three times
    assert "Near-duplicates" in out
    code, out, _ = run(plain, "--json")
    answer = json.loads(out)
    assert answer["layouts"] == {"mine": "plain"}
    assert answer["sets"][0]["pictures"] == answer["sets"][0]["lesions"] == 2
    assert answer["near_duplicates"] == {"pairs": [], "merged": []}
    (plain / "masks" / "a.png").unlink()
    code, out, err = run(plain)
    assert (code, out) == (1, "")
    assert "no file of this name in masks" in err
    code, out, _ = run("--help")
    assert "lesion-measure data" in out.split("Example")[-1]


# Real folders


def test_real_folders_are_read(shared_dir: Path, tmp_path: Path) -> None:
    for name, step in (("AUL36", 1), ("BUSI", 15), ("HC18", 10)):
        source, root = shared_dir / "data" / name, tmp_path / name
        assert layout_of(source).name == "plain"
        header, *lines = (source / "index.csv").read_text().splitlines()
        kept = lines[::step]
        for part in ("images", "masks"):
            (root / part).mkdir(parents=True)
            for line in kept:
                shutil.copy(source / part / f"{line.split(',')[0]}.png", root / part)
        (root / "index.csv").write_text("\n".join([header, *kept]))
        found = load(root)
        assert len(found) == len(kept)
        for item, line in zip(found, kept, strict=True):
            row = dict(zip(header.split(","), line.split(","), strict=True))
            assert item.name == row["id"]
            assert item.group == f"{name}/{row['group']}"
            assert item.image.shape == (int(row["height"]), int(row["width"]))
            with Image.open(root / "masks" / f"{item.name}.png") as stored:
                mask = np.asarray(stored) > 0
            assert mask.sum() == int(row["mask_area_px"])
            assert not item.labels[~mask].any()
            assert (item.labels > 0).sum() >= mask.sum() - 40  # specks are no lesions
