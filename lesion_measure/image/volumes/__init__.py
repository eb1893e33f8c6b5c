"""Volume files of readers and data sets (NIfTI, NRRD, MetaImage), as untrusted input, and lesions written as such.

::

    volume    Volume             voxels and where they lie; upright as the header says
    nifti     read_nifti         NIfTI-1 by its header alone
    headers   check              NRRD and MetaImage: header and length before SimpleITK sees them
    files     read_volume        any of them
    masks     read_volume_mask   a reader's mask of one frame
"""
