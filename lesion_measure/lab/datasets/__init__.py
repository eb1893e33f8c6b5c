"""Pictures with outlined lesions, from published data sets, from readers and from the simulator.

::

    pictures, axes, calipers   what every source becomes: a picture, its lesions, the calipers on them
    layouts                    a folder of any known layout; load() recognises it
      folder                   images/ + masks/ + index.csv; corrections of a results folder
      aul (polygons)           Annotated Ultrasound Liver images, as published
      busi                     Breast Ultrasound Images, as published
      volumes                  NIfTI, NRRD and MetaImage pairs, 3D Slicer, nnU-Net
      dicom_seg (segments, regions)   DICOM ultrasound with DICOM SEG, cut to what a run looks at
      dicom_pairs   DICOM ultrasound with masks as pictures
      annotations   COCO, LabelMe, CVAT, Pascal VOC and YOLO
      files                    picture and mask files, as untrusted input
    simulated                  frames of the simulator
    duplicates (similarity)    near-duplicates, joined into groups before anything is split
    splits                     training and validation, folds
    scheme   which labels are lesions, for every layout
    outlines, label_maps       pictures from outlines by name, and from masks of values
    shapes, stated             masks that cannot be meant; what a table beside the pictures states
    spool    pixels of many pictures, in files beyond some in memory
    export   any data as a folder of nnU-Net or COCO
    card, summary, sheet       the data in numbers; what an import understood; its pictures with outlines drawn
"""

from lesion_measure.lab.datasets.axes import LesionAxes, lesion_axes
from lesion_measure.lab.datasets.calipers import choose_calipers, jitter
from lesion_measure.lab.datasets.card import data_card, describe
from lesion_measure.lab.datasets.duplicates import (
    DuplicatePair,
    DuplicateReport,
    check_splits,
    find_duplicates,
    group_duplicates,
)
from lesion_measure.lab.datasets.export import export as export_pictures
from lesion_measure.lab.datasets.folder import load_folder
from lesion_measure.lab.datasets.layouts import LAYOUTS, layout_of, load, load_all
from lesion_measure.lab.datasets.pictures import Picture, picture, picture_digest, picture_of_lesions
from lesion_measure.lab.datasets.sheet import write_sheets
from lesion_measure.lab.datasets.simulated import SIMULATED, simulated_pictures
from lesion_measure.lab.datasets.splits import folds, split_pictures
from lesion_measure.lab.datasets.summary import data_summary

__all__ = [
    "LAYOUTS",
    "SIMULATED",
    "DuplicatePair",
    "DuplicateReport",
    "LesionAxes",
    "Picture",
    "check_splits",
    "choose_calipers",
    "data_card",
    "data_summary",
    "describe",
    "export_pictures",
    "find_duplicates",
    "folds",
    "group_duplicates",
    "jitter",
    "layout_of",
    "lesion_axes",
    "load",
    "load_all",
    "load_folder",
    "picture",
    "picture_digest",
    "picture_of_lesions",
    "simulated_pictures",
    "split_pictures",
    "write_sheets",
]
