"""The results by study: which visit a study is, what was measured on its images, and what needs review there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lesion_measure.dicom.objects.writing import Original, Setting, Shown
from lesion_measure.records import Image, LesionMeasurement, Plane, PlaneMeasurement, Refusal, SubjectResult
from lesion_measure.results import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOf:
    """One study of a subject's visit.

    ``images`` are paths by SOP Instance UID; ``planes`` what was measured on them; ``answers``: the visit's changes and
    verdict are told in this study.
    """

    subject: SubjectResult
    visit: str
    uid: str
    images: Mapping[str, str]
    planes: Sequence[tuple[LesionMeasurement, PlaneMeasurement]]
    absent: Sequence[LesionMeasurement]
    review: Sequence[Refusal]
    answers: bool

    def setting(self, results: Results) -> Setting:
        """What all groups of its report share."""
        return Setting(
            trial=results.protocol.name,
            subject=self.subject.subject,
            visit=self.visit,
            scan=self.subject.visits[self.visit],
            order=1 + list(self.subject.visits).index(self.visit),
            version=results.package_version,
            model=results.model,
            model_sha256=results.model_sha256,
        )

    def shown(self, originals: Mapping[str, Original]) -> list[Shown]:
        """The measurements on images whose headers could be read."""
        counts: Counter[tuple[str, str]] = Counter()
        shown = []
        for lesion, plane in self.planes:
            leads = plane is _leading(lesion)
            label = "" if leads else _label(plane, lesion, counts)
            if plane.sop_instance_uid in originals:
                original = originals[plane.sop_instance_uid]
                shown.append(Shown(lesion=lesion, plane=plane, original=original, leads=leads, label=label))
        return shown


def _leading(lesion: LesionMeasurement) -> PlaneMeasurement:
    """The image that stands for the lesion: the one with the longest diameter."""
    return max(lesion.planes, key=lambda plane: plane.long_axis_mm.value)


def _label(plane: PlaneMeasurement, lesion: LesionMeasurement, counts: Counter[tuple[str, str]]) -> str:
    """What tells an image from the lesion's others: its scan plane, with a number from the second on."""
    word = "image" if plane.plane is Plane.UNKNOWN else plane.plane.value
    counts[lesion.lesion, word] += 1
    number = counts[lesion.lesion, word]
    return word if number == 1 else f"{word} {number}"


def studies_of(results: Results, subjects: Iterable[SubjectResult]) -> Iterator[StudyOf]:
    """Every study of every subject's visits, in order of the visits and then of the studies' UIDs.

    ``subjects`` are those of the results, which are gone through twice: they may be read each time they are asked for.
    """
    images: dict[str, dict[str, str]] = defaultdict(dict)
    for image in results.images:
        images[image.study_instance_uid][image.sop_instance_uid] = image.path
    refused = results.refused()
    at: dict[tuple[str, str], list[str]] = defaultdict(list)
    for uid, place in _places(results, subjects, refused).items():
        if uid in images:
            at[place].append(uid)
    for subject in subjects:
        for visit in subject.visits:
            at_visit = sorted(at[subject.subject, visit])
            for uid in at_visit:
                yield _study(subject, visit, uid, images[uid], refused[subject.subject], uid == at_visit[0])


def _places(
    results: Results, subjects: Iterable[SubjectResult], refused: Mapping[str | None, Sequence[Refusal]]
) -> dict[str, tuple[str, str]]:
    """Subject and visit by Study Instance UID.

    By what was measured in the study, else by what was refused, else by its subject and date: a manifest may say other
    than the headers.
    """
    study_of = {image.sop_instance_uid: image.study_instance_uid for image in results.images}
    own: dict[str, list[Image]] = defaultdict(list)
    for image in results.images:
        own[image.subject].append(image)
    measured, lost, dated = {}, {}, {}
    for subject in subjects:
        dates = {scan.date: visit for visit, scan in subject.visits.items() if scan.date is not None}
        for image in own[subject.subject]:
            if image.study_date in dates:
                dated[image.study_instance_uid] = subject.subject, dates[image.study_date]
        for refusal in refused[subject.subject]:
            if refusal.sop_instance_uid in study_of and refusal.visit is not None:
                lost[study_of[refusal.sop_instance_uid]] = subject.subject, refusal.visit
        for lesion in _lesions(subject):
            for plane in lesion.planes:
                measured[plane.study_instance_uid] = subject.subject, lesion.visit
    return {**dated, **lost, **measured}


def _lesions(subject: SubjectResult) -> tuple[LesionMeasurement, ...]:
    return (*subject.lesions, *(subject.disease.liver if subject.disease else ()))


def _study(
    subject: SubjectResult,
    visit: str,
    uid: str,
    images: Mapping[str, str],
    refusals: Sequence[Refusal],
    answers: bool,
) -> StudyOf:
    """One study.

    Parameters
    ----------
    subject, visit, uid
        Whose it is, and which.
    images
        Paths by SOP Instance UID.
    refusals
        Everything that was refused of the subject or needs review.
    answers
        Whether what is said of the whole visit is said in this study.
    """
    lesions = [lesion for lesion in _lesions(subject) if lesion.visit == visit]
    return StudyOf(
        subject=subject,
        visit=visit,
        uid=uid,
        images=images,
        planes=[(lesion, p) for lesion in lesions for p in lesion.planes if p.study_instance_uid == uid],
        absent=[lesion for lesion in lesions if not lesion.present and answers],
        review=[
            refusal
            for refusal in refusals
            if refusal.sop_instance_uid in images
            or (refusal.sop_instance_uid is None and refusal.visit in (visit, None) and answers)
        ],
        answers=answers,
    )
