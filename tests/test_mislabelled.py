"""Label files made wrong, or right in an unusual way: each is read right, or refused with value, file and remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.draw import disk

from lesion_measure.dicom.objects.vocabulary import Meaning, meaning_of
from lesion_measure.errors import InputError
from lesion_measure.lab.datasets import load, write_sheets
from lesion_measure.lab.datasets.sheet import looks_of

ROWS, COLUMNS = 120, 160
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Made:
    """A set of two pictures: ``write`` makes the file of the second from its mask and a random generator.

    ``refused`` is what the message says, None where it must be read; ``near`` is the least overlap (Dice) that it then
    must have with the mask.
    """

    write: Callable[[Path, Mask, np.random.Generator], object]
    refused: str | None = None
    near: float = 1.0


def grey(mask: Mask, value: int = 255) -> NDArray[np.uint8]:
    return (mask * value).astype(np.uint8)


def save(path: Path, values: NDArray[np.generic], **options: object) -> None:
    Image.fromarray(np.asarray(values)).save(path, **options)


def palette(path: Path, places: NDArray[np.generic], *colours: tuple[int, int, int]) -> None:
    image = Image.fromarray(places.astype(np.uint8), "P")
    image.putpalette([part for colour in colours for part in colour])
    image.save(path)


def second_blob(mask: Mask) -> Mask:
    """An organ beside the lesion."""
    other = np.zeros_like(mask)
    other[4:24, 4:40] = True
    return other & ~mask


def blurred(values: NDArray[np.generic], sigma: float) -> NDArray[np.uint8]:
    return np.rint(ndimage.gaussian_filter(values.astype(float), sigma)).astype(np.uint8)


def alpha(mask: Mask, colour: int) -> NDArray[np.uint8]:
    return np.dstack([np.full((*mask.shape, 3), colour, np.uint8), grey(mask)])


def coloured(mask: Mask, colour: tuple[int, int, int], ground: tuple[int, int, int] = (0, 0, 0)) -> NDArray[np.uint8]:
    return np.where(mask[..., None], np.array(colour, np.uint8), np.array(ground, np.uint8))


def ring(mask: Mask, width: int) -> Mask:
    return mask & ~ndimage.binary_erosion(mask, iterations=width)


def open_line(mask: Mask) -> Mask:
    line = ring(mask, 2)
    line[:, : int(np.nonzero(mask)[1].mean())] = False
    return line


def speck() -> Mask:
    mask = np.zeros((ROWS, COLUMNS), dtype=bool)
    mask[50:53, 60:63] = True
    return mask


def speckle(rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.clip(rng.rayleigh(60, (ROWS, COLUMNS)), 0, 255).astype(np.uint8)


def own_picture(path: Path) -> NDArray[np.uint8]:
    with Image.open(path.parents[1] / "images" / path.name) as image:
        return np.asarray(image)


def with_orientation(path: Path, mask: Mask) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    save(path, grey(mask), exif=exif)


KINDS = {
    "palette, colours in order": Made(lambda p, m, r: palette(p, m, (0, 0, 0), (128, 0, 0))),
    "palette, white first": Made(lambda p, m, r: palette(p, ~m, (255, 255, 255), (0, 0, 0))),
    "palette by Pillow's quantizer": Made(
        lambda p, m, r: Image.fromarray(grey(m)).convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE).save(p)
    ),
    "palette of the web": Made(lambda p, m, r: Image.fromarray(grey(m)).convert("RGB").convert("P").save(p)),
    "palette without black": Made(lambda p, m, r: palette(p, m, (68, 1, 84), (253, 231, 37)), "#440154"),
    "palette, two places of one colour": Made(
        lambda p, m, r: palette(p, m * 2 + second_blob(m), (0, 0, 0), (0, 0, 0), (255, 0, 0)), "one colour"
    ),
    "palette, inverted": Made(lambda p, m, r: palette(p, m, (255, 255, 255), (0, 0, 0)), "inverted"),
    "inverted": Made(lambda p, m, r: save(p, grey(~m)), "inverted"),
    "inverted 16 bit": Made(lambda p, m, r: save(p, (~m * 65535).astype(np.uint16)), "inverted"),
    "alpha over black": Made(lambda p, m, r: save(p, alpha(m, 0))),
    "alpha over white": Made(lambda p, m, r: save(p, alpha(m, 255))),
    "alpha unlike its colours": Made(
        lambda p, m, r: save(p, np.dstack([*[grey(second_blob(m))] * 3, grey(m)])), "transparency"
    ),
    "one bit": Made(lambda p, m, r: save(p, m)),
    "16 bit": Made(lambda p, m, r: save(p, (m * 65535).astype(np.uint16))),
    "one colour on black": Made(lambda p, m, r: save(p, coloured(m, (255, 0, 0)))),
    "one colour on white": Made(lambda p, m, r: save(p, coloured(m, (255, 0, 0), (255, 255, 255))), "#ff0000"),
    "two colours": Made(
        lambda p, m, r: save(p, coloured(m, (255, 0, 0)) + coloured(second_blob(m), (0, 255, 0))), "#00ff00"
    ),
    "one-hot channels": Made(
        lambda p, m, r: save(p, np.dstack([grey(~m & ~second_blob(m)), grey(second_blob(m)), grey(m)])), "#0000ff"
    ),
    "anti-aliased": Made(lambda p, m, r: save(p, blurred(grey(m), 0.7)), near=0.97),
    "smoothed": Made(lambda p, m, r: save(p, blurred(grey(m), 2)), near=0.95),
    "two labels, 127 and 255": Made(lambda p, m, r: save(p, grey(m) + grey(second_blob(m), 127)), "127, 255"),
    "two labels, smoothed": Made(
        lambda p, m, r: save(p, blurred(grey(m) + grey(second_blob(m), 128), 1)), "smoothed labels"
    ),
    "labels 1 and 2": Made(lambda p, m, r: save(p, grey(m, 2) + grey(second_blob(m), 1)), "1, 2"),
    "JPEG under the name of PNG": Made(lambda p, m, r: save(p, grey(m), format="JPEG", quality=85), near=0.97),
    "JPEG of labels 0 and 1": Made(lambda p, m, r: save(p, grey(m, 1), format="JPEG"), "brightest value"),
    "outline": Made(lambda p, m, r: save(p, grey(ring(m, 3))), "hole"),
    "open line": Made(lambda p, m, r: save(p, grey(open_line(m))), "line seems"),
    "speck alone": Made(lambda p, m, r: save(p, grey(speck())), "9 pixels"),
    "size of another picture": Made(lambda p, m, r: save(p, grey(m[:-4])), "116 x 160"),
    "turned by 90 degrees": Made(lambda p, m, r: save(p, grey(m.T)), "turned by 90"),
    "turned by EXIF": Made(lambda p, m, r: with_orientation(p, m), "EXIF"),
    "the picture itself": Made(lambda p, m, r: save(p, own_picture(p)), "holds .* values|own picture"),
    "the picture, cut": Made(lambda p, m, r: save(p, grey(own_picture(p) > 127)), "own picture"),
    "another picture": Made(lambda p, m, r: save(p, speckle(r)), "picture"),
    "every pixel": Made(lambda p, m, r: save(p, grey(np.ones_like(m))), "Every pixel"),
    "empty file": Made(lambda p, m, r: p.write_bytes(b""), "cannot be read"),
}


def lesion(rng: np.random.Generator) -> Mask:
    """A disk of 12 to 25 pixels' radius, well inside."""
    mask = np.zeros((ROWS, COLUMNS), dtype=bool)
    radius = rng.uniform(12, 25)
    mask[disk((rng.uniform(55, 80), rng.uniform(70, 110)), radius)] = True
    return mask


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_label_files_are_read_right_or_refused(tmp_path: Path, kind: str, seed: int) -> None:
    made, rng = KINDS[kind], np.random.default_rng((seed, 83))
    root = tmp_path / "set"
    truth = []
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    for name in ("a", "b"):
        mask = lesion(rng)
        truth.append(mask)
        save(root / "images" / f"{name}.png", speckle(rng))
        save(root / "masks" / f"{name}.png", grey(mask))
    (root / "index.csv").write_text("id,group\nb,1\n")
    made.write(root / "masks" / "b.png", truth[1], rng)
    if made.refused is None:
        (found,) = load(root)
        drawn = found.labels > 0
        assert 2 * (drawn & truth[1]).sum() / (drawn.sum() + truth[1].sum()) >= made.near
        return
    with pytest.raises(InputError, match=made.refused) as caught:
        load(root)
    assert caught.value.remedy
    assert caught.value.path


# Values over a whole set, and what the user says of them


def write_set(root: Path, *masks: NDArray[np.uint8], labels: object = None) -> Path:
    rng = np.random.default_rng(5)
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    for number, mask in enumerate(masks):
        save(root / "images" / f"p{number}.png", speckle(rng))
        save(root / "masks" / f"p{number}.png", mask)
    (root / "index.csv").write_text("id,group\n" + "".join(f"p{n},{n}\n" for n in range(len(masks))))
    if labels is not None:
        (root / "dataset.json").write_text(json.dumps({"labels": labels}))
    return root


def test_values_that_differ_from_file_to_file_are_told_apart(tmp_path: Path) -> None:
    """1 in one mask and 2 in another may be two classes; the user says which are lesions."""
    mask = lesion(np.random.default_rng(1))
    root = write_set(tmp_path / "set", grey(mask, 1), grey(mask, 2))
    with pytest.raises(InputError, match=r"1, 2 \(1 in p0.png\); which is the lesion"):
        load(root)
    assert [len(item.axes) for item in load(root, lesion_labels=["2"])] == [0, 1]
    assert [len(item.axes) for item in load(root, lesion_labels=["1", "2"])] == [1, 1]
    for wrong in (["3"], ["tumor"], ["1", "3"]):
        with pytest.raises(InputError, match=r"lesion-label|which is the lesion"):
            load(root, lesion_labels=wrong)


def test_a_named_scheme_knows_every_value(tmp_path: Path) -> None:
    mask = lesion(np.random.default_rng(1))
    both = grey(mask, 2) + grey(second_blob(mask), 1)
    root = write_set(tmp_path / "one", both, labels={"background": 0, "liver": 1, "tumor": 2, "mets": 3})
    np.testing.assert_array_equal(load(root)[0].labels > 0, mask)
    root = write_set(
        tmp_path / "two", both + grey(second_blob(mask), 2), labels={"background": 0, "tumor": 2, "mets": 3}
    )
    np.testing.assert_array_equal(load(root)[0].labels > 0, mask | second_blob(mask))
    root = write_set(tmp_path / "three", grey(mask), labels={"background": 0, "nodule": 1})
    with pytest.raises(InputError, match=r"hold 255, which dataset\.json does not name"):
        load(root)
    root = write_set(tmp_path / "four", both, labels={"background": 0, "lesion": 2, "ignore": 1})
    (found,) = load(root)
    assert found.ignored is not None
    np.testing.assert_array_equal(found.ignored, second_blob(mask))
    np.testing.assert_array_equal(found.labels > 0, mask)
    root = write_set(tmp_path / "five", grey(mask, 1), labels={"background": 0, "foreground": 1})
    with pytest.raises(InputError, match="Is 'foreground' a lesion"):
        load(root)
    assert len(load(root, lesion_labels=["Foreground"])[0].axes) == 1


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        *((name, Meaning.LESION) for name in (
            "lesion", "Lesion_1", "liver tumor", "LiverTumour", "mets", "metastases", "hepatic hemangioma", "cysts",
            "mass 2", "focal nodular hyperplasia", "malignant", "benign lesion", "tumor core", "lesion (left)",
            "tumor of the liver", "Neoplasm, Primary", "Mass, hypoechoic", "Infantile Hepatic Hemangioma",
            "congenital haemangioma", "multifocal_HCC",
        )),
        *((name, Meaning.OTHER) for name in (
            "liver", "non-lesion liver", "cystic duct", "healthy liver", "normal tissue liver", "portal_vein",
            "gallbladder", "needle", "background", "hepatic vessels", "Annotation",
        )),
        *((name, Meaning.OPEN) for name in (
            "no lesion", "non-tumor", "tumor bed", "tumor vessel", "liver and lesion", "foreground", "1", "class 2",
            "Segment_1", "liver without lesion", "peritumoral", "cyst wall", "Tissue", "roi", "",
        )),
        ("ignore", Meaning.IGNORE),
    ],
)  # fmt: skip
def test_names_say_what_they_mean_or_nothing(name: str, meaning: Meaning) -> None:
    assert meaning_of(name) is meaning


# What lies beside the pictures


def test_a_mask_that_belongs_to_no_picture_is_not_passed_over(tmp_path: Path) -> None:
    """a_1.png beside a.png is the second lesion of a picture as a rule."""
    mask = lesion(np.random.default_rng(1))
    root = write_set(tmp_path / "set", grey(mask))
    save(root / "masks" / "p0_1.png", grey(second_blob(mask)))
    with pytest.raises(InputError, match=r"p0_1\.png: This mask has no picture"):
        load(root)


@pytest.mark.parametrize(
    ("called", "said"),
    [("p0.gif", "which is not read. Save 'p0.gif' as PNG"),
     ("p0.webp", "which is not read"), ("p0.png.png", "is 'p0.png'"),
     ("P0.png", "is 'P0'")],
)  # fmt: skip
def test_what_lies_there_instead_is_named(tmp_path: Path, called: str, said: str) -> None:
    root = write_set(tmp_path / "set", grey(lesion(np.random.default_rng(1))), grey(lesion(np.random.default_rng(2))))
    (root / "images" / "p0.png").rename(root / "images" / called)
    with pytest.raises(InputError) as caught:
        load(root)
    assert f"'{called}' lies there" in str(caught.value)
    assert said in str(caught.value)


def test_a_broken_link_says_where_it_leads(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", grey(lesion(np.random.default_rng(1))))
    (root / "images" / "p0.png").unlink()
    (root / "images" / "p0.png").symlink_to("annex/objects/p0.png")
    with pytest.raises(InputError, match=r"a link to 'annex/objects/p0\.png', which is not there"):
        load(root)


def test_specks_beside_a_lesion_are_counted(tmp_path: Path) -> None:
    mask = lesion(np.random.default_rng(1))
    mask[2:4, 2:5] = True
    assert load(write_set(tmp_path / "set", grey(mask)))[0].specks == (6,)


def test_the_sheet_shows_the_worst_first_and_outlines(tmp_path: Path) -> None:
    """An outline on black is the first of 40; 30 tiles are drawn, each with its outline's colour."""
    good = lesion(np.random.default_rng(1))
    root = write_set(tmp_path / "set", *[grey(good)] * 40)
    rng = np.random.default_rng(3)
    for number in range(40):
        inside = np.where(good, 40, 160) if number != 17 else np.zeros(good.shape)
        save(
            root / "images" / f"p{number}.png", np.clip(inside + rng.normal(0, 2, good.shape), 0, 255).astype(np.uint8)
        )
    pictures = load(root)
    share = float(good.mean())
    ranked = sorted(pictures, key=lambda item: -looks_of(item, share).score)
    assert ranked[0].name == "p17"
    assert looks_of(ranked[0], share).why == "on black"
    assert looks_of(ranked[1], share).why != "on black"
    (path,) = write_sheets(pictures, tmp_path / "sheets")
    with Image.open(path) as drawn:
        yellow = (np.asarray(drawn) == (255, 214, 10)).all(axis=2)
    assert ndimage.label(ndimage.binary_dilation(yellow, iterations=2))[1] == 30
