"""``python -m lesion_measure`` is the ``lesion-measure`` command."""

from lesion_measure.cli import main

main()
