"""Whether an empty result of the network says that a lesion of baseline is gone (docs/pairing.md).

By default it never does. Where the protocol lets it (`config.Disappearance`), every one of these has to hold:

- this very network is known, by evidence that the protocol states, to leave next to no visit with a lesion empty;
- it saw every frame of every image of the visit and drew nothing on any of them, accepted or not;
- no reader has read the visit, whose word would count instead, and no manifest says that an image shows the lesion;
- every plane that showed the lesion at baseline was taken again, at least two of them, each with enough frames whose
  header names the liver and whose field of view takes in the lesion's former depth and length.

Where a lesion moved to, nobody knows; its depth below the probe and its length are what can be held against a field of
view. Even so the answer waits for a reader: it asks for review, and no verdict that rests on it is certain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lesion_measure.config import TINY, Disappearance, telling_digits
from lesion_measure.errors import ConfigError
from lesion_measure.records import (
    BASELINE,
    ONE_MONTH,
    SORTED_PLANES,
    LesionMeasurement,
    Look,
    PlaneMeasurement,
    Quantity,
    Refusal,
    Source,
)

SWITCHED_OFF = (
    "the network drew nothing there, which does not count: disappearance.by_network is off, since no evidence says how "
    "often this network leaves lesions out"
)

Looks = Sequence[Look | None]
"""One for each image of a visit, None where the network did not see it."""


def check_evidence(settings: Disappearance, name: str, sha256: str) -> None:
    """Refuse evidence that was gathered with another network.

    Parameters
    ----------
    settings
        The protocol's.
    name, sha256
        The network of this run.

    Raises
    ------
    ConfigError
        The evidence is of another network.
    """
    evidence = settings.evidence
    if settings.by_network and evidence is not None and evidence.model_sha256 != sha256:
        raise ConfigError(
            f"disappearance.evidence is about the network {evidence.model_sha256[:12]}, and this run uses {name}, "
            f"{sha256[:12]}.",
            remedy="Run the network that was examined, or examine this one, or set disappearance.by_network to false.",
        )


def call_gone(
    subject: str,
    lesions: tuple[LesionMeasurement, ...],
    looks: Mapping[str, Looks],
    model: str,
    settings: Disappearance,
    visit: str = ONE_MONTH,
) -> tuple[tuple[LesionMeasurement, ...], dict[str, str], tuple[Refusal, ...]]:
    """The lesions, those that an empty result calls gone at ``visit`` among them.

    Parameters
    ----------
    subject, lesions
        The child, and all of its measurements.
    looks
        How the network looked at the visits that no reader has read.
    model, settings
        The network's name; the rule.
    visit
        The visit after baseline that is asked about.

    Returns
    -------
    tuple
        The measurements; why an empty result does not say that a lesion is gone, by name; what asks a reader to
        confirm.
    """
    there = {m.lesion: m for m in lesions if m.visit == BASELINE and m.present}
    images = looks.get(visit, ())
    seen = [look for look in images if look is not None]
    empty = bool(seen) and not any(look.drawn for look in seen) and not any(m.visit == visit for m in lesions)
    if not empty or not there:
        return lesions, {}, ()
    if not settings.by_network:
        return lesions, dict.fromkeys(there, SWITCHED_OFF), ()
    not_gone: dict[str, str] = {}
    gone = []
    for name, before in there.items():
        if doubts := list(_doubts(before, images, settings)):
            not_gone[name] = f"the network drew nothing there, but {'; '.join(doubts)}"
        else:
            gone.append(_gone(before, model, visit))
    frames = sum(look.looked_at for look in seen)
    return (*lesions, *gone), not_gone, tuple(_confirm(subject, m, frames, settings) for m in gone)


def _doubts(before: LesionMeasurement, images: Looks, settings: Disappearance) -> Iterator[str]:
    """What keeps the empty visit from saying that this lesion is gone."""
    if unseen := sum(look is None for look in images):
        yield f"it did not see {unseen} of the visit's {len(images)} images"
    seen = [look for look in images if look is not None]
    partly = [look for look in seen if look.looked_at < look.frames]
    if partly:
        yield (
            f"it saw {partly[0].looked_at} of {partly[0].frames} frames of {partly[0].path}"
            f"{f' and not all of {len(partly) - 1} more' if len(partly) > 1 else ''} (segment.cine_frames)"
        )
    if shown := [look.path for look in seen if look.shows == before.lesion]:
        yield f"the manifest says that {shown[0]} shows {before.lesion}"
    size = before.longest_diameter_mm.value
    if size < (least := settings.smallest_named_mm) - TINY:
        digits = telling_digits(size, (least,))
        yield f"{before.lesion} had {size:.{digits}f} mm, and the evidence knows no lesion below {least:g} mm"
    planes = {p.plane: p for p in before.planes}
    if loose := sorted(planes.keys() - SORTED_PLANES):
        yield f"it was measured in {' and '.join(loose)} planes at baseline, which cannot be found again"
    elif len(planes) < settings.min_planes:
        yield f"it was measured in {len(planes)} of the {settings.min_planes} scan planes that are asked for"
    for plane in planes.values():
        yield from _not_looked_for(plane, seen, settings)


def _not_looked_for(before: PlaneMeasurement, seen: Sequence[Look], settings: Disappearance) -> Iterator[str]:
    """Why the frames of one plane do not do."""
    if before.plane not in SORTED_PLANES:
        return
    if before.appearance is None:
        yield f"its place in the {before.plane} plane at baseline is not known"
        return
    length = before.long_axis_mm.value
    deep = before.appearance.depth_mm + length / 2 + settings.margin_mm
    wide = length + settings.margin_mm
    liver = [look for look in seen if look.plane is before.plane and look.liver]
    frames = sum(look.looked_at for look in liver if look.field_mm[0] >= deep and look.field_mm[1] >= wide)
    if frames < settings.min_frames_per_plane:
        yield (
            f"only {frames} {before.plane} frames are known to show the liver {deep:.0f} mm deep and {wide:.0f} mm "
            f"wide, where {settings.min_frames_per_plane} are asked for"
        )


def _gone(before: LesionMeasurement, model: str, visit: str) -> LesionMeasurement:
    nothing = Quantity(value=0.0, sd=0.0)
    return LesionMeasurement(
        subject=before.subject,
        visit=visit,
        lesion=before.lesion,
        present=False,
        source=Source.MODEL,
        reader=model,
        planes=(),
        longest_diameter_mm=nothing,
        short_axis_mm=None,
        third_diameter_mm=None,
        volume_ml=nothing,
        volume_method=None,
    )


def _confirm(subject: str, gone: LesionMeasurement, frames: int, settings: Disappearance) -> Refusal:
    evidence = settings.evidence
    known = "" if evidence is None else f" (evidence: {evidence.missed} of {evidence.visits} visits missed)"
    return Refusal(
        code="gone_not_confirmed",
        reason=f"{gone.lesion} is called gone since {gone.reader} drew nothing on {frames} frames{known}: no lesion of "
        f"{settings.smallest_named_mm:g} mm or more. No verdict that rests on it is certain.",
        remedy="Look at the visit's images: an 'absent' row in the caliper file confirms it, a caliper corrects it.",
        subject=subject,
        visit=gone.visit,
        lesion=gone.lesion,
    )
