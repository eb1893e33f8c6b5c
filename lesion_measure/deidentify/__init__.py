"""Files to files without the patient: PS3.15 Annex E, by a list of what stays. What is not on it goes.

``survey`` says what each file is and whose, ``header`` makes its new header by ``attributes`` and ``texts``, ``pixels``
blanks what lies outside of the scan, ``writing`` writes both, ``run`` is the order. ``key`` holds the secret.
"""
