"""Simulated screens with calipers and their printed values burnt in, as several kinds of scanner draw them.

Points, values and labels are known, so that what `burnt_in` reads can be counted. Scanners and values are made up.
Inside: `looks` (what differs from scanner to scanner), `background` (speckle), `strokes` (drawing on a layer),
`lettering` (fonts), `calipers` (marks, lines, numbers), `furniture` (all that looks like a mark and is none), and
`simulate` (a whole screen with its truth).
"""

from lesion_measure.lab.screens.looks import LOOKS
from lesion_measure.lab.screens.simulate import SimulatedScreen, TrueCaliper, simulate_screen

__all__ = ["LOOKS", "SimulatedScreen", "TrueCaliper", "simulate_screen"]
