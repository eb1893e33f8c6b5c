"""DICOM Segmentation objects (PS3.3 A.51, A.90, C.8.20): a reader's masks, each on the frame that it was drawn on.

::

    layout     the header: which frame of which image each frame outlines, and of which segment
    segments   what a segment is: a lesion, the liver, something else; who drew it, how it is called
    pixels     the values of one frame, in every encoding that keeps them
    read       the masks as drawings; one mask when it is needed

A run and the data sets to train on read segmentations here. Scale and place never come from a segmentation: its
masks lie on the pixels of their images.
"""

from lesion_measure.dicom.objects.segmentation.read import read_segmentation, read_stored_mask

__all__ = ["read_segmentation", "read_stored_mask"]
