"""What the server of processes loads before any of them comes from it: no more than a run loads itself.

Nothing imports it but that server, which has one thread and no script of a user's in it.
"""

from lesion_measure.batch.garbage import loading
from lesion_measure.batch.late import load_late

with loading():
    load_late()
    from lesion_measure.job import measuring

__all__ = ["measuring"]
