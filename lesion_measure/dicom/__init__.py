"""Reading DICOM headers tolerantly and within bounds: `headers` finds them, `elements` reads single values."""
