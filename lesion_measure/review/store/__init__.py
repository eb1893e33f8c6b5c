"""Where readings are kept: SQLite beside the results, or another database by its URL.

Every change and its line in the audit are one transaction; when a call returns, both are on disk.
"""

from lesion_measure.review.store.database import beside
from lesion_measure.review.store.kept import Kept, Mark, Signed, Step
from lesion_measure.review.store.store import Store

__all__ = ["Kept", "Mark", "Signed", "Step", "Store", "beside"]
