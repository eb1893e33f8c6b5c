"""Formats of annotation tools, which outline things under the names of labels: one module each.

::

    coco, labelme, cvat, voc, yolo   the layouts
    finding                          the pictures that an annotation file names
    rle                              run lengths
"""
