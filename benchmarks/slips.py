"""Single mistakes that people make in tables: one cell, one row, or the rows of one image or lesion.

What becomes of them is told by `slipped_tables`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

Row = dict[str, str]
Slip = Callable[[list[Row], random.Random], list[Row] | None]
"""The rows with one mistake; None where this draw finds nothing to spoil."""

POINTS = ("start_col", "start_row", "end_col", "end_row")
LOOKS_LIKE = {"1": "l", "0": "O", "l": "1", "L": "I", "_": "-", "S": "5", "s": "z", "-": "_"}
CHILDREN = tuple(f"SIM-0{n}" for n in range(1, 7))


@dataclass(frozen=True, slots=True)
class SlipKind:
    """A kind of mistake. ``unknowable``: within what a careful reader might have written."""

    name: str
    table: str
    slip: Slip
    unknowable: bool = False


def _typo(text: str, rng: random.Random) -> str:
    """One slip of the pen in a text: a letter changed, left out, doubled, swapped, or taken for its look-alike."""
    at = rng.randrange(len(text))
    how = rng.randrange(5)
    if how == 0:
        return text[:at] + rng.choice("abcxyz0123456789") + text[at + 1 :]
    if how == 1:
        return text[:at] + text[at + 1 :]
    if how == 2:
        return text[:at] + text[at] + text[at:]
    if how == 3:
        return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
    looks = [i for i, letter in enumerate(text) if letter in LOOKS_LIKE]
    at = rng.choice(looks) if looks else at
    return text[:at] + LOOKS_LIKE.get(text[at], "~") + text[at + 1 :]


def _drawn(rows: list[Row], rng: random.Random, axis: str | None = None) -> int:
    return rng.choice([i for i, row in enumerate(rows) if row["axis"] in ([axis] if axis else ["long", "short"])])


def _cell(column: str, change: Callable[[str, random.Random], str]) -> Slip:
    def slip(rows: list[Row], rng: random.Random) -> list[Row] | None:
        some = [row for row in rows if row[column]]
        if not some:
            return None
        row = rng.choice(some)
        before = row[column]
        row[column] = change(before, rng)
        return rows if row[column] != before else None

    return slip


def _block(change: Callable[[Row, random.Random], None]) -> Slip:
    """The same mistake in all rows of one image, as copying down a cell makes it."""

    def slip(rows: list[Row], rng: random.Random) -> list[Row] | None:
        image = rng.choice(rows)["image"]
        seed = rng.random()
        before = deepcopy(rows)
        for row in rows:
            if row["image"] == image:
                change(row, random.Random(seed))
        return rows if rows != before else None

    return slip


def _point(change: Callable[[str], str]) -> Slip:
    def slip(rows: list[Row], rng: random.Random) -> list[Row]:
        row = rows[_drawn(rows, rng)]
        column = rng.choice(POINTS)
        row[column] = change(row[column])
        return rows

    return slip


def _swap(row: Row, one: str, other: str) -> None:
    row[one], row[other] = row[other], row[one]


def _swapped_columns(rows: list[Row], rng: random.Random) -> list[Row]:
    row = rows[_drawn(rows, rng)]
    _swap(row, "start_col", "start_row")
    _swap(row, "end_col", "end_row")
    return rows


def _swapped_one_end(rows: list[Row], rng: random.Random) -> list[Row]:
    _swap(rows[_drawn(rows, rng)], *rng.choice((("start_col", "start_row"), ("end_col", "end_row"))))
    return rows


def _swapped_ends(rows: list[Row], rng: random.Random) -> list[Row]:
    """Start and end change places: the line is the same."""
    row = rows[_drawn(rows, rng)]
    _swap(row, "start_col", "end_col")
    _swap(row, "start_row", "end_row")
    return rows


def _dropped(rows: list[Row], rng: random.Random) -> list[Row]:
    del rows[rng.randrange(len(rows))]
    return rows


def _doubled(rows: list[Row], rng: random.Random) -> list[Row]:
    at = rng.randrange(len(rows))
    return [*rows[: at + 1], dict(rows[at]), *rows[at + 1 :]]


def _dropped_image(rows: list[Row], rng: random.Random) -> list[Row]:
    image = rng.choice(rows)["image"]
    return [row for row in rows if row["image"] != image]


def _points_of_the_row_above(rows: list[Row], rng: random.Random) -> list[Row] | None:
    at = rng.randrange(1, len(rows))
    if "absent" in (rows[at]["axis"], rows[at - 1]["axis"]):
        return None
    rows[at].update({name: rows[at - 1][name] for name in POINTS})
    return rows


def _other_visit(text: str, rng: random.Random) -> str:
    return text.replace("baseline", "#").replace("one_month", "baseline").replace("#", "one_month")


def _other_child(text: str, rng: random.Random) -> str:
    own = next((code for code in CHILDREN if code in text), "")
    return text.replace(own, rng.choice([code for code in CHILDREN if code != own])) if own else text


def _other_lesion(text: str, rng: random.Random) -> str:
    return rng.choice([name for name in ("L1", "L2", "L3", "L4") if name != text])


def _other_plane(text: str, rng: random.Random) -> str:
    return rng.choice([name for name in ("transverse", "sagittal", "coronal", "oblique") if name != text])


def _other_axis(text: str, rng: random.Random) -> str:
    return {"long": "short", "short": "long"}.get(text, "long")


def _digit(text: str, rng: random.Random) -> str:
    """One digit before the decimal point is another."""
    whole = text.split(".")[0]
    at = rng.randrange(len(whole))
    return text[:at] + rng.choice([d for d in "0123456789" if d != text[at]]) + text[at + 1 :]


def _digits_swapped(text: str, rng: random.Random) -> str:
    whole = text.split(".")[0]
    at = rng.randrange(len(whole) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _digit_of_a_point(change: Callable[[str, random.Random], str]) -> Slip:
    def slip(rows: list[Row], rng: random.Random) -> list[Row] | None:
        row = rows[_drawn(rows, rng)]
        column = rng.choice(POINTS)
        before = row[column]
        row[column] = change(before, rng)
        return rows if row[column] != before else None

    return slip


def _typo_everywhere(rows: list[Row], rng: random.Random) -> list[Row] | None:
    """The files of one lesion of one child, misspelt in all rows: search and replace, or copied cells."""
    own = rng.choice(rows)
    folder, lesion = own["image"].split("/")[0], own["lesion"]
    new = rng.choice((lesion.replace("L", "l"), lesion.replace("1", "l").replace("2", "Z"), f"{lesion}_"))
    before = deepcopy(rows)
    for row in rows:
        if row["image"].startswith(folder) and row["lesion"] == lesion:
            row["image"] = row["image"].replace(f"{lesion}_", f"{new}_")
    return rows if rows != before else None


def _lesion_left_out(rows: list[Row], rng: random.Random) -> list[Row]:
    own = rng.choice([row for row in rows if row["lesion"] != "L1" or row["image"].startswith(("SIM-03", "SIM-04"))])
    folder = own["image"].split("/")[0]
    return [r for r in rows if not (r["image"].startswith(folder) and r["lesion"] == own["lesion"])]


def _names_swapped(rows: list[Row], rng: random.Random) -> list[Row] | None:
    """The names of two lesions of a child change places in all rows of one visit."""
    visit = rng.choice(sorted({row["image"].rpartition("/")[0] for row in rows}))
    names = sorted({row["lesion"] for row in rows if row["image"].startswith(f"{visit}/")})
    if len(names) < 2:
        return None
    one, other = rng.sample(names, 2)
    for row in rows:
        if row["image"].startswith(f"{visit}/"):
            row["lesion"] = {one: other, other: one}.get(row["lesion"], row["lesion"])
    return rows


def _age_in_days(rows: list[Row], rng: random.Random) -> list[Row]:
    row = rng.choice(rows)
    row["age_months"] = str(round(30.4375 * float(row["age_months"])))
    return rows


def _set(column: str, values: tuple[str, ...]) -> Slip:
    return _cell_any(column, lambda text, rng: rng.choice([v for v in values if v != text]))


def _cell_any(column: str, change: Callable[[str, random.Random], str]) -> Slip:
    def slip(rows: list[Row], rng: random.Random) -> list[Row]:
        row = rng.choice(rows)
        row[column] = change(row[column], rng)
        return rows

    return slip


def _image_block(change: Callable[[str, random.Random], str]) -> Slip:
    return _block(lambda row, rng: row.update(image=change(row["image"], rng)))


KINDS = (
    SlipKind("typo in one path", "calipers", _cell("image", _typo)),
    SlipKind("typo in the path of an image's rows", "calipers", _image_block(_typo)),
    SlipKind("one lesion's files misspelt in all rows", "calipers", _typo_everywhere),
    SlipKind("other letter case in one path", "calipers", _cell("image", lambda text, rng: text.lower())),
    SlipKind("other letter case in an image's rows", "calipers", _image_block(lambda text, rng: text.swapcase())),
    SlipKind("another child in one path", "calipers", _cell("image", _other_child)),
    SlipKind("another child in an image's rows", "calipers", _image_block(_other_child)),
    SlipKind("another visit in one path", "calipers", _cell("image", _other_visit)),
    SlipKind("another visit in an image's rows", "calipers", _image_block(_other_visit)),
    SlipKind("SOP Instance UID with a wrong digit", "calipers by UID", _cell("image", _digit)),
    SlipKind("wrong frame", "calipers", _cell("frame", lambda text, rng: rng.choice(("0", "2", "7", "11")))),
    SlipKind("wrong frame in an image's rows", "calipers", _block(lambda row, rng: row.update(frame="3"))),
    SlipKind("another lesion's name", "calipers", _cell("lesion", _other_lesion)),
    SlipKind(
        "another lesion's name in an image's rows",
        "calipers",
        _block(lambda row, rng: row.update(lesion="L2" if row["lesion"] != "L2" else "L1")),
    ),
    SlipKind("two lesions' names swapped at a visit", "calipers", _names_swapped),
    SlipKind("typo in a lesion's name", "calipers", _cell("lesion", _typo)),
    SlipKind("another plane", "calipers", _cell("plane", _other_plane)),
    SlipKind(
        "another plane in an image's rows",
        "calipers",
        _block(lambda row, rng: row.update(plane=_other_plane(row["plane"], rng))),
    ),
    SlipKind("another axis", "calipers", _cell("axis", _other_axis)),
    SlipKind(
        "'absent' for a measured axis",
        "calipers",
        _cell("axis", lambda text, rng: "absent" if text != "absent" else text),
    ),
    SlipKind("another reader", "calipers", _cell("reader", lambda text, rng: "reader-2")),
    SlipKind("typo in the reader's name", "calipers", _cell("reader", _typo)),
    SlipKind("dropped row", "calipers", _dropped),
    SlipKind("rows of one image dropped", "calipers", _dropped_image),
    SlipKind("doubled row", "calipers", _doubled),
    SlipKind("points of the row above", "calipers", _points_of_the_row_above),
    SlipKind("columns and rows swapped in one row", "calipers", _swapped_columns),
    SlipKind("column and row of one end swapped", "calipers", _swapped_one_end),
    SlipKind("start and end swapped", "calipers", _swapped_ends),
    SlipKind("decimal comma", "calipers", _point(lambda text: text.replace(".", ","))),
    SlipKind("decimal point left out", "calipers", _point(lambda text: text.replace(".", ""))),
    SlipKind("decimal point one place left", "calipers", _point(lambda text: f"{float(text) / 10:.3f}")),
    SlipKind("minus sign", "calipers", _point(lambda text: f"-{text}")),
    SlipKind("empty cell", "calipers", _point(lambda text: "")),
    SlipKind("unit in the cell", "calipers", _point(lambda text: f"{text} px")),
    SlipKind("wrong digit of a point", "calipers", _digit_of_a_point(_digit), unknowable=True),
    SlipKind("two digits of a point swapped", "calipers", _digit_of_a_point(_digits_swapped), unknowable=True),
    SlipKind("a lesion left out everywhere", "calipers", _lesion_left_out, unknowable=True),
    SlipKind("typo in a path", "manifest", _cell("path", _typo)),
    SlipKind("another visit", "manifest", _set("visit", ("screening", "baseline", "one_month"))),
    SlipKind("typo in a visit", "manifest", _cell("visit", _typo)),
    SlipKind("another subject", "manifest", _set("subject", CHILDREN)),
    SlipKind("typo in a subject", "manifest", _cell("subject", _typo)),
    SlipKind("another plane", "manifest", _set("plane", ("transverse", "sagittal", "coronal"))),
    SlipKind("another lesion", "manifest", _set("lesion", ("L1", "L2", "L3"))),
    SlipKind("dropped row", "manifest", _dropped),
    SlipKind("doubled row", "manifest", _doubled),
    SlipKind("target of one row left out", "manifest", _set("target", ("", "yes"))),
    SlipKind("typo in a subject", "subjects", _cell("subject", _typo)),
    SlipKind("other letter case of a subject", "subjects", _cell("subject", lambda text, rng: text.lower())),
    SlipKind("another subject", "subjects", _cell("subject", _other_child)),
    SlipKind("dropped row", "subjects", _dropped),
    SlipKind("doubled row", "subjects", _doubled),
    SlipKind("age in days", "subjects", _age_in_days),
    SlipKind("decimal comma in the age", "subjects", _cell("age_months", lambda text, rng: f"{text},5")),
    SlipKind("typo in the form", "subjects", _cell("form", _typo)),
    SlipKind("another form", "subjects", _set("form", ("focal", "multifocal", "diffuse"))),
    SlipKind("typo in a target", "subjects", _cell("targets", _typo)),
    SlipKind("a target that nobody measured", "subjects", _cell("targets", lambda text, rng: f"{text};L9")),
    SlipKind(
        "one target left out",
        "subjects",
        _cell("targets", lambda text, rng: ";".join(text.split(";")[:-1]) or "L1"),
        unknowable=True,
    ),
    SlipKind("a new lesion that nobody measured", "subjects", _set("new_lesions", ("L7", "L8"))),
    SlipKind("a new lesion that was there at baseline", "subjects", _set("new_lesions", ("L1",))),
    SlipKind("progression of other lesions", "subjects", _set("non_target_progression", ("yes",)), unknowable=True),
    SlipKind("another word for no", "subjects", _set("hepatoblastoma", ("none", "n/a", "0", "false"))),
    SlipKind("yes for no", "subjects", _set("resection", ("yes",)), unknowable=True),
)
