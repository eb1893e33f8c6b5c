"""DICOM objects that hold measurements: structured reports, presentation states and segmentations, in and out.

Reading gives `records.Drawings`; what is drawn is measured later, by the scale of the image it was drawn on.
"""
