"""DICOM: headers and values, tolerant and bounded (`headers`, `elements`); frames, decoded one at a time (`frames`)."""
