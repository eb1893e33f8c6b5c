"""Files -> studies -> each child's visits: `load` reads headers, `assign` (`timeline`) sorts studies into visits."""

from lesion_measure.studies.assign import assign_visits
from lesion_measure.studies.load import load_studies

__all__ = ["assign_visits", "load_studies"]
