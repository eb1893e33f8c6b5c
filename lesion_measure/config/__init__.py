"""One immutable configuration, read from YAML. Unknown keys are errors; it can hash itself.

Every setting carries its meaning and unit in ``description``; ``docs/settings.md`` is made from them and a test fails
when the two differ.

::

    section         what all sections are: frozen, nothing unknown
    layers          files that extend one another, and single settings of the command line on top
    reading         an untrusted YAML file -> settings, or what is wrong with it and what may have been meant
    rounding        how many decimals tell on which side of a limit a number lies
    ingest          scan planes, scales, bounds on untrusted input
    descriptions    words of a study's description that name a visit
    measuring       calipers, network, volumes, error bars
    pairing         the same lesion on several images and at several visits
    disappearance   when a network's empty result counts
    rules           target lesions, response rules, which of them is applied
    protocol        who may enter, the schedule of visits, and with what the cohort is compared
    whole           the whole, and the report's looks
"""

from lesion_measure.config.descriptions import Descriptions
from lesion_measure.config.disappearance import Disappearance, EmptyEvidence
from lesion_measure.config.ingest import Calibration, Limits, Planes
from lesion_measure.config.layers import listed
from lesion_measure.config.measuring import Calipers, Repeatability, Segment, Uncertainty, Volumes
from lesion_measure.config.pairing import Likeness, Pairing
from lesion_measure.config.protocol import Entry, PlannedVisit, Protocol
from lesion_measure.config.reading import read_settings
from lesion_measure.config.rounding import (
    TINY,
    apart,
    limit_text,
    percent_text,
    significant,
    telling_digits,
    visible_digits,
)
from lesion_measure.config.rules import AppliedRule, Comparison, Rule, Targets
from lesion_measure.config.section import Fraction, Positive, PositiveInt
from lesion_measure.config.whole import Config, Report

__all__ = [
    "TINY",
    "AppliedRule",
    "Calibration",
    "Calipers",
    "Comparison",
    "Config",
    "Descriptions",
    "Disappearance",
    "EmptyEvidence",
    "Entry",
    "Fraction",
    "Likeness",
    "Limits",
    "Pairing",
    "Planes",
    "PlannedVisit",
    "Positive",
    "PositiveInt",
    "Protocol",
    "Repeatability",
    "Report",
    "Rule",
    "Segment",
    "Targets",
    "Uncertainty",
    "Volumes",
    "apart",
    "limit_text",
    "listed",
    "percent_text",
    "read_settings",
    "significant",
    "telling_digits",
    "visible_digits",
]
