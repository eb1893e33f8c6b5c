"""The structured report of one study: Comprehensive SR (PS3.3 A.35.3), measurement report (PS3.16 TID 1500)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom import Dataset

from lesion_measure.dicom.objects.ours import MAKER
from lesion_measure.dicom.objects.writing import codes, verdicts
from lesion_measure.dicom.objects.writing.groups import Setting, Shown, absent_group, plane_group, time_point
from lesion_measure.dicom.objects.writing.identity import PLACEHOLDER, Sealed, derived_uid, sealed
from lesion_measure.dicom.objects.writing.original import Original, dated
from lesion_measure.dicom.objects.writing.predecessors import Reference, Written, sequence_of
from lesion_measure.dicom.objects.writing.values import holding
from lesion_measure.records import LesionMeasurement, Refusal, SubjectResult

if TYPE_CHECKING:
    from highdicom.sr import ContentItem, ObservationContext

SERIES_NUMBER = 9002
_DEVICE = "121007"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one study's report says.

    ``originals`` are the study's images; ``shown`` what was measured on them, the lesions in order; ``absent`` the
    lesions that are stated to be gone at the visit; ``review`` what needs review or was refused there. ``answers``: the
    subject's changes and verdict belong to this study, not to another of the same visit. ``segmentations`` are all that
    belong to the same result.
    """

    subject: SubjectResult
    setting: Setting
    originals: Sequence[Original]
    shown: Sequence[Shown]
    absent: Sequence[LesionMeasurement]
    review: Sequence[Refusal]
    answers: bool
    segmentations: Sequence[Reference] = ()


def report(content: Report, known: Written | None) -> Sealed | None:
    """The report; None where there is nothing to say. ``known`` is an earlier one of the same study.

    A report that says other than the earlier one names it and its predecessors as its own: a PACS may hold any of them.
    One that says the same keeps the predecessors of that: so it has the same bytes.
    """
    tree = _tree(content)
    if tree is None:
        return None
    dataset = _document(content, tree)
    if known is not None:
        same = _succeeding(dataset, known.predecessors)
        if same.sop_instance_uid == known.sop_instance_uid:
            return same
    return _succeeding(dataset, known.chain if known else [])


def _succeeding(dataset: Dataset, predecessors: Sequence[Reference]) -> Sealed:
    if predecessors:
        dataset.PredecessorDocumentsSequence = sequence_of(predecessors)
    elif "PredecessorDocumentsSequence" in dataset:
        del dataset.PredecessorDocumentsSequence
    return sealed(dataset)


def _document(content: Report, tree: Dataset) -> Dataset:
    import highdicom as hd

    first = dated(content.originals)
    headers = [first.header, *(each.header for each in content.originals if each is not first)]
    dataset = hd.sr.ComprehensiveSR(
        headers,
        tree,
        series_instance_uid=PLACEHOLDER,
        series_number=SERIES_NUMBER,
        sop_instance_uid=PLACEHOLDER,
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=content.setting.version,
        device_serial_number=content.setting.version,
        is_complete=not content.review,
        series_description="Lesion measurements",
        content_date=first.content_date,
        content_time=first.content_time,
        coding_schemes=codes.declaration(),
    )
    if content.segmentations:
        dataset.PertinentOtherEvidenceSequence = sequence_of(content.segmentations)
    classes = {each.image.sop_instance_uid: each.image.sop_class_uid for each in content.originals}
    for study in dataset.CurrentRequestedProcedureEvidenceSequence:
        for series in study.ReferencedSeriesSequence:
            for instance in series.ReferencedSOPSequence:
                instance.ReferencedSOPClassUID = classes[instance.ReferencedSOPInstanceUID]
    return dataset


def _tree(content: Report) -> Dataset | None:
    import highdicom as hd

    setting = content.setting
    in_order = sorted(content.originals, key=lambda original: original.image.sop_instance_uid)
    measured = [plane_group(shown, setting, _about(shown, content.review)) for shown in content.shown]
    response = content.subject.response if setting.visit == content.subject.primary_visit else None
    derived = list(verdicts.changes(content.subject, setting.visit)) if content.answers else []
    said = [absent_group(lesion, setting, in_order) for lesion in content.absent]
    said += [verdicts.verdict(response)] if response is not None and content.answers else []
    said += verdicts.open_items(content.review)
    if not (measured or said or derived):
        return None
    root = hd.sr.ContainerContentItem(codes.REPORT_TITLE, template_id="1500")
    root.ContentSequence = hd.sr.ContentSequence()
    root.ContentSequence.extend(hd.sr.LanguageOfContentItemAndDescendants(hd.sr.CodedConcept.from_code(codes.ENGLISH)))
    root.ContentSequence.extend(_observer(setting.version))
    root.ContentSequence.extend(time_point(setting, numbers=True))
    root.ContentSequence.append(_procedure())
    for name, items in (
        (codes.IMAGING_MEASUREMENTS, measured),
        (codes.DERIVED_MEASUREMENTS, derived),
        (codes.QUALITATIVE_EVALUATIONS, said),
    ):
        if items:
            part = hd.sr.ContainerContentItem(name, relationship_type="CONTAINS")
            root.ContentSequence.append(holding(part, items))
    return root


def _observer(version: str) -> ObservationContext:
    """This program, with its version."""
    import highdicom as hd

    device = hd.sr.DeviceObserverIdentifyingAttributes(
        derived_uid("device", MAKER, version),
        name=MAKER,
        manufacturer_name=MAKER,
        model_name=MAKER,
        serial_number=version,
    )
    return hd.sr.ObservationContext(
        observer_device_context=hd.sr.ObserverContext(hd.sr.CodedConcept(_DEVICE, "DCM", "Device"), device)
    )


def _procedure() -> ContentItem:
    import highdicom as hd

    return hd.sr.CodeContentItem(
        hd.sr.CodedConcept("121058", "DCM", "Procedure reported"),
        codes.ULTRASONOGRAPHY,
        relationship_type="HAS CONCEPT MOD",
    )


def _about(shown: Shown, review: Sequence[Refusal]) -> list[Refusal]:
    """What needs review and is about this lesion or this image."""
    image, lesion = shown.plane.sop_instance_uid, shown.lesion.lesion
    return [r for r in review if r.lesion == lesion or (r.lesion is None and r.sop_instance_uid == image)]
