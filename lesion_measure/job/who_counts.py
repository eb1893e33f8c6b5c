"""The readers whom the settings name, held against those whose rows a run has: a slip in a name must not go unseen.

By a slip the adjudicator is another reader, and the numbers count that this one has overruled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from lesion_measure.config import Config
from lesion_measure.records import Caliper, Doubt, Refusal, SubjectVisits
from lesion_measure.spelling import look_alike, nearest, or_meant

_ADJUDICATOR = "calipers.adjudicator"


def misnamed(
    children: Sequence[SubjectVisits], calipers: Mapping[str, Sequence[Caliper]], config: Config
) -> Iterator[Doubt]:
    """A doubt for each child and each of its readers whose name is nearly that of one who counts.

    Parameters
    ----------
    children
        The children of the run.
    calipers
        All rows by SOP Instance UID of their image.
    config
        ``calipers.reader`` and ``calipers.adjudicator`` count. A name that looks like one of them is doubted; one that
        is misspelled, only where nobody of the run has the name that counts, since two people's may differ by a letter.
    """
    named = _named(config)
    everyone = {row.reader for rows in calipers.values() for row in rows}
    for child in children:
        for reader in sorted(readers_of(child, calipers) - set(named.values())):
            for setting, name in named.items():
                if look_alike(reader, name) or (name not in everyone and nearest(name, [reader])):
                    yield _doubt(child.subject, reader, setting, name)


def readers_of(child: SubjectVisits, calipers: Mapping[str, Sequence[Caliper]]) -> set[str]:
    """Who read any image of a child. ``calipers`` as of `misnamed`."""
    images = (i for studies in child.visits.values() for study in studies for i in study.instances)
    return {row.reader for image in images for row in calipers.get(image.sop_instance_uid, ())}


def no_adjudicator(readers: Collection[str], config: Config) -> list[Refusal]:
    """That the adjudicator read nothing of the run, where others did.

    Parameters
    ----------
    readers
        Whose rows the run has, those that belong to no image included.
    config
        ``calipers.adjudicator`` counts.
    """
    name = _named(config).get(_ADJUDICATOR)
    if name is None or not readers or name in readers:
        return []
    return [
        Refusal(
            code="adjudicator_not_there",
            reason=f"{_ADJUDICATOR} is {name}, and no caliper is by a reader of this name"
            f"{or_meant(name, sorted(readers))}",
            remedy="Write the name as in the caliper file, or leave the setting out until the adjudicator has read.",
        )
    ]


def _named(config: Config) -> dict[str, str]:
    """The readers who count, by the setting that names them; none where the network alone measures."""
    if config.segment.policy == "model_only":
        return {}
    both = {"calipers.reader": config.calipers.reader, _ADJUDICATOR: config.calipers.adjudicator}
    return {setting: name for setting, name in both.items() if name is not None}


def _doubt(subject: str, reader: str, setting: str, name: str) -> Doubt:
    return Doubt(
        Refusal(
            code="reader_misnamed",
            reason=f"{reader} does not count, and {setting} is {name}: are they one reader?",
            remedy="Write one name for one reader, in the caliper file and in the configuration.",
            subject=subject,
        )
    )
