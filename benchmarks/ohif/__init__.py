"""OHIF beside Orthanc, in a real browser: what becomes of our SR and SEG there, and of what is drawn there here."""
