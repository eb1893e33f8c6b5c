"""Whose images are: what PatientID, ClinicalTrialSubjectID and a manifest say of one another.

A subject of several patients is refused. Where one patient stands under several subjects, or a manifest joins or
divides them, nobody is taken out, and no verdict that rests on it is certain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from lesion_measure.records import Instance, Location, Refusal, Study
from lesion_measure.spelling import alike, look_alike
from lesion_measure.tables.manifest import ManifestRow

MOST_NAMED = 3
NAME_SUBJECT = "Name the subject of these images in a manifest (--manifest)."
MOST_SHARED = 2
"""Subjects under whom one patient may stand by mistake; a PatientID of more of them is one for all, and nobody's.

The files of two children alone do not tell a number that stands for all from the number of one child.
"""


def without_several_patients(
    by_subject: dict[str, list[Study]], entries: dict[Location, ManifestRow], refusals: list[Refusal]
) -> None:
    """Take out the subjects whose files name several patients, unless a manifest names the subject of each file."""
    for subject, studies in list(by_subject.items()):
        images = list(_images(studies))
        stated = (entries.get(image.location) for image in images)
        first = {image.patient: image.path for image in reversed(images) if image.patient}
        apart = _apart(first)
        if len(apart) < 2 or all(entry is not None and entry.subject for entry in stated):
            continue
        del by_subject[subject]
        patients = ", ".join(f"'{patient}' ({first[patient]})" for patient in sorted(apart)[:MOST_NAMED])
        refusals.append(
            Refusal(
                code="several_patients",
                reason=f"Subject {subject} (ClinicalTrialSubjectID) holds images of {len(apart)} patients (PatientID): "
                f"{patients}{' and more' if len(apart) > MOST_NAMED else ''}.",
                remedy=NAME_SUBJECT,
                path=images[0].path,
                subject=subject,
            )
        )


def _apart(patients: Iterable[str]) -> list[str]:
    """PatientIDs of which no two may be one.

    Those that name who gave them come first: a bare ``P1`` may be one of two hospitals' ``P1``, which are two.
    """
    found: list[str] = []
    for patient in sorted(patients, key=lambda each: ("^" not in each.rstrip("^"), each)):
        if not any(look_alike(patient, other) for other in found):
            found.append(patient)
    return found


def moved(by_subject: dict[str, list[Study]]) -> dict[str, list[str]]:
    """What a manifest says of whose images these are and the files contradict, by subject.

    That it renames every image of a subject alike is its use; that it joins two subjects or divides one may be a slip.
    """
    given: dict[str, set[str]] = defaultdict(set)
    for subject, studies in by_subject.items():
        for image in _images(studies):
            if image.subject:
                given[image.subject].add(subject)
    found: dict[str, list[str]] = defaultdict(list)
    for own, subjects in given.items():
        if len(subjects) > 1:
            reason = f"The manifest divides the images of {own} among {' and '.join(sorted(subjects))}."
            for subject in sorted(subjects):
                found[subject].append(reason)
    for subject in by_subject:
        joined = sorted(own for own, subjects in given.items() if subject in subjects)
        if len(joined) > 1:
            found[subject].append(f"The manifest joins images of {' and '.join(joined)} under {subject}.")
    return found


def shared_patients(
    by_subject: Mapping[str, Sequence[Study]], entries: Mapping[Location, ManifestRow]
) -> dict[str, list[str]]:
    """Why a subject's images may be another's as well, by subject: one patient stands under both.

    Part of the studies then states the trial's code and part does not, or states another one, so that neither subject
    has all of its visits. What a manifest names is not asked about.
    """
    subjects: dict[str, set[str]] = defaultdict(set)  # by PatientID
    for subject, studies in by_subject.items():
        for image in _images(studies):
            entry = entries.get(image.location)
            if image.patient and not (entry and entry.subject):
                subjects[image.patient].add(subject)
    found: dict[str, list[str]] = defaultdict(list)
    for several in _of_one_patient(subjects):
        names = " and ".join(sorted(several)[:MOST_NAMED])
        for subject in several:
            found[subject].append(f"Images of one patient (PatientID) are called {names}: are they one subject?")
    return found


def _of_one_patient(subjects: Mapping[str, set[str]]) -> list[frozenset[str]]:
    """Subjects who may be one by their PatientIDs, which may be written in several ways (``p1``, ``P1^^^HOSPITAL``).

    Where the codes themselves look alike, that is said of them, and nothing here.
    """
    written = {patient: {patient} for patient in subjects}
    for one, other in alike(subjects):
        written[one].add(other)
        written[other].add(one)
    found: dict[frozenset[str], None] = {}
    for patients in written.values():
        several = frozenset(subject for patient in patients for subject in subjects[patient])
        if all(look_alike(one, other) for one, other in combinations(several, 2)):
            continue
        if len(several) <= MOST_SHARED or patients & several:
            found[several] = None
    return list(found)


def _images(studies: Sequence[Study]) -> Iterator[Instance]:
    return (image for study in studies for image in study.instances)
