"""Softcopy presentation states (PS3.3 A.33): a reader's lines and contours, and what stands beside them.

::

    state      the whole object: which image each annotation is on, and what becomes of it
    graphics   one graphic object, or compound graphic, to lines and contours
    display    coordinates of the standard to pixels of the image
    texts      what a text says of the line beside it
    together   ticks and arrow heads told from lines, and lines that cross told from lines that stand alone
    lesions    what was found, and which of it is of one lesion
"""

from lesion_measure.dicom.objects.presentation.state import read_presentation_state

__all__ = ["read_presentation_state"]
