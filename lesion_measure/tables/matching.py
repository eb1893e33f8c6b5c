"""The rows of a caliper table on the images that they name, and what is said of rows that name none."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from lesion_measure.records import Caliper, Instance, Refusal, StudyList
from lesion_measure.spelling import nearest, nfc

MOST_SHOWN = 3


MOST_ROWS = 6


MOST_TRIED, MOST_COMPARED = 20, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """Rows of one lesion on one image that is not, or not alone, in the input.

    ``images`` are those that it could be. ``elsewhere``: there is such a file outside of the input. ``unused``:
    the input has this file, and it came into no visit.
    """

    rows: tuple[Caliper, ...]
    refusal: Refusal
    images: tuple[Instance, ...] = ()
    elsewhere: bool = False
    unused: bool = False


def match_calipers(
    calipers: Iterable[Caliper], studies: StudyList, *, file: Path | None = None
) -> tuple[dict[str, tuple[Caliper, ...]], tuple[Unmatched, ...]]:
    """Calipers by SOPInstanceUID of the image they were drawn on; and the rows of no or of several images.

    Parameters
    ----------
    calipers, studies
        The rows, and the images of the input.
    file
        The caliper file, whose folder paths may start from and which a refusal names.

    An image is named by its SOPInstanceUID, by its path relative to the input, or by its path relative to the caliper
    file; the path of a second copy of the file will do. A path that fits in part is not enough: children's folders look
    alike. A file of which no row fits anything is one refusal, with the nearest paths.
    """
    known = [(i.path, i) for i in studies.instances] + list(studies.copies)
    names = _Names(known)
    folder = None if file is None else file.parent
    files = {} if file is None else _files(studies.instances)
    found: dict[str, list[Caliper]] = defaultdict(list)
    left: dict[tuple[str, str], list[Caliper]] = defaultdict(list)
    resolved: dict[str, list[Instance]] = {}
    calipers = tuple(calipers)
    for caliper in calipers:
        name = caliper.image
        if name not in resolved:
            resolved[name] = names.images(name, files.get(_beside(name, folder)))
        candidates = resolved[name]
        if len(candidates) == 1:
            found[candidates[0].sop_instance_uid].append(caliper)
        else:
            left[name, caliper.lesion].append(caliper)
    if len(calipers) > 1 and not any(resolved.values()):
        return {}, (Unmatched(rows=calipers, refusal=_none_matched(calipers, known, file)),)
    refused = {_as_typed(r.path): r for r in studies.refusals if r.path}
    lost = (_unmatched(rows, resolved[name], refused.get(_as_typed(name)), folder) for (name, _), rows in left.items())
    return {uid: tuple(rows) for uid, rows in found.items()}, tuple(lost)


def _none_matched(calipers: Sequence[Caliper], known: Sequence[tuple[str, Instance]], file: Path | None) -> Refusal:
    """The refusal of a whole file: what it looks for, what there is, and how the two seem to differ."""
    wanted = list(dict.fromkeys(caliper.image for caliper in calipers))
    there = [path for path, _ in known]
    return Refusal(
        code="caliper_image_not_found",
        reason=f"None of the {len(calipers)} caliper rows names an image of the input. They look for {_some(wanted)}; "
        f"the input has {_some(there) if there else 'no ultrasound image'}.",
        remedy=f"{_hint(wanted, there)}Give paths relative to the input folder or to the caliper file, or "
        "SOPInstanceUIDs; look at `lesion-measure inspect`.",
        path=None if file is None else file.name,
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:MOST_SHOWN])
    return f"{shown} and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else shown


def _hint(wanted: Sequence[str], there: Sequence[str]) -> str:
    """How the two seem to differ: by one folder in front of all, else in the spelling of the first name.

    It never says to write another child's path: folders of children look alike, and only the one above tells them
    apart.
    """
    names = [_as_typed(name) for name in wanted[:MOST_TRIED]]
    pairs = [(name, path) for name in names for path in there]
    missing = {path.removesuffix(name) for name, path in pairs if path.endswith(f"/{name}")}
    beyond = {name.removesuffix(path) for name, path in pairs if name.endswith(f"/{path}")}
    if len(missing) == 1:
        return f"The input's paths begin with '{missing.pop()}' and these do not: is that folder the INPUT they mean? "
    if len(beyond) == 1:
        return (
            f"These begin with '{beyond.pop()}' and the input's paths do not: is the folder above the INPUT they mean? "
        )
    near = nearest(names[0], there[:MOST_COMPARED])
    return f"Is '{wanted[0]}' perhaps '{near}'? " if near else ""


def _files(instances: Iterable[Instance]) -> dict[Path | None, Instance]:
    """The images that are files of their own, by the file that their path leads to."""
    return {i.location.file.resolve(): i for i in instances if not i.location.members}


class _Names:
    """Images by path and SOPInstanceUID. A table of many rows would take too long if each looked at every image."""

    def __init__(self, known: Sequence[tuple[str, Instance]]) -> None:
        self._known = known
        self._paths: defaultdict[str, list[int]] = defaultdict(list)
        self._uids: defaultdict[str, list[int]] = defaultdict(list)
        for place, (path, image) in enumerate(known):
            self._paths[nfc(path)].append(place)
            self._uids[image.sop_instance_uid].append(place)

    def images(self, name: str, beside: Instance | None) -> list[Instance]:
        """The images that a name means; ``beside`` is the one that it means where it starts from the caliper file."""
        of_path = (self._paths.get(each, ()) for each in (name, _as_typed(name)))
        places = sorted({*chain(*of_path), *self._uids.get(name, ())})
        found = [self._known[place][1] for place in places]
        found += [] if beside is None else [beside]
        return list({i.location: i for i in found}.values())


def _as_typed(name: str) -> str:
    """A path as people write it, whichever system it comes from; a slash too many, or a way back, is none."""
    return nfc(posixpath.normpath(name.replace("\\", "/")))


def _beside(name: str, folder: Path | None) -> Path | None:
    """The file that a path means when it starts from the caliper file's folder; None where it can be none."""
    try:
        return None if folder is None else (folder / _as_typed(name)).resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _unmatched(
    rows: Sequence[Caliper], candidates: Sequence[Instance], refused: Refusal | None, folder: Path | None
) -> Unmatched:
    which = rows_in_words(rows)
    name = rows[0].image
    beside = _beside(name, folder)
    if candidates:
        names = " and ".join(i.path for i in candidates[:2])
        code, reason = "caliper_image_ambiguous", f"{which} could mean {len(candidates)} images: {names}."
        remedy = "Give the SOPInstanceUID."
    elif refused is not None:
        code, reason = "caliper_image_refused", f"{which}: the image was refused. {refused.reason}"
        remedy = refused.remedy
    else:
        code, reason = "caliper_image_not_found", f"{which}: the image is not in the input."
        remedy = "Give the path relative to the input folder, or the SOPInstanceUID; look at `lesion-measure inspect`."
    return Unmatched(
        rows=tuple(rows),
        refusal=Refusal(code=code, reason=reason, remedy=remedy, path=name, lesion=rows[0].lesion or None),
        images=tuple(candidates),
        elsewhere=refused is None and beside is not None and beside.is_file(),
        unused=refused is not None,
    )


def rows_in_words(rows: Sequence[Caliper]) -> str:
    """Rows of a table by their numbers, with its name where there are several; drawings of an object by its items."""
    if rows[0].origin is not None:
        return _drawings_in_words(rows)
    table = f" of {rows[0].table}" if rows[0].table else ""
    numbers = [str(row.row_number) for row in rows]
    if len(numbers) == 1:
        return f"Caliper row {numbers[0]}{table}"
    first, last = ", ".join(numbers[:-1]), numbers[-1]
    if len(numbers) > MOST_ROWS:
        first, last = ", ".join(numbers[:MOST_ROWS]), f"{len(numbers) - MOST_ROWS} more"
    return f"Caliper rows {first} and {last}{table}"


def _drawings_in_words(rows: Sequence[Caliper]) -> str:
    items = dict.fromkeys(row.origin.item for row in rows if row.origin and row.origin.item)
    files = dict.fromkeys(row.origin.path for row in rows if row.origin)
    where = " and ".join(files)
    return f"The caliper of {' and '.join(items)} in {where}" if items else f"The caliper of {where}"
