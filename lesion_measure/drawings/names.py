"""Which lesion a figure is of: what objects say of it. What they do not say is told later, by pairing (`lesions`).

Drawings of one tracking UID are of one lesion (PS3.16 TID 1501), on every image of a child. Then a name is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from lesion_measure.drawings.figures import Figure
from lesion_measure.drawings.placing import refused
from lesion_measure.records import unnamed
from lesion_measure.tables.matching import Unmatched


def name_figures(figures: Sequence[Figure], subject_of: Mapping[str, str]) -> tuple[list[Figure], list[Unmatched]]:
    """Figures with names; those without one get a stand-in (`records.unnamed`), the same for what is said to be one.

    Parameters
    ----------
    figures
        What was drawn.
    subject_of
        The child by the image's SOP Instance UID; images of no child are not there.

    Returns
    -------
    tuple of two lists
        The figures; and those whose tracking UID has several names, which are doubted.
    """
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for figure in figures:
        if figure.lesion and figure.tracking_uid:
            names[_tracked(figure, subject_of)].add(figure.lesion)
    named: list[Figure] = []
    doubted: list[Unmatched] = []
    for figure in figures:
        said = names.get(_tracked(figure, subject_of), set()) if figure.tracking_uid else set()
        if figure.lesion:
            named.append(figure.called(figure.lesion))
            if len(said) > 1:
                doubted.append(_several_names(figure, said))
        elif len(said) == 1:
            named.append(figure.called(next(iter(said))))
        else:
            named.append(figure.called(unnamed(_identity(figure, subject_of))))
    return named, doubted


def _tracked(figure: Figure, subject_of: Mapping[str, str]) -> tuple[str, str]:
    """A tracking UID within one child: another child's lesion is another lesion, whatever a viewer copies."""
    return subject_of.get(figure.image.sop_instance_uid, ""), figure.tracking_uid


def _identity(figure: Figure, subject_of: Mapping[str, str]) -> str:
    """What is the same for all drawings that an object, or a tracking UID, says to be of one lesion."""
    if figure.tracking_uid:
        return "\n".join(_tracked(figure, subject_of))
    drawing = figure.lines[0].drawing
    alone = f"{drawing.image_uid}\n{figure.frame}\n{drawing.points}"
    return "\n".join((figure.held_in.sop_instance_uid, drawing.group or alone))


def _several_names(figure: Figure, said: set[str]) -> Unmatched:
    line = figure.lines[0]
    return refused(
        line.drawing,
        line.held_in,
        "tracking_two_names",
        f"its tracking UID is that of one lesion, which is called {' and '.join(sorted(said))}",
        remedy="Call the lesion by one name, or give its calipers in a caliper file.",
        images=(figure.image,),
    )
