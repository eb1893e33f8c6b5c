"""A whole presentation state: which image each annotation is on, and what its graphics and texts say together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from pydicom import Dataset

from lesion_measure.dicom.elements import items, text, uid
from lesion_measure.dicom.objects.names import person
from lesion_measure.dicom.objects.presentation.display import Display, Place, places_of, unusable
from lesion_measure.dicom.objects.presentation.graphics import NOT_MEASURED, Figure, compound_figure, simple_figure
from lesion_measure.dicom.objects.presentation.lesions import Drawn, Found, drawings_of, names_differ
from lesion_measure.dicom.objects.presentation.texts import Caption, caption_of, draws_no_line, lesion_in
from lesion_measure.dicom.objects.presentation.together import arrows, captions_of, ornaments
from lesion_measure.errors import InputError
from lesion_measure.records import Drawings

_CLASS = "1.2.840.10008.5.1.4.1.1.11."
_FLAT = frozenset(f"{_CLASS}{kind}" for kind in (1, 2, 3, 4, 5, 8, 12))
"""Grayscale, color, pseudo-color, blending, XA/XRF, advanced blending, variable modality LUT; others draw on views that
were made of volumes."""
UNNAMED_READER = "PR"
_MOST_ANNOTATIONS, _MOST_GRAPHICS = 2000, 400


def read_presentation_state(dataset: Dataset, path: str) -> Drawings:
    """The lines and contours that a presentation state draws.

    Parameters
    ----------
    dataset
        The object, of any class of presentation states.
    path
        Its file, relative to the input.

    A line without a name of its lesion, and without a number, is one all the same. Shutters and overlays (60xx) draw
    nothing that is measured. Ticks of a line are left out.
    """
    # pydicom's remarks on values can quote them, and would go to the user's screen.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = Found([], [], [], path, uid(dataset, "SOPInstanceUID"))
        try:
            annotations = _annotations(dataset)
        except InputError as error:
            found.refuse(error, "The presentation state", None)
            return Drawings(refusals=tuple(found.refusals))
        display, layers, shown = Display(dataset), _layers(dataset), _shown(dataset)
        texts = _texts(annotations)
        for number, annotation in enumerate(annotations, start=1):
            _read_annotation(annotation, f"Annotation {number}", texts[number - 1], display, layers, shown, found)
        if not annotations:
            found.refuse(InputError("It draws nothing.", code=NOT_MEASURED), "The presentation state", None)
        drawings = drawings_of(found, person(text(dataset, "ContentCreatorName")) or UNNAMED_READER)
    return Drawings(drawings, tuple(found.refusals), tuple(found.listed))


def _annotations(dataset: Dataset) -> list[Dataset]:
    if text(dataset, "SOPClassUID") not in _FLAT:
        reason = "It draws on views that are made of a volume, which are no image."
        raise unusable("presentation_state_kind", reason, "Draw on the image itself.")
    annotations = items(dataset, "GraphicAnnotationSequence")
    if annotations is None:
        raise unusable("drawing_damaged", "Its annotations cannot be read.", "Transfer the file again.")
    graphics = sum(
        len(items(one, f"{kind}Sequence") or []) for one in annotations[:_MOST_ANNOTATIONS] for kind in _KINDS
    )
    if len(annotations) > _MOST_ANNOTATIONS or graphics > _MOST_GRAPHICS:
        raise unusable("drawing_damaged", f"It holds more than {_MOST_GRAPHICS} graphics.", "Split it.")
    return annotations


_KINDS = ("GraphicObject", "CompoundGraphic", "TextObject")


def _layers(dataset: Dataset) -> dict[str, str]:
    """What each layer, and each graphic group, is called beside its own name."""
    layers = items(dataset, "GraphicLayerSequence") or []
    groups = items(dataset, "GraphicGroupSequence") or []
    return {
        **{text(layer, "GraphicLayer"): text(layer, "GraphicLayerDescription") for layer in layers},
        **{f"group {text(group, 'GraphicGroupID')}": text(group, "GraphicGroupLabel") for group in groups},
    }


def _shown(dataset: Dataset) -> list[Place]:
    """Every image that the state refers to (PS3.3 C.11.11, C.11.14): annotations that name none are on all of them."""
    blended = items(dataset, "BlendingSequence") or []
    return list(
        dict.fromkeys(
            place
            for holder in (dataset, *blended)
            for series in items(holder, "ReferencedSeriesSequence") or []
            for place in places_of(series)
        )
    )


def _texts(annotations: Sequence[Dataset]) -> list[list[Dataset]]:
    """The texts of each annotation; those of one without graphics go to the one that has some on the same layer.

    Viewers write an item for each thing they draw, or one for all. Where several annotations have graphics there, whose
    a text is stays open.
    """
    texts = [list(items(one, "TextObjectSequence") or []) for one in annotations]
    drawn: dict[tuple[str, tuple[Place, ...]], list[int]] = {}
    keys = [(text(one, "GraphicLayer"), tuple(places_of(one))) for one in annotations]
    for index, one in enumerate(annotations):
        if _graphics(one):
            drawn.setdefault(keys[index], []).append(index)
    for index, own in enumerate(list(texts)):
        owners = drawn.get(keys[index], [])
        if own and len(owners) == 1 and owners[0] != index:
            texts[owners[0]] = [*texts[owners[0]], *own]
    return texts


def _read_annotation(
    annotation: Dataset,
    where: str,
    texts: Sequence[Dataset],
    display: Display,
    layers: dict[str, str],
    shown: Sequence[Place],
    found: Found,
) -> None:
    graphics = _graphics(annotation)
    if not graphics:
        return
    try:
        place = _place(_own(annotation, shown))
    except InputError as error:
        found.refuse(error, where, None)
        return
    figures, names = [], []
    for name, item, compound in graphics:
        try:
            figures.append((compound_figure if compound else simple_figure)(item, display, place))
            names.append(f"{where}, {name}")
        except InputError as error:
            found.refuse(error, f"{where}, {name}", place)
    captions = [caption_of(item, display, place) for item in texts]
    layer = text(annotation, "GraphicLayer")
    _keep(figures, names, captions, (layer, layers.get(layer, "")), layers, place, found)


def _keep(
    figures: Sequence[Figure],
    names: Sequence[str],
    captions: Sequence[Caption],
    layer: tuple[str, str],
    labels: dict[str, str],
    place: Place,
    found: Found,
) -> None:
    """Tell calipers from what is drawn besides, and keep them with what their captions say."""
    ticks, shafts = ornaments(figures), arrows(figures)
    kept = [index for index in range(len(figures)) if index not in ticks]
    of_each = captions_of([figures[index] for index in kept], captions)
    for index, said in zip(kept, of_each, strict=True):
        figure = figures[index]
        label = labels.get(f"group {figure.group}", "") if figure.group is not None else ""
        stated = {(caption.stated, caption.stated_mm) for caption in said if caption.stated}
        tool = any(draws_no_line(name) for name in (*layer, label))
        reason = ""
        if not figure.parts:
            reason = "It is a line of several parts that is not closed, which measures no lesion."
        elif not stated and (tool or index in shafts or any(caption.degrees for caption in captions)):
            reason = "It is an arrow, an angle or a mark, which measures no lesion."
        if reason:
            found.refuse(InputError(reason, code=NOT_MEASURED), names[index], place)
            continue
        named = list(dict.fromkeys(caption.lesion for caption in said if caption.lesion))
        named = named or [name for name in map(lesion_in, (figure.tracking_identifier, label, *layer)) if name][:1]
        if len(named) > 1:
            found.refuse(names_differ(named), names[index], place)
            continue
        axes = {caption.axis for caption in said if caption.axis}
        axis = axes.pop() if len(axes) == 1 else None
        length = stated.pop() if len(stated) == 1 and figure.line is not None else ("", None)
        found.drawn.append(Drawn(figure, place, names[index], named[0] if named else "", axis, *length))


def _graphics(annotation: Dataset) -> list[tuple[str, Dataset, bool]]:
    """The graphics of an annotation. Of a compound graphic its simple parts are but another way to draw it (.3.1)."""
    compounds = items(annotation, "CompoundGraphicSequence") or []
    instances = {text(item, "CompoundGraphicInstanceID") for item in compounds} - {""}
    simple = [
        (f"graphic {number}", item, False)
        for number, item in enumerate(items(annotation, "GraphicObjectSequence") or [], start=1)
        if text(item, "CompoundGraphicInstanceID") not in instances
    ]
    return simple + [(f"compound graphic {number}", item, True) for number, item in enumerate(compounds, start=1)]


def _own(annotation: Dataset, shown: Sequence[Place]) -> list[Place]:
    """Where an annotation is: a subset of what the state shows, so that an image alone means its frames there."""
    own = places_of(annotation)
    if not own:
        return list(shown)
    places: dict[Place, None] = {}
    for place in own:
        frames = [one for one in shown if one.image_uid == place.image_uid and one.frame is not None]
        places.update(dict.fromkeys(frames if place.frame is None and frames else [place]))
    return list(places)


def _place(places: Sequence[Place]) -> Place:
    """The one frame of one image that an annotation is on."""
    named = [place for place in places if place.image_uid]
    if len(named) == 1 and len(places) == 1 and (named[0].frame is None or named[0].frame > 0):
        return named[0]
    if not named:
        raise unusable("drawing_image_unclear", "It does not say which image it is on.", "Draw it on one image.")
    images = len({place.image_uid for place in places})
    what = f"{images} images" if images > 1 else f"{len(places)} frames of one image"
    if len(places) == 1:
        what = "a frame that is none"
    raise unusable(
        "drawing_image_unclear", f"It is on {what}: which of them it measures is not said.", "Draw it on one frame."
    )
