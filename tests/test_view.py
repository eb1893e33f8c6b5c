"""The scan plane from a header, and who is believed: codes against pydicom's dictionaries, orientations by rotation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping
from pydicom.uid import generate_uid
from scipy.spatial.transform import Rotation

import make
from lesion_measure.config import Planes
from lesion_measure.errors import MeasurementError
from lesion_measure.image.orientation import plane_of
from lesion_measure.records import ImageLabel, Plane, StatedPlane
from lesion_measure.studies.scan_plane import PLANE_CODES, TEXTS, stated_planes

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
VIEW_CIDS = {6, 26, 501, 502, 4010, 6312}


def code(value: str, scheme: str = "SCT", meaning: str = "", modifiers: Sequence[Dataset] = ()) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    if modifiers:
        item.ViewModifierCodeSequence = list(modifiers)
    return item


def header(**attributes: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def said(dataset: Dataset, settings: Planes | None = None) -> tuple[list[tuple[str, Plane]], list[str]]:
    notes: list[str] = []
    stated = stated_planes(dataset, settings or Planes(), notes)
    return [(s.source, s.plane) for s in stated], notes


@pytest.mark.parametrize(("plane", "codes"), PLANE_CODES.items())
def test_the_codes_are_those_of_the_dictionaries(plane: Plane, codes: tuple[tuple[str, str], ...]) -> None:
    words = {"transverse": ("transverse", "axial"), "sagittal": ("sagittal",)}.get(plane, (plane.value,))
    for sct, srt in codes:
        found = [entry[sct] for entry in concepts["SCT"].values() if sct in entry]
        meanings = {meaning.lower() for meaning, _ in found}
        assert any(word in meaning for meaning in meanings for word in words), sct
        assert {cid for _, cids in found for cid in cids} & VIEW_CIDS, sct
        assert mapping["SRT"][srt] == sct


def test_every_plane_of_the_transducer_orientations_is_known_but_those_of_an_organ() -> None:
    of_cid_6 = {c: m for entry in concepts["SCT"].values() for c, (m, cids) in entry.items() if 6 in cids}
    known = {sct for codes in PLANE_CODES.values() for sct, _ in codes}
    assert {m for c, m in of_cid_6.items() if c not in known} == {
        "Long axis", "Longitudinal", "Short axis", "Off axis", "Two chamber", "Four chamber", "Five chamber",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("views", "plane"),
    [
        ([code("62824007")], Plane.TRANSVERSE),
        ([code("G-A145", "SRT")], Plane.SAGITTAL),
        ([code("G-A138", "SNM3")], Plane.CORONAL),
        ([code("103343002")], Plane.SAGITTAL),
        ([code("10200004", meaning="Liver", modifiers=[code("30730003")])], Plane.SAGITTAL),
        ([code("62824007", modifiers=[code("21114003")])], Plane.OBLIQUE),
        ([code("62824007", "LN")], None),
        ([code("399339008", meaning="Apical long axis")], None),
    ],
)
def test_view_codes(views: list[Dataset], plane: Plane | None) -> None:
    expected = [] if plane is None else [("view code", plane)]
    assert said(header(ViewCodeSequence=views)) == (expected, [])


def test_codes_that_name_two_planes_are_not_believed() -> None:
    stated, notes = said(header(ViewCodeSequence=[code("62824007", modifiers=[code("30730003")])]))
    assert stated == []
    assert notes == ["ViewCodeSequence names several planes (sagittal and transverse); it is not believed"]


def test_the_meaning_of_another_code_is_read_by_the_words() -> None:
    longitudinal = code("38717003", meaning="Longitudinal")
    assert said(header(ViewCodeSequence=[longitudinal]))[0] == [("view code's meaning", Plane.SAGITTAL)]
    assert said(header(ViewCodeSequence=[longitudinal]), Planes(sagittal_words=("sag",)))[0] == []


def test_older_files_state_the_transducers_orientation() -> None:
    modified = code("G-A117", "SNM3")
    modified.TransducerOrientationModifierSequence = [code("G-A472", "SNM3")]
    assert said(header(TransducerOrientationSequence=[code("G-A145", "SRT")]))[0] == [
        ("transducer orientation", Plane.SAGITTAL)
    ]
    assert said(header(TransducerOrientationSequence=[modified]))[0] == [("transducer orientation", Plane.OBLIQUE)]


@pytest.mark.parametrize(
    ("directions", "plane"),
    [
        ("L\\P", Plane.TRANSVERSE), ("R\\A", Plane.TRANSVERSE), ("P\\F", Plane.SAGITTAL), ("H\\A", Plane.SAGITTAL),
        ("L\\F", Plane.CORONAL), ("L\\PF", Plane.OBLIQUE), ("", None),
    ],
)  # fmt: skip
def test_patient_orientation(directions: str, plane: Plane | None) -> None:
    expected = [] if plane is None else [("patient orientation", plane)]
    assert said(header(PatientOrientation=directions.split("\\"))) == (expected, [])


@pytest.mark.parametrize("directions", ["L\\R", "L", "X\\P", "LR\\P", "L\\P\\F", "L\\"])
def test_a_malformed_patient_orientation_is_noted(directions: str) -> None:
    stated, notes = said(header(PatientOrientation=directions.split("\\")))
    assert stated == []
    assert len(notes) == 1


NORMALS = {Plane.SAGITTAL: "x", Plane.CORONAL: "y", Plane.TRANSVERSE: "z"}


@given(plane=st.sampled_from(list(NORMALS)), turn=st.floats(1, 359), tilt=st.floats(0, 44), tilt_to=st.floats(0, 360))
def test_image_orientation(plane: Plane, turn: float, tilt: float, tilt_to: float) -> None:
    """An image turned at will in a plane of the body, then tilted: that plane up to 15 degrees, then oblique."""
    if abs(tilt - 15) < 0.1:
        return
    first, second = [axis for axis in "xyz" if axis != NORMALS[plane]]
    unit = {"x": [1, 0, 0], "y": [0, 1, 0], "z": [0, 0, 1]}
    in_plane = Rotation.from_rotvec(np.radians(turn) * np.array(unit[NORMALS[plane]]))
    across = np.cos(np.radians(tilt_to)) * np.array(unit[first]) + np.sin(np.radians(tilt_to)) * np.array(unit[second])
    turned = Rotation.from_rotvec(np.radians(tilt) * across) * in_plane
    values = [*turned.apply(unit[first]), *turned.apply(unit[second])]
    dataset = header(ImageOrientationPatient=[f"{v:.6f}" for v in values], FrameOfReferenceUID=generate_uid())
    assert said(dataset) == ([("image orientation", plane if tilt < 15 else Plane.OBLIQUE)], [])


def test_an_image_orientation_that_means_nothing_says_nothing() -> None:
    frame = generate_uid()
    assert said(header(ImageOrientationPatient=[1, 0, 0, 0, 1, 0], FrameOfReferenceUID=frame)) == ([], [])
    assert said(header(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])) == ([], [])  # in no frame of reference
    for bad in ([0, 1, 0, 0, 0, -2], [0, 1, 0, 0, 0.5, 0.8], [0, 1, 0], [0, 0, 0, 0, 0, 0]):
        stated, notes = said(header(ImageOrientationPatient=bad, FrameOfReferenceUID=frame))
        assert stated == []
        assert len(notes) == 1


@pytest.mark.parametrize(
    ("words", "plane"),
    [
        ("LIVER TRANS", Plane.TRANSVERSE), ("liver_sag_2", Plane.SAGITTAL), ("SAG1", Plane.SAGITTAL),
        ("Leber Längsschnitt", Plane.SAGITTAL), ("subcostal oblique transverse", Plane.OBLIQUE),
        ("liver sag and trans", None), ("transplant liver", None), ("sagging", None), ("long axis", None),
        ("(?:a+)+$ .*", None), ("", None),
    ],
)  # fmt: skip
def test_words(words: str, plane: Plane | None) -> None:
    for keyword in TEXTS:
        expected = [] if plane is None else [(keyword, plane)]
        assert said(header(**{keyword: words})) == (expected, [])


def test_the_words_are_settings_and_never_expressions() -> None:
    site = Planes(sagittal_words=("liver long",), transverse_words=("plan ax",))
    assert said(header(SeriesDescription="US LIVER  LONG 2"), site)[0] == [("SeriesDescription", Plane.SAGITTAL)]
    assert said(header(SeriesDescription="plan ax, liver"), site)[0] == [("SeriesDescription", Plane.TRANSVERSE)]
    assert said(header(SeriesDescription="LONG"), site)[0] == []
    for bad in ("sag.*", "a|b", " sag", "sag  x", "", "x" * 65):
        with pytest.raises(ValueError, match=r"word|characters"):
            Planes(sagittal_words=(bad,))
    with pytest.raises(ValueError, match="twice"):
        Planes(sagittal_words=("Axial",))


def test_the_anatomic_region_names_no_plane() -> None:
    assert said(header(AnatomicRegionSequence=[code("485005", meaning="Transverse colon")]))[0] == []


def test_order_of_precedence() -> None:
    dataset = header(
        ViewCodeSequence=[code("62824007", modifiers=[code("1", meaning="trans")])],
        TransducerOrientationSequence=[code("62824007")],
        ImageOrientationPatient=[0, 1, 0, 1, 0, 0],
        FrameOfReferenceUID=generate_uid(),
        PatientOrientation=["L", "P"],
        **dict.fromkeys(TEXTS, "trv"),
    )
    assert [source for source, _ in said(dataset)[0]] == [
        "view code", "transducer orientation", "image orientation", "patient orientation", "view code's meaning",
        *TEXTS,
    ]  # fmt: skip


def image(*stated: Plane) -> object:
    names = ("view code", "ViewName", "SeriesDescription")
    return make.instance(stated_planes=tuple(StatedPlane(n, p) for n, p in zip(names, stated, strict=False)))


T, S, B, U = Plane.TRANSVERSE, Plane.SAGITTAL, Plane.OBLIQUE, Plane.UNKNOWN


@pytest.mark.parametrize(
    ("drawn", "listed", "stated", "plane", "source", "warned"),
    [
        (U, None, (), U, "", False),
        (U, None, (T,), T, "view code", False),
        (U, None, (T, T), T, "view code", False),
        (U, None, (T, S), U, "", True),
        (U, None, (T, B), U, "", True),
        (U, S, (S,), S, "manifest", False),
        (U, S, (T,), S, "manifest", True),
        (U, U, (T,), U, "manifest", False),
        (S, None, (), S, "caliper file", False),
        (S, None, (T, S), S, "caliper file", True),
        (S, S, (S,), S, "caliper file", False),
        (S, U, (S,), S, "caliper file", False),
        (B, None, (T,), B, "caliper file", True),
    ],
)
def test_who_is_believed(
    drawn: Plane, listed: Plane | None, stated: tuple[Plane, ...], plane: Plane, source: str, warned: bool
) -> None:
    known = plane_of(image(*stated), ImageLabel(plane=listed), drawn)  # type: ignore[arg-type]
    assert (known.plane, known.source, bool(known.warnings)) == (plane, source, warned)


def test_two_persons_who_disagree_are_refused() -> None:
    with pytest.raises(MeasurementError, match=r"called sagittal, .* calls the image transverse") as error:
        plane_of(make.instance(), ImageLabel(plane=T), S)
    assert error.value.code == "planes_contradict"


def test_the_first_source_counts_where_the_settings_say_so() -> None:
    known = plane_of(image(T, S), settings=Planes(header_disagreement="first"))  # type: ignore[arg-type]
    assert known.plane is T
    assert known.warnings == ("transverse by the view code, but sagittal by the ViewName",)
