"""Presentation states: which points their lines have on the image, and what is no caliper."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import Dataset

from lesion_measure.dicom.objects.presentation import read_presentation_state
from lesion_measure.dicom.objects.presentation.texts import length_in, lesion_in
from lesion_measure.records import Axis, Drawings, ObjectKind
from presentation_states import IMAGE, annotation, area, compound, graphic, item, reference, said, state


def read(*annotations: Dataset, **attributes: object) -> Drawings:
    return read_presentation_state(state(*annotations, **attributes), "pr.dcm")  # type: ignore[arg-type]


def only_points(found: Drawings) -> list[tuple[float, float]]:
    (drawing,) = found.drawn
    return [(round(row, 4), round(col, 4)) for row, col in drawing.points]


def test_pixel_units_count_from_the_corner_of_the_upper_left_pixel() -> None:
    """PS3.3 C.10.5: 0.0\\0.0 is its upper left corner and 1.0\\1.0 its lower right one: its middle is 0.5\\0.5."""
    found = read(annotation(graphic("POLYLINE", 0.5, 0.5, 100.5, 50.5)))
    assert only_points(found) == [(0, 0), (50, 100)]
    (drawing,) = found.drawn
    assert (drawing.image_uid, drawing.frame, drawing.axis, drawing.reader) == (IMAGE, None, None, "Reader One")
    assert (drawing.origin.kind, drawing.origin.path) == (ObjectKind.PR, "pr.dcm")
    assert not found.refusals
    assert not found.listed


@pytest.mark.parametrize(
    ("turn", "flip", "expected"),
    [
        (0, "N", (5, 20)),
        (0, "Y", (5, 80)),
        (90, "N", (40, 10)),
        (90, "Y", (10, 10)),
        (180, "N", (45, 80)),
        (180, "Y", (45, 20)),
        (270, "N", (10, 90)),
        (270, "Y", (40, 90)),
    ],
)
def test_display_units_follow_the_area_as_it_is_turned_and_mirrored(
    turn: int, flip: str, expected: tuple[float, float]
) -> None:
    """An image of 100 x 50; the point lies a fifth from the left of what is shown, and a tenth from its top."""
    line = graphic("POLYLINE", 0.2, 0.1, 0.5, 0.5, units="DISPLAY")
    first = (100, 50)
    found = read(
        annotation(line),
        DisplayedAreaSelectionSequence=[area(1, 1, *first)],
        ImageRotation=turn,
        ImageHorizontalFlip=flip,
    )
    row, col = expected
    assert only_points(found) == [(row - 0.5, col - 0.5), (24.5, 49.5)]


def test_display_units_are_of_the_area_of_their_image() -> None:
    areas = [
        area(11, 21, 20, 30, ReferencedImageSequence=[reference()]),
        area(1, 1, 50, 50, ReferencedImageSequence=[reference("1.2.9")]),
    ]
    line = graphic("POLYLINE", 0, 0, 1, 1, units="DISPLAY")
    assert only_points(read(annotation(line), DisplayedAreaSelectionSequence=areas)) == [(19.5, 9.5), (29.5, 19.5)]
    (refusal,) = read(annotation(line), DisplayedAreaSelectionSequence=[area(1, 1, 9, 9), *areas]).refusals
    assert refusal.code == "displayed_area"
    (refusal,) = read(annotation(line), DisplayedAreaSelectionSequence=areas[1:]).refusals
    assert "no displayed area" in refusal.reason


@pytest.mark.parametrize("kind", range(1, 6))
def test_flat_states_are_read(kind: int) -> None:
    line = annotation(graphic("POLYLINE", 10, 10, 20, 20))
    assert read(line, SOPClassUID=f"1.2.840.10008.5.1.4.1.1.11.{kind}").drawn


def test_states_of_volumes_are_refused() -> None:
    line = annotation(graphic("POLYLINE", 10, 10, 20, 20))
    (refusal,) = read(line, SOPClassUID="1.2.840.10008.5.1.4.1.1.11.6").refusals
    assert refusal.code == "presentation_state_kind"


def test_an_ellipse_gives_its_two_axes_and_a_circle_one_diameter() -> None:
    found = read(annotation(graphic("ELLIPSE", 10, 20, 50, 20, 30, 10, 30, 30)))
    assert [drawing.points for drawing in found.drawn] == [((19.5, 9.5), (19.5, 49.5)), ((9.5, 29.5), (29.5, 29.5))]
    assert len({drawing.group for drawing in found.drawn}) == 1
    assert [drawing.axis for drawing in found.drawn] == [Axis.LONG, Axis.SHORT]
    assert all("ellipse" in drawing.warnings[0] for drawing in found.drawn)
    (circle,) = read(annotation(graphic("CIRCLE", 30, 20, 30, 5))).drawn
    assert (circle.points, circle.axis) == (((34.5, 29.5), (4.5, 29.5)), Axis.LONG)
    assert "circled" in circle.warnings[0]


def test_a_closed_line_is_a_contour_and_a_curve_passes_through_its_points() -> None:
    angles = np.linspace(0, 2 * np.pi, 13)[:-1]
    ring = np.stack([50 + 20 * np.cos(angles), 30 + 20 * np.sin(angles)], axis=1)
    closed = np.vstack([ring, ring[:1]]).ravel().tolist()
    (contour,) = read(annotation(graphic("POLYLINE", *closed))).drawn
    assert contour.axis is Axis.OUTLINE
    np.testing.assert_allclose(contour.points, ring[:, ::-1] - 0.5, atol=1e-5)
    (curve,) = read(annotation(graphic("INTERPOLATED", *closed))).drawn
    radii = np.hypot(*(np.array(curve.points) - [29.5, 49.5]).T)
    np.testing.assert_allclose(radii, 20, atol=0.05)  # straight lines between the points would cut off 0.7


@pytest.mark.parametrize(
    "drawn",
    [
        graphic("POINT", 10, 10),
        graphic("POLYLINE", 10, 10, 20, 10, 20, 20),
        graphic("POLYLINE", 10, 10, 20, 10, 20, 20, 10, 20, 10, 10),
        graphic("INTERPOLATED", 10, 10, 20, 10, 20, 20, 30, 20),
        compound("CUTLINE", 10, 10, 20, 10),
        compound("INFINITELINE", 10, 10, 20, 10),
        compound("ARROW", 10, 10, 20, 10),
        compound("AXIS", 10, 10, 20, 10),
        compound("RECTANGLE", 10, 10, 20, 10),
    ],
)
def test_what_measures_nothing_is_listed(drawn: Dataset) -> None:
    found = read(annotation(drawn))
    assert not found.drawn
    assert not found.refusals
    assert [refusal.code for refusal in found.listed] == ["drawing_not_measured"]


def test_two_points_are_no_line_unless_somebody_says_so() -> None:
    (refusal,) = read(annotation(graphic("MULTIPOINT", 10, 10, 30, 10))).refusals
    assert refusal.code == "points_unclear"


def test_compound_lines_and_ellipses_are_read_once() -> None:
    """Their simple parts are but another rendering (C.10.5.1.3.1)."""
    again = graphic("POLYLINE", 10.5, 20.5, 60.5, 20.5, CompoundGraphicInstanceID=1)
    tick = graphic("POLYLINE", 10.5, 15.5, 10.5, 25.5, CompoundGraphicInstanceID=1)
    for kind in ("RULER", "MULTILINE"):
        assert only_points(read(annotation(again, tick, compound(kind, 10.5, 20.5, 60.5, 20.5)))) == [
            (20, 10),
            (20, 60),
        ]
    ellipse = compound("ELLIPSE", 10.5, 10.5, 50.5, 30.5)
    assert [d.points for d in read(annotation(ellipse)).drawn] == [((20, 10), (20, 50)), ((10, 30), (30, 30))]
    turned = compound("ELLIPSE", 10.5, 10.5, 50.5, 30.5, RotationAngle=90.0, RotationPoint=[30.5, 20.5])
    long, short = read(annotation(turned)).drawn
    np.testing.assert_allclose(long.points, [(40, 30), (0, 30)], atol=1e-9)
    np.testing.assert_allclose(short.points, [(20, 20), (20, 40)], atol=1e-9)


def test_a_rotation_is_counterclockwise_on_the_screen() -> None:
    line = compound("RULER", 10.5, 10.5, 30.5, 10.5, RotationAngle=30.0, RotationPoint=[10.5, 10.5])
    _, end = only_points(read(annotation(line)))
    assert end == (round(10 - 20 * 0.5, 4), round(10 + 20 * 3**0.5 / 2, 4))


@pytest.mark.parametrize(
    ("images", "own"),
    [
        ([reference(), reference("1.2.9")], []),
        ([reference(frames=[2, 3])], []),
        ([reference()], [reference(frames=[2, 3])]),
        ([], [item(ReferencedSOPClassUID="1.2.3")]),
        ([reference(frames=[0])], []),
    ],
)
def test_a_line_on_several_images_is_refused(images: list[Dataset], own: list[Dataset]) -> None:
    mark = annotation(graphic("POLYLINE", 10, 10, 20, 20), **({"ReferencedImageSequence": own} if own else {}))
    (refusal,) = read(mark, images=images).refusals
    assert refusal.code == "drawing_image_unclear"


def test_an_annotation_names_its_own_image_and_frame() -> None:
    mark = annotation(graphic("POLYLINE", 10, 10, 20, 20), ReferencedImageSequence=[reference("1.2.9", [7])])
    (drawing,) = read(mark, images=[reference(), reference("1.2.9")]).drawn
    assert (drawing.image_uid, drawing.frame) == ("1.2.9", 7)


def test_an_image_alone_means_its_frames_in_the_state() -> None:
    """An annotation is on a subset of what the state refers to (C.10.5, Referenced Image Sequence)."""
    mark = annotation(graphic("POLYLINE", 10, 10, 20, 20), ReferencedImageSequence=[reference()])
    (drawing,) = read(mark, images=[reference(frames=[7]), reference("1.2.9")]).drawn
    assert drawing.frame == 7
    (refusal,) = read(mark, images=[reference(frames=[7, 8])]).refusals
    assert refusal.code == "drawing_image_unclear"


def test_lines_that_cross_are_of_one_lesion() -> None:
    """As viewers draw the two axes: in one annotation, or in two."""
    long, short = graphic("POLYLINE", 10, 30, 60, 30), graphic("POLYLINE", 35, 15, 35, 45)
    alone = graphic("POLYLINE", 70, 10, 90, 10)
    together = read(annotation(long, short, alone))
    apart = read(annotation(long), annotation(short), annotation(alone))
    for found in (together, apart):
        assert [drawing.group == found.drawn[0].group for drawing in found.drawn] == [True, True, False]


def test_texts_name_lesion_axis_and_length() -> None:
    long, short = graphic("POLYLINE", 10, 30, 60, 30), graphic("POLYLINE", 35, 15, 35, 45)
    texts = [said("L1 long\r\nD 23.1 mm", 62, 30), said("short 1.5 cm", 35, 47)]
    found = read(annotation(long, short, texts=texts))
    assert [drawing.lesion for drawing in found.drawn] == ["L1", "L1"]
    assert [drawing.axis for drawing in found.drawn] == [Axis.LONG, Axis.SHORT]
    assert [(d.origin.stated, d.origin.stated_mm) for d in found.drawn] == [("23.1 mm", 23.1), ("1.5 cm", 15.0)]


def test_a_distance_line_as_the_standard_combines_it() -> None:
    """PS3.17 YY.2: text and line are of one graphic group."""
    line, other = graphic("POLYLINE", 10, 10, 150, 10, GraphicGroupID=1), graphic("POLYLINE", 10, 40, 90, 40)
    found = read(
        annotation(line, other, texts=[said("52.20 mm", 70, 39, GraphicGroupID=1)]),
        GraphicGroupSequence=[item(GraphicGroupID=1, GraphicGroupLabel="DistanceLine")],
    )
    assert [drawing.origin.stated_mm for drawing in found.drawn] == [52.2, None]


def test_a_text_of_an_item_of_its_own_is_of_the_only_line_on_its_layer() -> None:
    line, other = graphic("POLYLINE", 10, 10, 60, 10), graphic("POLYLINE", 10, 40, 60, 40)
    text = annotation(texts=[said("L1 23.1 mm", 62, 10)], layer="A")
    found = read(annotation(line, layer="A"), text, annotation(other, layer="B"))
    assert [(drawing.lesion, drawing.origin.stated_mm) for drawing in found.drawn] == [("L1", 23.1), ("", None)]
    found = read(annotation(line, layer="A"), text, annotation(other, layer="A"))
    assert [drawing.lesion for drawing in found.drawn] == ["", ""]


def test_lines_as_agfa_draws_them() -> None:
    """Its conformance statement (HE/001132): a line has a small one at its middle, an arrow is two polylines."""
    line, middle = graphic("POLYLINE", 10, 10, 110, 10), graphic("POLYLINE", 60, 6, 60, 14)
    shaft, head = graphic("POLYLINE", 20, 50, 60, 50), graphic("POLYLINE", 55, 45, 60, 50, 55, 55)
    angle = [graphic("POLYLINE", 10, 80, 60, 80), graphic("POLYLINE", 10, 80, 60, 110)]
    found = read(
        annotation(line, middle, layer="1"),
        annotation(shaft, head, layer="2"),
        annotation(*angle, texts=[said("31.0 °", 30, 85)], layer="3"),
        GraphicLayerSequence=[item(GraphicLayer=f"{n}", GraphicLayerDescription=d) for n, d in ((1, "Line"), (2, ""))],
    )
    assert only_points(found) == [(9.5, 9.5), (9.5, 109.5)]
    assert len(found.listed) == 4
    assert not found.refusals


def test_a_lesion_is_named_by_layer_where_no_text_does() -> None:
    line = graphic("POLYLINE", 10, 10, 60, 10)
    assert read(annotation(line, layer="LESION 2")).drawn[0].lesion == "LESION 2"
    described = [item(GraphicLayer="3", GraphicLayerDescription="Liver")]
    assert read(annotation(line, layer="3"), GraphicLayerSequence=described).drawn[0].lesion == "liver"
    assert read(annotation(line, layer="LESION 2", texts=[said("L1")])).drawn[0].lesion == "L1"


def test_crossing_lines_of_two_names_are_refused() -> None:
    """L1 and L2 are two lesions, or the first and second length of one."""
    long, short = graphic("POLYLINE", 10, 30, 60, 30), graphic("POLYLINE", 35, 15, 35, 45)
    found = read(annotation(long, short, texts=[said("L1 23 mm", 62, 30), said("L2 15 mm", 35, 47)]))
    assert not found.drawn
    assert {refusal.code for refusal in found.refusals} == {"names_differ"}


@pytest.mark.parametrize(
    ("line", "stated"),
    [
        ("D 23.1 mm", ("23.1 mm", 23.1)),
        ("23.1mm", ("23.1 mm", 23.1)),
        ("1: 2.31 cm", ("2.31 cm", 23.1)),
        ("+ Dist = 23,1 mm", ("23,1 mm", 23.1)),
        ("L1 long axis 23.1 mm", ("23.1 mm", 23.1)),
        ("Depth 12 cm", None),
        ("Area 3.2 cm", None),
        ("3.2 cm2", None),
        ("Doe Jane 1988-01-02 23 mm", None),
        ("23.1", None),
        ("0 mm", None),
        ("23.1 mm x 12 mm", None),
    ],
)
def test_a_length_is_stated_strictly(line: str, stated: tuple[str, float] | None) -> None:
    found = length_in(line)
    assert found == (stated if stated is None else (stated[0], pytest.approx(stated[1])))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("L1", "L1"),
        ("L1 long 23 mm", "L1"),
        ("Lesion 2 23 mm", "Lesion 2"),
        ("LIVER", "liver"),
        ("Doe^Jane", ""),
        ("D1 2 mm", ""),
        ("L", ""),
        ("L 23 mm", ""),
        ("T 1", ""),
        ("Lesion 23mm", ""),
    ],
)
def test_a_lesion_is_named_strictly(line: str, name: str) -> None:
    assert lesion_in(line) == name


@pytest.mark.parametrize(
    "broken",
    [
        graphic("POLYLINE", 10, 10, 20, 20, NumberOfGraphicPoints=3),
        graphic("POLYLINE", 10, 10, 20),
        graphic("POLYLINE", 10, 10, float("nan"), 20),
        graphic("POLYLINE", 10, 10, 10, 10),
        graphic("POLYLINE", 10, 10, 20, 20, GraphicDimensions=3),
        graphic("POLYLINE", 10, 10, 20, 20, units="MATRIX"),
        graphic("POLYLINE", 10, 10, 20, 20, units=""),
        graphic("SPLINE", 10, 10, 20, 20),
        graphic("ELLIPSE", 10, 10, 20, 20),
        compound("RULER", 10, 10, 20, 20, RotationAngle=30.0),
    ],
)
def test_what_is_damaged_is_refused(broken: Dataset) -> None:
    found = read(annotation(broken))
    assert not found.drawn
    assert [refusal.code.partition("_")[0] for refusal in found.refusals] == ["drawing"]
    assert "Doe" not in found.refusals[0].reason


def test_no_text_of_the_object_is_kept() -> None:
    line = graphic("POLYLINE", 10, 10, 60, 10)
    found = read(annotation(line, texts=[said("Doe, Jane 01.02.2023")], layer="DOE"))
    assert "oe" not in repr(found.drawn).replace("group", "").lower().replace("reader one", "")
