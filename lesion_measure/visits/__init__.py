"""Stage 1, second half: studies -> each subject's visits, by `manifest`, time point or date (`timeline`)."""

from lesion_measure.visits.assign import assign_visits
from lesion_measure.visits.manifest import Manifest, read_manifest

__all__ = ["Manifest", "assign_visits", "read_manifest"]
