"""``python -m lesion_measure.lab.phantom FOLDER`` writes the sample studies anew and replaces earlier ones."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from lesion_measure.errors import LesionMeasureError
from lesion_measure.lab.phantom.samples import write_samples


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when written, 1 when the folder cannot be used, 2 for wrong arguments."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m lesion_measure.lab.phantom FOLDER\n")
        return 2
    try:
        write_samples(Path(arguments[0]), overwrite=True)
    except LesionMeasureError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
