"""Which objects count: each file once, and of a report and its corrections the last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from lesion_measure.records import Axis, DrawnObject, ObjectKind, Point, Refusal

SUPERSEDED = "superseded"


@dataclass(slots=True)
class Current:
    """Objects that count, in the order of their UIDs; those that cannot, each with the reason; and what is listed."""

    objects: list[DrawnObject] = field(default_factory=list)
    unclear: list[tuple[DrawnObject, Refusal]] = field(default_factory=list)
    listed: list[Refusal] = field(default_factory=list)


def current(objects: Iterable[DrawnObject]) -> Current:
    """Sort out copies, objects of one SOP Instance UID and different content, and what others replace.

    A report replaces those that its PredecessorDocumentsSequence names (PS3.3 C.17.2), if they are the same patient's.
    A report of ours lists the segmentations of its result: others of ours in its study are of a result that is gone.
    Two results of ours of one study and reader that differ, and of which none replaces the other, are unclear both.
    """
    found = Current()
    single = _each_once(objects, found)
    replaced = _replaced(single)
    for each in single:
        later = replaced.get(each.sop_instance_uid, [])
        if not later:
            found.objects.append(each)
        elif _in_circle(each.sop_instance_uid, replaced):
            found.unclear.append((each, _circle(each)))
        else:
            found.listed.append(_superseded(each, later[0]))
    _without_earlier_results(found)
    _without_rival_results(found)
    return found


def _without_earlier_results(found: Current) -> None:
    """List the segmentations of ours that no report of ours in their study lists, where there is such a report."""
    reports: dict[str, list[DrawnObject]] = defaultdict(list)
    for each in found.objects:
        if each.ours and each.kind is ObjectKind.SR:
            reports[each.study_instance_uid].append(each)
    kept = []
    for each in found.objects:
        beside = reports[each.study_instance_uid] if each.ours and each.kind is ObjectKind.SEG else []
        if beside and not any(each.sop_instance_uid in report.segmentations for report in beside):
            found.listed.append(_of_earlier_result(each, beside[0]))
        else:
            kept.append(each)
    found.objects = kept


def _without_rival_results(found: Current) -> None:
    reports = [each for each in found.objects if each.ours and each.kind is ObjectKind.SR]
    rivals = {
        each.study_instance_uid: (each, other) for each, other in permutations(reports, 2) if _contradict(each, other)
    }
    kept = []
    for each in found.objects:
        if each.ours and each.study_instance_uid in rivals:
            found.unclear.append((each, _rival(each, *rivals[each.study_instance_uid])))
        else:
            kept.append(each)
    found.objects = kept


def _contradict(one: DrawnObject, other: DrawnObject) -> bool:
    """Whether two reports of one study have a reader in common who drew other lesions or axes in one than in the other.

    An axis that one of them lacks is none: a network may have added it.
    """
    if one.study_instance_uid != other.study_instance_uid:
        return False
    first, second = _axes_by_lesion(one), _axes_by_lesion(other)
    readers = {reader for *_, reader in first} & {reader for *_, reader in second}
    lesions = [{lesion for lesion in axes if lesion[-1] in readers} for axes in (first, second)]
    if lesions[0] != lesions[1]:
        return True
    return any(
        first[lesion][axis] != second[lesion][axis]
        for lesion in lesions[0]
        for axis in first[lesion].keys() & second[lesion].keys()
    )


def _axes_by_lesion(report: DrawnObject) -> dict[tuple[object, ...], dict[Axis | None, tuple[Point, ...]]]:
    """The axes and statements of a report by image, frame, lesion and reader; outlines follow from them."""
    found: dict[tuple[object, ...], dict[Axis | None, tuple[Point, ...]]] = defaultdict(dict)
    for drawing in report.drawings.drawn:
        if len(drawing.points) <= 2:
            lesion = (drawing.image_uid, drawing.frame, drawing.lesion, drawing.reader)
            found[lesion][drawing.axis] = drawing.points
    return found


def _each_once(objects: Iterable[DrawnObject], found: Current) -> list[DrawnObject]:
    by_uid: dict[str, list[DrawnObject]] = defaultdict(list)
    for each in sorted(objects, key=lambda o: (o.sop_instance_uid, len(o.location.members), o.path)):
        by_uid[each.sop_instance_uid].append(each)
    single = []
    for first, *others in by_uid.values():
        same = [other for other in others if _alike(first, other)]
        found.listed += [_copy(other, first) for other in same if other.location != first.location]
        if len(same) == len(others):
            single.append(first)
        else:
            found.unclear += [(each, _shared_uid(each)) for each in (first, *(o for o in others if o not in same))]
    return single


def _alike(one: DrawnObject, other: DrawnObject) -> bool:
    """Whether two files of one UID say the same: copies, or the same object in another encoding."""
    return one.sha256 == other.sha256 or (
        _lines(one) == _lines(other) and len(one.drawings.refusals) == len(other.drawings.refusals)
    )


def _lines(one: DrawnObject) -> list[object]:
    return [
        (d.image_uid, d.frame, d.points, d.axis, d.lesion, d.reader, d.mask and d.mask.header_sha256)
        for d in one.drawings.drawn
    ]


def _replaced(objects: Sequence[DrawnObject]) -> dict[str, list[DrawnObject]]:
    """Which objects replace which, by the UID of the one that is replaced."""
    known = {each.sop_instance_uid: each for each in objects}
    found: dict[str, list[DrawnObject]] = defaultdict(list)
    for later in objects:
        for uid in later.replaces:
            earlier = known.get(uid)
            if earlier is not None and earlier is not later and _same_patient(earlier, later):
                found[uid].append(later)
    return found


def _same_patient(one: DrawnObject, other: DrawnObject) -> bool:
    if one.study_instance_uid == other.study_instance_uid:
        return True
    return bool(one.patient) and one.patient == other.patient


def _in_circle(uid: str, replaced: Mapping[str, Sequence[DrawnObject]]) -> bool:
    """Whether an object is replaced by one that, in the end, it replaces itself."""
    waiting = [uid]
    seen: set[str] = set()
    while waiting:
        for later in replaced.get(waiting.pop(), ()):
            if later.sop_instance_uid == uid:
                return True
            if later.sop_instance_uid not in seen:
                seen.add(later.sop_instance_uid)
                waiting.append(later.sop_instance_uid)
    return False


def _copy(one: DrawnObject, first: DrawnObject) -> Refusal:
    return _left_out(one, "duplicate", f"The same file is here twice, also as {first.path}.")


def _superseded(one: DrawnObject, later: DrawnObject) -> Refusal:
    count = len(one.drawings.drawn)
    reason = f"The report was replaced by {later.path}, which names it as its predecessor; its {count} drawings are "
    return _left_out(one, SUPERSEDED, f"{reason}not used.")


def _of_earlier_result(one: DrawnObject, report: DrawnObject) -> Refusal:
    reason = f"The segmentation is of another result than {report.path}, which lists its own: it is not used."
    return _left_out(one, SUPERSEDED, reason)


def _rival(one: DrawnObject, report: DrawnObject, other: DrawnObject) -> Refusal:
    reason = f"{report.path} and {other.path} are different results of one study by one reader, and none replaces the "
    remedy = "Keep the one that counts and take the other, with its segmentations, out of the input."
    return _left_out(one, "rival_results", f"{reason}other: which of them counts is not told.", remedy)


def _shared_uid(one: DrawnObject) -> Refusal:
    reason = "Different objects with different drawings have the SOP Instance UID of this one."
    return _left_out(one, "ambiguous_uid", reason, "Keep the one that is meant and take the others out of the input.")


def _circle(one: DrawnObject) -> Refusal:
    reason = "The report names as its predecessor one that replaces it: which of them counts is not told."
    remedy = "Keep the one that counts and take the others out of the input."
    return _left_out(one, "replaced_in_a_circle", reason, remedy)


def _left_out(one: DrawnObject, code: str, reason: str, remedy: str = "") -> Refusal:
    return Refusal(code=code, reason=reason, remedy=remedy, path=one.path, sop_instance_uid=one.sop_instance_uid)
