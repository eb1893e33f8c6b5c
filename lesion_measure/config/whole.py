"""The whole configuration."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from lesion_measure.config.disappearance import Disappearance
from lesion_measure.config.ingest import Calibration, Limits, Planes
from lesion_measure.config.measuring import Calipers, Segment, Uncertainty, Volumes
from lesion_measure.config.pairing import Pairing
from lesion_measure.config.protocol import Protocol
from lesion_measure.config.reading import read_settings
from lesion_measure.config.rules import Comparison
from lesion_measure.config.section import Section


class Report(Section):
    """How the report looks."""

    title: str = Field("Liver lesion change on ultrasound", description="Title of the report.")
    image_width_px: int = Field(640, ge=200, le=2000, description="Width of each picture in the report, in pixels.")
    blank: Literal["outside", "text", "nothing"] = Field(
        "outside",
        description="What of a frame its picture does not show: all `outside` of the scan, where names stand; that and "
        "every `text` found on the scan (needs `lesion-measure[read]`, half a second a picture); or `nothing`.",
    )


class Config(Section):
    """All settings of a run."""

    planes: Planes = Field(Planes(), description="Scan planes.")
    calibration: Calibration = Field(Calibration(), description="Calibration.")
    limits: Limits = Field(Limits(), description="Limits on untrusted input.")
    calipers: Calipers = Field(Calipers(), description="Calipers.")
    segment: Segment = Field(Segment(), description="Segmentation.")
    volumes: Volumes = Field(Volumes(), description="Volumes.")
    uncertainty: Uncertainty = Field(Uncertainty(), description="Uncertainty.")
    pairing: Pairing = Field(Pairing(), description="Pairing.")
    disappearance: Disappearance = Field(Disappearance(), description="Disappearance.")
    comparison: Comparison = Field(default_factory=Comparison, description="Comparison.")
    protocol: Protocol = Field(Protocol(), description="The trial's protocol.")
    report: Report = Field(Report(), description="Report.")

    @model_validator(mode="before")
    @classmethod
    def _moved(cls, data: object) -> object:
        if isinstance(data, dict) and "visits" in data:
            raise ValueError("the section 'visits' is gone: visits are named in protocol.schedule (docs/visits.md)")
        return data

    @model_validator(mode="after")
    def _nothing_hidden(self) -> Config:
        """An empty result that settings bring about says nothing."""
        if self.disappearance.by_network and self.segment.threshold > 0.5:
            raise ValueError("disappearance.by_network needs a segment.threshold of 0.5 or less")
        if self.disappearance.by_network and self.segment.min_lesion_mm > self.disappearance.smallest_named_mm:
            raise ValueError("disappearance.by_network needs a segment.min_lesion_mm below what the evidence has seen")
        return self

    def with_calipers(self, calipers: Calipers) -> Config:
        """The same with other settings of calipers, as for one child."""
        return self.model_copy(update={"calipers": calipers})

    @classmethod
    def from_yaml(cls, path: Path) -> Config:
        """Read a configuration file; keys that are left out keep their defaults.

        Raises
        ------
        ConfigError
            The file cannot be read, is no YAML mapping, or holds an unknown or impossible setting.
        """
        return read_settings(cls, path, remedy="'lesion-measure help settings' lists every setting.")

    def sha256(self) -> str:
        """SHA-256 of the canonical JSON of every setting, defaults included."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
