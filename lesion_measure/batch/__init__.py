"""The same work on many tasks, here or in processes beside each other. The room knows nothing of what the work is.

::

    tasks --> `measure_here`                this process, one after another
          --> `processes.in_processes`      processes of this machine
          --> results with their numbers, as they come

A task that is computed twice gives the same: whoever runs the work may lose a process, or a result, and ask again.
"""

from lesion_measure.batch.work import (
    Lost,
    Measured,
    Prepare,
    Tell,
    Track,
    Work,
    counted,
    measure_here,
    usable_processors,
)

__all__ = ["Lost", "Measured", "Prepare", "Tell", "Track", "Work", "counted", "measure_here", "usable_processors"]
