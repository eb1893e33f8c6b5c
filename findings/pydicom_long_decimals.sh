#!/usr/bin/env bash
# A pixel size of 1/7 mm set as a number in pydicom, whose decimal strings (DS) may have 16 characters.
# Guess: it is rounded to 16 characters, or refused: pydicom checks what it writes.
# Seen: 19 characters are written, 22 for a number with an exponent, without a warning. As text the same value warns, "exceeds the maximum
# length of 16". With writing_validation_mode RAISE it goes through as well; reading_validation_mode RAISE is what refuses it, as it is set and
# before anything is read or written. Read again by default, nothing is said either.
# Why it surprises: any quotient makes such a number, so that most computed spacings and measurements make a file that PS3.5 does not allow.
# The tests of who writes it pass. What reads 16 characters, or cuts to them when it writes, has another number where there is an exponent.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pydicom==3.0.2
cd "$dir"
venv/bin/python - <<'PY'
import io
import warnings

import pydicom
from pydicom import config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian


def said(act):
    """The warnings of an act, first sentences only."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act()
    return sorted({str(one.message).split(".")[0] for one in caught})


image, file = Dataset(), io.BytesIO()
image.file_meta = FileMetaDataset()
image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
config.settings.writing_validation_mode = config.RAISE
as_number = said(lambda: setattr(image, "PixelSpacing", [1 / 7, 1 / 70000]))
written = said(lambda: image.save_as(file))
config.settings.writing_validation_mode = config.WARN
config.settings.reading_validation_mode = config.RAISE
try:
    Dataset().PixelSpacing = [1 / 7, 1 / 70000]
    refused = "not refused"
except OverflowError as error:
    refused = str(error).split(".")[0]
config.settings.reading_validation_mode = config.WARN
as_text = said(lambda: setattr(Dataset(), "PixelSpacing", [str(1 / 7), str(1 / 7)]))
file.seek(0)
read = said(lambda: pydicom.dcmread(file, force=True).PixelSpacing)
bytes_written = file.getvalue()[file.getvalue().index(b"DS") + 4 :]
print("pydicom", pydicom.__version__, "wrote", bytes_written.decode().split("\\"))
print("warnings: set as a number", as_number, "as text", as_text, "writing", written, "reading", read)
print("set with reading_validation_mode RAISE:", refused)
assert "must be <= 16 characters" in refused, "changed"
assert bytes_written.strip() == rb"0.14285714285714285\1.4285714285714285e-05", "changed"
assert not as_number and not written and not read and "maximum length of 16" in as_text[0], "changed"
PY
