"""Stage 1: files -> studies. `studies` reads every header below a path, `attributes` turns its values into records."""

from lesion_measure.ingest.studies import load_studies

__all__ = ["load_studies"]
